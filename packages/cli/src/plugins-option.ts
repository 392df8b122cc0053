import type { Plugin } from '@lethe/core';
import { type ScorerPlace, addScorers } from '@lethe/scorers';
import { type Command, Option } from 'commander';
import { installedPlugins, leaveOut, ofKind, pluginFolder } from './installed.js';
import { typed } from './paths.js';
import { scorersOfRun } from './run/recorded.js';

/** `--plugins FOLDER`, which may be repeated. */
export function pluginsOption(): Option {
  return new Option('--plugins <folder>', 'a plugin, or a folder of plugins, beside those that are installed; may be repeated')
    .argParser((folder: string, before: readonly string[] | undefined) => [...(before ?? []), folder]);
}

/** Where the scorer of a plugin lies. */
export const scorerPlace = ({ manifest: { name: id }, codePath }: Plugin): ScorerPlace => ({ id, codePath });

/** Adds the scorers among plugins to those that are known, and says where they lie. One whose code is broken is left out, and noted. */
export async function addInstalled(plugins: readonly Plugin[]): Promise<ScorerPlace[]> {
  const added: ScorerPlace[] = [];
  for (const plugin of ofKind('scorer', plugins)) {
    const place = scorerPlace(plugin);
    try {
      await addScorers([place]);
      added.push(place);
    } catch (error) {
      leaveOut(plugin, error);
    }
  }
  return added;
}

/** `--plugins FOLDER` for each plugin of this code that is not found without: words of a command line. */
export function pluginWords(code: readonly { readonly codePath: string }[]): string[] {
  if (code.length === 0) return [];
  const found = new Set(installedPlugins().plugins.map(({ codePath }) => codePath));
  const folders = new Set(code.filter(({ codePath }) => !found.has(codePath)).map(({ codePath }) => pluginFolder(codePath)));
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
