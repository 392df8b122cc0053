import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LetheError, type Plugin, discoverPlugins, nodeModulesFrom, pluginPackages, pluginsIn, quoted } from '@lethe/core';

const at = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));

/** Where the parts of this installation lie. Absolute. */
export const PATHS = {
  root: at('.'),
  plugins: at('plugins'),
  templates: at('packages/testkit'),
  coreSchemas: at('packages/core/schemas'),
  suites: at('suites'),
  builtSuites: at('dist/suites'),
  models: at('packages/model'),
  entries: at('leaderboard/entries'),
  site: at('leaderboard/site'),
} as const;

/** A path as one would type it here. */
export function here(path: string): string {
  const short = relative('.', path) || '.';
  return short.startsWith('..') ? resolve(path) : short;
}

/** {@link here} as a word of a command line, for commands that are to be typed. */
export const typed = (path: string): string => quoted(here(path));

/**
 * The plugins of this installation, of the npm packages around the working directory and around this installation, and of folders.
 *
 * @param folders plugins, or folders of plugins
 * @throws LetheError LETHE_PLUGIN_UNKNOWN for a folder without plugins, and the errors of `pluginPackages` and `discoverPlugins`
 */
export function installedPlugins(folders: readonly string[] = []): Plugin[] {
  const named = folders.map((folder) => resolve(folder)).flatMap((folder) => {
    const places = pluginsIn(folder);
    if (places.length > 0) return places;
    throw new LetheError('LETHE_PLUGIN_UNKNOWN', 'There is no plugin in this folder: neither it nor a folder in it has a plugin.json.', {
      where: folder, remedy: 'Give the folder of a plugin, or one that holds such folders.',
    });
  });
  const packages = pluginPackages([...nodeModulesFrom(process.cwd()), ...nodeModulesFrom(PATHS.root)]);
  return discoverPlugins([...pluginsIn(PATHS.plugins), ...pluginsIn(PATHS.models), ...packages, ...named]);
}

/** The methods among {@link installedPlugins}. */
export const installedMethods = (folders?: readonly string[]): Plugin[] => installedPlugins(folders).filter(({ manifest }) => manifest.kind === 'method');

/** The version of each of these by its name. */
export const versionsOf = (plugins: readonly Plugin[]): ReadonlyMap<string, string> => new Map(plugins.map(({ manifest: { name, version } }) => [name, version]));
