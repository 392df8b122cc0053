import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { LETHE_VERSION } from '@lethe/core';
import { listed } from './list.js';
import type { Output } from './output.js';
import { PATHS } from './paths.js';

/** The version of a package that the engine can load, or null. */
function versionOf(name: string): string | null {
  const roots = createRequire(join(PATHS.models, '..', 'engine', 'package.json')).resolve.paths(name) ?? [];
  const file = roots.map((root) => join(root, name, 'package.json')).find((path) => existsSync(path));
  return file === undefined ? null : (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** `lethe doctor`: what this machine and installation offer, and the command that adds what is missing. */
export function doctorCommand(output: Output): void {
  const line = (name: string, value: string) => output.data(`${name.padEnd(14)}${value}`);
  const names = (kind: string) => listed(kind).map(({ name }) => name).join(', ') || 'none';
  const optional = (name: string, add: string) => versionOf(name) ?? `missing; add it with: ${add}`;
  line('lethe', LETHE_VERSION);
  line('node', process.version);
  line('cores', String(availableParallelism()));
  line('memory', `${(totalmem() / 2 ** 30).toFixed(1)} GiB`);
  line('onnxruntime', optional('onnxruntime-node', 'npm install'));
  line('tensorflow gpu', optional('@tensorflow/tfjs-node-gpu', 'npm install @tensorflow/tfjs-node-gpu@4.22.0'));
  line('models', names('models'));
  line('suites', names('suites'));
  line('methods', names('methods'));
}
