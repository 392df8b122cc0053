import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { LetheError, readManifest } from '@lethe/core';
import { readResults } from '@lethe/harness';
import type { Output } from './output.js';

const CHECKS: Readonly<Record<string, (file: string) => Promise<string> | string>> = {
  'plugin.json': (file) => {
    const { kind, name, version } = readManifest(file);
    return `${kind} ${name} ${version}`;
  },
  'results.json': async (file) => {
    const runs = (await readResults(dirname(file)))?.runs ?? [];
    return `${runs.length} runs, every score and metric recomputed`;
  },
};

/**
 * `lethe validate FILE|DIR`: checks a plugin.json or a results.json, or those in a folder.
 *
 * @throws LetheError LETHE_USAGE where there is nothing to check, and the errors of what is checked
 */
export async function validateCommand(path: string, output: Output): Promise<void> {
  const known = Object.keys(CHECKS);
  const target = resolve(path);
  const inside = existsSync(target) && statSync(target).isDirectory() ? known.map((name) => join(target, name)) : [target];
  const files = inside.filter((file) => existsSync(file) && Object.hasOwn(CHECKS, basename(file)));
  if (files.length === 0) {
    throw new LetheError('LETHE_USAGE', 'there is nothing here that can be checked', { where: target, remedy: `give a folder or a file called ${known.join(' or ')}` });
  }
  for (const file of files) output.data(`${file}: ${await CHECKS[basename(file)]!(file)}`);
}
