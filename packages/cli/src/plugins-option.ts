import { type FoundPlugins, type Plugin, brokenName } from '@lethe/core';
import { type ScorerPlace, addScorers, refuseScorer } from '@lethe/scorers';
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

/**
 * Adds the scorers among plugins to those that are known, and says where they lie. One that is broken is left out, and noted; what asks for it is
 * told what is wrong with it.
 */
export async function addInstalled({ plugins, broken }: FoundPlugins): Promise<ScorerPlace[]> {
  for (const plugin of broken.filter(({ kind }) => kind === 'scorer')) refuseScorer(brokenName(plugin), plugin.error);
  const added: ScorerPlace[] = [];
  for (const plugin of ofKind('scorer', plugins)) {
    const place = scorerPlace(plugin);
    try {
      await addScorers([place]);
      added.push(place);
    } catch (error) {
      refuseScorer(place.id, leaveOut(plugin, error));
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
    await addInstalled(installedPlugins(plugins));
    await addScorers(action.args.flatMap(scorersOfRun));
  });
}
