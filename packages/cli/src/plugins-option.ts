import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { LetheError, type Plugin } from '@lethe/core';
import { type ScorerPlace, addScorers } from '@lethe/scorers';
import { type Command, Option } from 'commander';
import { installedPlugins, leaveOut, ofKind, typed } from './paths.js';
import type { Configuration } from './run/configuration.js';

/** `--plugins FOLDER`, which may be repeated. */
export function pluginsOption(): Option {
  return new Option('--plugins <folder>', 'a plugin, or a folder of plugins, beside those that are installed; may be repeated')
    .argParser((folder: string, before: readonly string[] | undefined) => [...(before ?? []), folder]);
}

/** Adds the scorers among plugins to those that are known, and says where they lie. One whose code is broken is left out, and noted. */
export async function addInstalled(plugins: readonly Plugin[]): Promise<ScorerPlace[]> {
  const added: ScorerPlace[] = [];
  for (const plugin of ofKind('scorer', plugins)) {
    const place = { id: plugin.manifest.name, codePath: plugin.codePath };
    try {
      await addScorers([place]);
      added.push(place);
    } catch (error) {
      leaveOut(plugin, error);
    }
  }
  return added;
}

/** What a run was made with; nothing for a path that is no run's, which the command itself will say. */
export function recordOf(path: string): Partial<Configuration> {
  const file = join(basename(path) === 'results.json' ? dirname(path) : path, 'run.json');
  if (!existsSync(file)) return {};
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { configuration?: Partial<Configuration> }).configuration ?? {};
  } catch {
    return {};
  }
}

/** The scorers of plugins that a run was made with, where they are still there. */
export const scorersOfRun = (path: string): readonly ScorerPlace[] =>
  (recordOf(path).suite?.reference?.scorers ?? []).filter(({ codePath }) => existsSync(codePath));

/**
 * Checks that plugins which a run was made with are still where they were.
 *
 * @param folder the run folder
 * @throws LetheError LETHE_RUN_CHANGED for the first that is not
 */
export function checkThere(methods: Configuration['methods'], scorers: readonly ScorerPlace[], folder: string): void {
  const files = [...methods.map(({ id, manifest }) => ({ what: `method "${id}"`, file: manifest })), ...scorers.map(({ id, codePath }) => ({ what: `scorer "${id}"`, file: codePath }))];
  const gone = files.find(({ file }) => !existsSync(file));
  if (!gone) return;
  throw new LetheError('LETHE_RUN_CHANGED', `The plugin of ${gone.what} is no longer where it was when the run began.`, {
    where: gone.file, remedy: `Put it back there, then: lethe resume ${typed(folder)}; or begin a new run with --plugins DIR, where it is now, and another --out.`,
  });
}

/** The folder of the plugin whose code this is: the nearest with a plugin.json. */
function folderOf(codePath: string, folder = dirname(codePath)): string {
  if (existsSync(join(folder, 'plugin.json'))) return folder;
  return dirname(folder) === folder ? dirname(codePath) : folderOf(codePath, dirname(folder));
}

/**
 * The plugins that runs were made with and that are not found without being named: folders of methods and scorers, where they are still there.
 *
 * @param found what is found
 */
export function pluginsOfRuns(paths: readonly string[], found: readonly Plugin[]): string[] {
  const named = paths.flatMap((path) => [
    ...(recordOf(path).methods ?? []).map(({ id, manifest = '' }) => ({ key: `method ${id}`, folder: dirname(manifest) })),
    ...scorersOfRun(path).map(({ id, codePath }) => ({ key: `scorer ${id}`, folder: folderOf(codePath) })),
  ]).filter(({ folder }) => existsSync(join(folder, 'plugin.json')));
  const folders = new Map(named.toReversed().map(({ key, folder }) => [key, folder]));
  for (const { manifest: { kind, name } } of found) folders.delete(`${kind} ${name}`);
  return [...new Set(folders.values())];
}

/** `--plugins FOLDER` for each plugin of this code that is not found without: words of a command line. */
export function pluginWords(code: readonly { readonly codePath: string }[]): string[] {
  const found = new Set(installedPlugins().plugins.map(({ codePath }) => codePath));
  const folders = new Set(code.filter(({ codePath }) => !found.has(codePath)).map(({ codePath }) => folderOf(codePath)));
  return [...folders].map((folder) => `--plugins ${typed(folder)}`);
}

/**
 * Adds `--plugins` to a command that reads results: it can recompute scores by the scorers of plugins, be they installed, named, or those that
 * a run which it is given was made with.
 */
export function withScorers(command: Command): Command {
  return command.addOption(pluginsOption()).hook('preAction', async (_, action) => {
    const { plugins } = action.opts<{ plugins?: readonly string[] }>();
    await addInstalled(installedPlugins(plugins).plugins);
    await addScorers(action.args.flatMap(scorersOfRun));
  });
}
