import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type FoundPlugins, LetheError, type Plugin, departureWords, isFolder, isPath, quoted, refuseBroken } from '@lethe/core';
import { DEFAULT_SIZE, type SuiteReference, readSuiteFile } from '@lethe/data';
import { installedPlugins, ofKind } from './installed.js';
import { PATHS, here, typed } from './paths.js';
import { addInstalled, pluginWords } from './plugins-option.js';

/**
 * Path of the suite.yaml of a plugin that is a suite, which is what the manifest says.
 *
 * @throws LetheError LETHE_SUITE_INVALID where the two have another name or version, and the errors of `readSuiteFile`
 */
export function suiteOfPlugin({ manifest: { name, version }, file: manifestFile }: Plugin): string {
  const file = join(dirname(manifestFile), 'suite.yaml');
  const definition = readSuiteFile(file);
  if (definition.id === name && definition.version === version) return file;
  throw new LetheError('LETHE_SUITE_INVALID', `The plugin is ${name} ${version}, and its suite calls itself ${definition.id} ${definition.version}.`, {
    where: file, remedy: 'Give both the same name and version.',
  });
}

/** The suite of this id and version among those that are installed or plugins; undefined where there is none. Throws what is wrong with one that is broken. */
export function installedReference(id: string, version: string, installed: FoundPlugins): SuiteReference | undefined {
  refuseBroken(installed, 'suite', id);
  const plugin = ofKind('suite', installed.plugins).find(({ manifest }) => manifest.name === id);
  const file = plugin ? suiteOfPlugin(plugin) : join(PATHS.suites, basename(id), 'suite.yaml');
  if (!existsSync(file) || readSuiteFile(file).version !== version) return undefined;
  return { reference: file, suitesDir: PATHS.suites, builtDir: PATHS.builtSuites };
}

/** What a user may say of the suite that is meant. */
export interface SuiteFlags {
  readonly dataDir?: string | undefined;
  /** Plugins, or folders of plugins, beside those that are installed. */
  readonly plugins?: readonly string[] | undefined;
}

/** The suite of a reference as one would type it here for any command: its path where it was found by one, where its rows are, and plugins that bring scorers. */
export function suiteWords({ reference, dataDir, scorers = [] }: SuiteReference): string {
  const path = isPath(reference) ? here(reference) : reference;
  // a bare word would be taken for the name of an installed suite
  const word = path === reference || isPath(path) ? path : `./${path}`;
  return [quoted(word), ...(dataDir === undefined ? [] : [`--data-dir ${typed(dataDir)}`]), ...pluginWords(scorers)].join(' ');
}

/** {@link suiteWords} for commands that run it: with the size, prompts and training budget that are not its own. */
export function runWords(reference: SuiteReference): string {
  const { size = DEFAULT_SIZE, prompts, training: changed } = reference;
  return [
    suiteWords(reference), ...(size === DEFAULT_SIZE ? [] : [`--size ${quoted(size)}`]),
    ...departureWords({ prompts, changed }),
  ].join(' ');
}

/** The folder that `--data-dir` names. Throws LETHE_USAGE where there is none: rows of another folder would be read in its place. */
export function dataFolderAt(path: string): string {
  const folder = resolve(path);
  if (isFolder(folder)) return folder;
  throw new LetheError('LETHE_USAGE', '--data-dir (dataDir in a file): there is no such folder.', { where: folder, remedy: 'Give the folder that holds the rows; suites/README.md says how it looks.' });
}

/**
 * How the suite is found that a user names: by a path, or by the name of an installed one or of a plugin. Its rows may be scored by the scorers
 * of plugins.
 *
 * @throws LetheError those of {@link dataFolderAt}, the errors of `installedPlugins` and {@link suiteOfPlugin}, and what is wrong with the plugin
 * of that name where it is broken
 */
export async function referenceTo(suite: string, { dataDir, plugins }: SuiteFlags): Promise<SuiteReference> {
  const installed = installedPlugins(plugins);
  const scorers = await addInstalled(installed);
  const plugin = isPath(suite) ? undefined : ofKind('suite', installed.plugins).find(({ manifest }) => manifest.name === suite);
  if (!plugin && !isPath(suite)) refuseBroken(installed, 'suite', suite);
  return {
    reference: isPath(suite) ? resolve(suite) : plugin ? suiteOfPlugin(plugin) : suite,
    suitesDir: PATHS.suites, builtDir: PATHS.builtSuites,
    ...(scorers.length === 0 ? {} : { scorers }),
    ...(dataDir === undefined ? {} : { dataDir: dataFolderAt(dataDir) }),
  };
}
