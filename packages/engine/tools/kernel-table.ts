import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { withMarked } from '@lethe/core';
import * as tf from '@tensorflow/tfjs';
import '../src/index.js';
import { FAMILIES } from '../src/kernels/index.js';

/** The page that holds the table; this module runs from `dist/tools`. */
export const README = fileURLToPath(new URL('../../README.md', import.meta.url));

const START = '<!-- kernels: made by `npm run table -w @lethe/engine` -->';
const END = '<!-- end of kernels -->';

/** A Markdown table of all kernels by family; `°` marks those without a gradient. */
export function kernelTable(): string {
  const rows = Object.entries(FAMILIES).map(([family, kernels]) => {
    const names = Object.keys(kernels)
      .sort()
      .map((name) => `${name}${name.startsWith('Lethe') || tf.getGradient(name) ? '' : '°'}`);
    return `| ${family} | ${names.join(', ')} |`;
  });
  return ['| family | kernels |', '| --- | --- |', ...rows].join('\n');
}

/** The page with the table as it is now. */
export async function pageWithTable(): Promise<string> {
  return withMarked(await readFile(README, 'utf8'), README, [START, END], kernelTable());
}
