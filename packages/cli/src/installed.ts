import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import {
  type BrokenPlugin, type FoundPlugins, LetheError, type Plugin, type PluginKind, brokenName, discoverPlugins, nodeModulesFrom, pluginIn,
  pluginPackages, pluginsIn, readManifest,
} from '@lethe/core';
import { PATHS } from './paths.js';

let note: (text: string) => void = () => undefined;
const noted = new Set<string>();

/** Lets the commands from here on say, once each, what is left out because it is broken. */
export function noteLeftOut(to: (text: string) => void): void {
  note = to;
  noted.clear();
}

/** Says that a plugin is left out, and why; once, however often a command comes across it. */
function noteBroken(plugin: BrokenPlugin): void {
  if (noted.has(plugin.file)) return;
  noted.add(plugin.file);
  const { code, message, where } = plugin.error;
  note(`${plugin.kind ?? 'plugin'} "${brokenName(plugin)}" is broken and left out: ${code}: ${message}${where === undefined ? '' : ` (${where})`}`);
}

/** Leaves out a plugin whose manifest is sound for what is wrong with the rest of it, which it gives back; throws what is no fault of it. */
export function leaveOut({ manifest: { kind, name }, ...place }: Plugin, error: unknown): LetheError {
  if (!(error instanceof LetheError)) throw error;
  noteBroken({ ...place, kind, name, error });
  return error;
}

/** The folder of the plugin whose code this is: the nearest with a plugin.json. */
export function pluginFolder(codePath: string, folder = dirname(codePath)): string {
  if (existsSync(join(folder, 'plugin.json'))) return folder;
  return dirname(folder) === folder ? dirname(codePath) : pluginFolder(codePath, dirname(folder));
}

/** The plugin in a folder. Throws LETHE_PLUGIN_UNKNOWN where there is none or one of another kind, and what is wrong with its manifest. */
export function pluginAt(kind: PluginKind, folder: string): Plugin {
  const place = pluginIn(folder);
  if (!existsSync(place.file)) {
    throw new LetheError('LETHE_PLUGIN_UNKNOWN', 'There is no plugin.json in this folder.', { where: folder, remedy: 'Give the folder of a plugin, or its name.' });
  }
  const manifest = readManifest(place.file);
  if (manifest.kind === kind) return { ...place, manifest };
  throw new LetheError('LETHE_PLUGIN_UNKNOWN', `The plugin is a ${manifest.kind}, not a ${kind}.`, { where: place.file, remedy: `Give the folder of a ${kind}.` });
}

/**
 * The plugins of this installation, of the npm packages around the working directory and around this installation, and of folders. Those that
 * are broken are noted.
 *
 * @param folders plugins, or folders of plugins
 * @throws LetheError LETHE_PLUGIN_UNKNOWN for a folder without plugins
 */
export function installedPlugins(folders: readonly string[] = []): FoundPlugins {
  const named = folders.map((folder) => resolve(folder)).flatMap((folder) => {
    const places = pluginsIn(folder);
    if (places.length > 0) return places;
    throw new LetheError('LETHE_PLUGIN_UNKNOWN', 'There is no plugin in this folder: neither it nor a folder in it has a plugin.json.', {
      where: folder, remedy: 'Give the folder of a plugin, or one that holds such folders; of several each behind a --plugins of its own.',
    });
  });
  const packages = pluginPackages([...nodeModulesFrom(process.cwd()), ...nodeModulesFrom(PATHS.root)]);
  const found = discoverPlugins([...pluginsIn(PATHS.plugins), ...pluginsIn(PATHS.models), ...packages, ...named]);
  found.broken.forEach(noteBroken);
  return found;
}

/** The version of each method by its name. */
export const versionsOf = ({ plugins }: FoundPlugins): ReadonlyMap<string, string> =>
  new Map(ofKind('method', plugins).map(({ manifest: { name, version } }) => [name, version]));

/** The plugins of a kind. */
export const ofKind = (kind: PluginKind, plugins: readonly Plugin[]): Plugin[] => plugins.filter(({ manifest }) => manifest.kind === kind);
