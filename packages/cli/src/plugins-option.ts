import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from '@lethe/core';
import { type ScorerPlace, addScorers } from '@lethe/scorers';
import { type Command, Option } from 'commander';
import { installedPlugins, leaveOut, ofKind } from './paths.js';
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

/** The scorers of plugins that a run was made with; none for what is no run folder, which the command itself will say. */
function scorersOfRun(folder: string): readonly ScorerPlace[] {
  const file = join(folder, 'run.json');
  if (!existsSync(file)) return [];
  try {
    const { configuration } = JSON.parse(readFileSync(file, 'utf8')) as { configuration?: Partial<Configuration> };
    return configuration?.suite?.reference.scorers ?? [];
  } catch {
    return [];
  }
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
