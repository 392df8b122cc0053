import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { LetheError, type Plugin, isFolder, pluginIn, readManifest } from '@lethe/core';
import { absentRows, inspectSuite, overlapLine, readSuiteFile } from '@lethe/data';
import { readResults } from '@lethe/harness';
import type { Output } from './output.js';
import { installedPlugins } from './installed.js';
import { PATHS, here } from './paths.js';
import { describer } from './publish.js';
import { optionsOf } from './run/methods.js';
import type { MethodRequest } from './run/request.js';
import { newerSource } from './stale.js';
import { dataFolderAt, suiteOfPlugin, suiteWords } from './suites.js';

/** What a check may need beside the file. */
export interface ValidateFlags {
  /** Folder of the rows of suites that do not bring their own. */
  readonly dataDir?: string;
  /** Folders of plugins beside those that are installed. */
  readonly plugins?: readonly string[];
  /** The model that an adapter is for. */
  readonly model?: string;
  /** Options of a method to check it with, in the place of their defaults. */
  readonly set?: MethodRequest['options'];
}

type Check = (file: string, flags: ValidateFlags, note: Output['note']) => Promise<string> | string;

const CHECKS: Readonly<Record<string, Check>> = {
  'plugin.json': checkPlugin,
  'results.json': async (file) => {
    const runs = (await readResults(dirname(file)))?.runs ?? [];
    return `${runs.length} runs, every score and metric recomputed`;
  },
  'suite.yaml': checkSuite,
  'config.json': async (file) => {
    const { checkModelFiles } = await import('./validate-model.js');
    return [`model ${basename(dirname(file))}`, ...await checkModelFiles(dirname(file))].join('\n  ');
  },
  'adapter_config.json': async (file, flags, note) => {
    const { checkAdapterFiles } = await import('./validate-model.js');
    return [`adapter ${basename(dirname(file))}`, ...await checkAdapterFiles(dirname(file), flags, note)].join('\n  ');
  },
};
const WANTED = `give a folder or a file called ${Object.keys(CHECKS).join(' or ')}, a suite or configuration that ends in .yaml, or an entry of the leaderboard`;

/** What checks a file: the one of its name, or that of an entry of the leaderboard, whose names are its own. */
function checkOf(file: string): Check | undefined {
  const name = basename(file);
  if (Object.hasOwn(CHECKS, name)) return CHECKS[name];
  return /\.ya?ml$/.test(name) ? checkBenchmark : name.endsWith('.json') ? checkEntry : undefined;
}

/** Checks a YAML file as `lethe run` reads it, whatever its name: a suite, or a configuration, whose names are looked up by `run` alone. */
async function checkBenchmark(file: string, flags: ValidateFlags): Promise<string> {
  const { readConfigurationFile } = await import('./run/configuration-file.js');
  const { suite } = readConfigurationFile(file);
  return suite === file ? checkSuite(file, flags) : `configuration of lethe run, for suite ${here(suite)}; checked: its fields and their values`;
}

async function checkEntry(file: string, { plugins }: ValidateFlags): Promise<string> {
  const refuse = (message: string, cause?: unknown) => new LetheError('LETHE_USAGE', message, { where: file, remedy: WANTED, cause });
  let schema: unknown;
  try {
    ({ schema } = Object(JSON.parse(readFileSync(file, 'utf8'))) as { schema?: unknown });
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw refuse(`The file is not JSON: ${cause.message}.`, cause);
  }
  if (schema !== 'lethe.entry/1') throw refuse('The file is not an entry of the leaderboard, and its name is of nothing else that can be checked.');
  const { readEntry } = await import('@lethe/leaderboard');
  const { runs } = (await readEntry(file, describer(installedPlugins(plugins)))).results;
  return `entry of ${runs.length} runs, every score and metric recomputed`;
}

/** Options are a method's: LETHE_USAGE for another file than the manifest of one. */
const notOfMethod = (file: string) => new LetheError('LETHE_USAGE', '--set says with which options a method is checked, and this is no plugin of a method.', {
  where: file, remedy: 'leave --set out, or give the folder of a method',
});

/** Checks the manifest of a plugin, and what it brings. */
async function checkPlugin(file: string, { set }: ValidateFlags): Promise<string> {
  const manifest = readManifest(file);
  const { kind, name, version, options: { properties } } = manifest;
  const lines = [
    `${kind} ${name} ${version}`,
    `checked: manifest: shape, range of Lethe's versions, dependencies, options (${Object.keys(properties).length}) with descriptions, defaults and bounds`,
  ];
  const plugin = { manifest, ...pluginIn(dirname(file)) };
  if (set && kind !== 'method') throw notOfMethod(file);
  if (kind === 'suite') return [...lines, `checked: it has the name and version of ${here(suiteOfPlugin(plugin))}`].join('\n  ');
  const given = set ?? {};
  const options = kind === 'method' ? optionsOf(plugin, given) : {};
  const stale = newerSource(plugin);
  const newer = stale && `${here(stale.source)} as it is now, which is newer than what was built of it and imported: ${stale.command}, and validate again`;
  try {
    return [...lines, ...await checkCode(plugin, given, options), ...(newer === undefined ? [] : [`not checked: ${newer}`])].join('\n  ');
  } catch (error) {
    if (newer === undefined || !(error instanceof LetheError)) throw error;
    throw error.with({ remedy: [newer, ...(error.remedy === undefined ? [] : [error.remedy])].join('\n      ') });
  }
}

async function checkCode(plugin: Plugin, given: MethodRequest['options'], options: MethodRequest['options']): Promise<string[]> {
  if (plugin.manifest.kind === 'model') {
    const { checkModelFiles } = await import('./validate-model.js');
    return checkModelFiles(dirname(plugin.file), plugin.codePath);
  }
  const { checkMethodCode, checkScorerCode } = await import('./validate-code.js');
  return plugin.manifest.kind === 'method' ? checkMethodCode(plugin, given, options) : checkScorerCode(plugin);
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
 * `lethe validate FILE|DIR`: checks a plugin.json with what the plugin brings, a results.json, a suite.yaml with its rows, the config.json of a
 * checkpoint or the adapter_config.json of an adapter with the rest of it, or those in a folder; another JSON file as an entry of the leaderboard.
 *
 * @throws LetheError LETHE_USAGE where there is nothing to check, and the errors of what is checked
 */
export async function validateCommand(path: string, flags: ValidateFlags, output: Output): Promise<void> {
  const target = resolve(path);
  if (!existsSync(target)) throw new LetheError('LETHE_USAGE', 'There is no such file or folder.', { where: target, remedy: `check the path; ${WANTED}` });
  const inside = isFolder(target) ? Object.keys(CHECKS).map((name) => join(target, name)).filter((file) => existsSync(file)) : [target];
  // a checkpoint beside the manifest of a model is checked with it, and anything else may have a config.json of its own
  const files = (inside.length > 1 ? inside.filter((file) => basename(file) !== 'config.json') : inside).filter((file) => checkOf(file) !== undefined);
  if (files.length === 0) throw new LetheError('LETHE_USAGE', 'There is nothing here that can be checked.', { where: target, remedy: WANTED });
  const other = flags.set && files.find((file) => basename(file) !== 'plugin.json');
  if (other !== undefined) throw notOfMethod(other);
  for (const file of files) output.data(`${file}: ${await checkOf(file)!(file, flags, output.note)}`);
}
