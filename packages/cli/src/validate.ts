import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { LetheError, isFolder, pluginIn, readManifest } from '@lethe/core';
import { absentRows, inspectSuite, overlapLine, readSuiteFile } from '@lethe/data';
import { readResults } from '@lethe/harness';
import type { Output } from './output.js';
import { PATHS, here, installedPlugins } from './paths.js';
import { describer } from './publish.js';
import { dataFolderAt, suiteOfPlugin, suiteWords } from './suites.js';

/** What a check may need beside the file. */
export interface ValidateFlags {
  /** Folder of the rows of suites that do not bring their own. */
  readonly dataDir?: string;
  /** Folders of plugins beside those that are installed. */
  readonly plugins?: readonly string[];
}

type Check = (file: string, flags: ValidateFlags) => Promise<string> | string;

const CHECKS: Readonly<Record<string, Check>> = {
  'plugin.json': checkPlugin,
  'results.json': async (file) => {
    const runs = (await readResults(dirname(file)))?.runs ?? [];
    return `${runs.length} runs, every score and metric recomputed`;
  },
  'suite.yaml': checkSuite,
};

/** What checks a file: the one of its name, or that of an entry of the leaderboard, whose names are its own. */
function checkOf(file: string): Check | undefined {
  const name = basename(file);
  return Object.hasOwn(CHECKS, name) ? CHECKS[name] : name.endsWith('.json') ? checkEntry : undefined;
}

async function checkEntry(file: string, { plugins }: ValidateFlags): Promise<string> {
  const { readEntry } = await import('@lethe/leaderboard');
  const { runs } = (await readEntry(file, describer(installedPlugins(plugins)))).results;
  return `entry of ${runs.length} runs, every score and metric recomputed`;
}

/** Checks the manifest of a plugin, and what it brings. */
async function checkPlugin(file: string): Promise<string> {
  const manifest = readManifest(file);
  const { kind, name, version, options } = manifest;
  const count = Object.keys(options.properties).length;
  const lines = [
    `${kind} ${name} ${version}`,
    `checked: manifest: shape, range of Lethe's versions, dependencies, options (${count}) with descriptions, defaults and bounds`,
  ];
  const plugin = { manifest, ...pluginIn(dirname(file)) };
  if (kind === 'suite') return [...lines, `checked: it has the name and version of ${here(suiteOfPlugin(plugin))}`].join('\n  ');
  if (kind === 'model') {
    const { checkModelFiles } = await import('./validate-model.js');
    return [...lines, ...await checkModelFiles(plugin)].join('\n  ');
  }
  const { checkMethodCode, checkScorerCode } = await import('./validate-code.js');
  return [...lines, ...await (kind === 'method' ? checkMethodCode : checkScorerCode)(plugin)].join('\n  ');
}

/** Checks a suite's file, then its rows in every size. Rows are no fault where no folder was given and none of their files is there: they lie elsewhere. */
async function checkSuite(file: string, { dataDir }: ValidateFlags): Promise<string> {
  const { id, version, tasks, orders, sizes } = readSuiteFile(file);
  const reference = { reference: file, suitesDir: PATHS.suites, builtDir: PATHS.builtSuites, ...(dataDir === undefined ? {} : { dataDir: dataFolderAt(dataDir) }) };
  if (orders.length === 0) return `suite ${id} ${version}, ${tasks.length} probes; rows: lethe data verify ${suiteWords(reference)}`;
  const suite = `suite ${id} ${version}, ${tasks.length} tasks, orders ${orders.map((order) => order.id).join(', ')}`;
  const absent = dataDir === undefined ? await absentRows(reference) : null;
  if (absent) return `${suite}; rows not checked: ${absent.message} (${absent.remedy})`;
  const lines = new Set<string>();
  for (const size of Object.keys(sizes)) {
    const { notes, overlaps } = await inspectSuite({ ...reference, size });
    for (const line of [...notes, ...overlaps.map(overlapLine)]) lines.add(`\n  ${line}`);
  }
  return `${suite}; rows of ${Object.keys(sizes).join(', ')} read and checked${[...lines].join('')}`;
}

/**
 * `lethe validate FILE|DIR`: checks a plugin.json with what the plugin brings, a results.json or a suite.yaml with its rows, or those
 * in a folder; another JSON file as an entry of the leaderboard.
 *
 * @throws LetheError LETHE_USAGE where there is nothing to check, and the errors of what is checked
 */
export async function validateCommand(path: string, flags: ValidateFlags, output: Output): Promise<void> {
  const known = Object.keys(CHECKS);
  const target = resolve(path);
  const inside = isFolder(target) ? known.map((name) => join(target, name)) : [target];
  const files = inside.filter((file) => existsSync(file) && checkOf(file) !== undefined);
  if (files.length === 0) {
    throw new LetheError('LETHE_USAGE', 'there is nothing here that can be checked', { where: target, remedy: `give a folder or a file called ${known.join(' or ')}, or an entry of the leaderboard` });
  }
  for (const file of files) output.data(`${file}: ${await checkOf(file)!(file, flags)}`);
}
