import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LetheError, didYouMean } from '@lethe/core';
import { type SuiteSummary, listSuites } from '@lethe/data';
import type { Output } from './output.js';
import { PATHS, installedPlugins } from './paths.js';

/** One thing that can be named on the command line. */
export interface Listed {
  readonly name: string;
  readonly version?: string;
  readonly description?: string;
}

/** Folders of `root` that hold `file`. */
function foldersWith(root: string, file: string): Listed[] {
  if (!existsSync(root)) return [];
  return readdirSync(root).filter((name) => existsSync(join(root, name, file))).sort().map((name) => ({ name }));
}

/** The title of a suite, its sizes, and what one must know before running it. */
function describeSuite({ title, kind, sizes, needsData, probesOnly, supersededBy }: SuiteSummary): string {
  const notes = [
    kind, probesOnly ? 'probes for other suites' : `sizes ${sizes.join(', ')}`,
    ...(needsData ? ['needs --data-dir'] : []),
    ...(supersededBy === undefined ? [] : [`superseded by ${supersededBy}`]),
  ];
  return `${title} (${notes.join('; ')})`;
}

const LISTS: Readonly<Record<string, () => Listed[]>> = {
  methods: () => installedPlugins().filter(({ manifest }) => manifest.kind === 'method').map(
    ({ manifest: { name, version, description } }) => ({ name, version, description })),
  suites: () => listSuites(PATHS.suites).map((suite) => ({ ...suite, name: suite.id, description: describeSuite(suite) })),
  models: () => foldersWith(PATHS.models, 'model.safetensors'),
};

/**
 * What is installed of a kind: methods, suites or models.
 *
 * @throws LetheError LETHE_USAGE for another kind
 */
export function listed(kind: string): Listed[] {
  const kinds = Object.keys(LISTS);
  const list = Object.hasOwn(LISTS, kind) ? LISTS[kind] : undefined;
  if (!list) {
    throw new LetheError('LETHE_USAGE', `"${kind}" cannot be listed.${didYouMean(kind, kinds)}`, { remedy: `list one of: ${kinds.join(', ')}` });
  }
  return list();
}

/** `lethe list KIND`. */
export function listCommand(kind: string, json: boolean, output: Output): void {
  const items = listed(kind);
  if (json) return output.data(JSON.stringify(items, null, 2));
  if (items.length === 0) return output.note(`no ${kind} are installed`);
  const width = Math.max(...items.map(({ name }) => name.length));
  for (const { name, version, description } of items) {
    output.data([name.padEnd(width), version, description].filter((part) => part !== undefined).join('  ').trimEnd());
  }
}
