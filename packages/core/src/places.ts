import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where a plugin lies. Nothing of it has been read. */
export interface PluginPlace {
  /** Path of its plugin.json. */
  readonly file: string;
  /** Path of the compiled module whose default export is the plugin. */
  readonly codePath: string;
}

/** What npm packages that are plugins have among their keywords. */
export const PLUGIN_KEYWORD = 'lethe-plugin';

interface Package {
  readonly main?: string;
  readonly keywords?: readonly string[];
}

/** What a package.json says; nothing where there is none or it cannot be read, of which Node complains where its code is imported. */
function packageOf(folder: string): Package {
  const file = join(folder, 'package.json');
  try {
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Package | null) ?? {} : {};
  } catch {
    return {};
  }
}

const installed = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
/** The plugins of this installation, and what is built of their code. */
const [PLUGINS, BUILT] = [installed('plugins'), installed('dist/plugins')];

/**
 * The plugin of a folder: its module is `main` of its package.json, else `index.js` or `dist/index.js`, the first of them that is there.
 * Those of this installation are built into a folder of their own.
 */
export function pluginIn(folder: string): PluginPlace {
  if (dirname(resolve(folder)) === PLUGINS) return { file: join(folder, 'plugin.json'), codePath: join(BUILT, basename(folder), 'index.js') };
  const { main } = packageOf(folder);
  const names = [...(main === undefined ? [] : [main]), 'index.js', 'dist/index.js'];
  const code = names.find((name) => existsSync(join(folder, name))) ?? names[0]!;
  return { file: join(folder, 'plugin.json'), codePath: join(folder, code) };
}

/** Whether there is a folder at a path; links are followed. */
export const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
const foldersIn = (folder: string) => (isFolder(folder) ? readdirSync(folder).map((name) => join(folder, name)).filter(isFolder) : []);
const isPlugin = (folder: string) => existsSync(join(folder, 'plugin.json'));

/** The plugin that a folder is, or those in its sub-folders. */
export function pluginsIn(folder: string): PluginPlace[] {
  return (isPlugin(folder) ? [folder] : foldersIn(folder).filter(isPlugin)).map(pluginIn);
}

/** The packages of node_modules folders. Of several with one name the first counts, as for Node. */
function packageFolders(nodeModules: readonly string[]): string[] {
  const named = nodeModules.flatMap((root) => foldersIn(root)
    .flatMap((folder) => (basename(folder).startsWith('@') ? foldersIn(folder) : [folder]))
    .map((folder): [string, string] => [relative(root, folder), folder]));
  return [...new Map(named.toReversed()).values()];
}

/** The packages of node_modules folders, nearest first, that have {@link PLUGIN_KEYWORD} among their keywords. */
export function pluginPackages(nodeModules: readonly string[]): PluginPlace[] {
  return packageFolders(nodeModules).filter((folder) => packageOf(folder).keywords?.includes(PLUGIN_KEYWORD) === true).map(pluginIn);
}

/** The node_modules folders in which Node looks for packages from a folder, nearest first. */
export function nodeModulesFrom(folder: string): string[] {
  const own = join(folder, 'node_modules');
  const above = dirname(folder) === folder ? [] : nodeModulesFrom(dirname(folder));
  return existsSync(own) ? [own, ...above] : above;
}
