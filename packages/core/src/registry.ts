import { type Dirent, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { LetheError, didYouMean } from './errors.js';
import { type Manifest, type PluginKind, readManifest } from './manifest.js';

/** A folder of plugins: one sub-folder each, manifests in `manifests`, compiled code in the same sub-folder of `code`. */
export interface PluginRoot {
  readonly manifests: string;
  readonly code: string;
}

/** A plugin whose manifest is sound. Its code has not been imported. */
export interface Plugin {
  readonly manifest: Manifest;
  /** Path of its plugin.json. */
  readonly file: string;
  /** Path of the compiled module whose default export is the plugin. */
  readonly codePath: string;
}

/**
 * All plugins of the roots, sorted by kind and name. Discovered by their plugin.json; there is no list to keep.
 *
 * @throws LetheError the errors of {@link readManifest}, and LETHE_PLUGIN_DUPLICATE where two of one kind share a name
 */
export function discoverPlugins(roots: readonly PluginRoot[]): Plugin[] {
  const found = new Map<string, Plugin>();
  for (const root of roots) {
    const folders: Dirent[] = existsSync(root.manifests) ? readdirSync(root.manifests, { withFileTypes: true }) : [];
    for (const { name: folder } of folders) {
      const file = join(root.manifests, folder, 'plugin.json');
      if (!existsSync(file)) continue;
      const plugin: Plugin = { manifest: readManifest(file), file, codePath: join(root.code, folder, 'index.js') };
      const key = `${plugin.manifest.kind} ${plugin.manifest.name}`;
      const other = found.get(key);
      if (other) {
        throw new LetheError('LETHE_PLUGIN_DUPLICATE', `two plugins are called ${key}`, {
          where: `${other.file} and ${file}`,
          remedy: 'rename one of them',
        });
      }
      found.set(key, plugin);
    }
  }
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, plugin]) => plugin);
}

/**
 * The plugin of this kind and name.
 *
 * @throws LetheError LETHE_PLUGIN_UNKNOWN, naming those that exist
 */
export function findPlugin(plugins: readonly Plugin[], kind: PluginKind, name: string): Plugin {
  const ofKind = plugins.filter((plugin) => plugin.manifest.kind === kind);
  const plugin = ofKind.find((p) => p.manifest.name === name);
  if (plugin) return plugin;
  const names = ofKind.map((p) => p.manifest.name);
  throw new LetheError('LETHE_PLUGIN_UNKNOWN', `there is no ${kind} called "${name}".${didYouMean(name, names)}`, {
    remedy: names.length ? `choose one of: ${names.join(', ')}` : `add a ${kind} plugin`,
  });
}

function explain({ manifest }: Plugin, given: Readonly<Record<string, unknown>>, error: ErrorObject): string {
  const properties = manifest.options.properties;
  const params = error.params as Record<string, unknown>;
  if (error.keyword === 'additionalProperties') {
    const name = String(params['additionalProperty']);
    return `no option "${name}".${didYouMean(name, Object.keys(properties))}`;
  }
  const name = error.instancePath.split('/')[1] ?? '';
  const { minimum, maximum, type } = properties[name] ?? {};
  const bounds = minimum === undefined ? '' : ` from ${String(minimum)} to ${String(maximum)}`;
  const allowed = Array.isArray(params['allowedValues']) ? ` (${params['allowedValues'].join(', ')})` : '';
  const wanted = type === undefined ? (error.message ?? 'is invalid') : `must be ${String(type)}${bounds}`;
  return `option "${name}" ${wanted}${allowed}, given ${JSON.stringify(given[name])}`;
}

/**
 * The options of a run: `given`, checked against the manifest, with defaults filled in. Leaves `given` as it is.
 *
 * @throws LetheError LETHE_PLUGIN_OPTIONS, naming every wrong option with its bounds and the value given
 */
export function resolveOptions(plugin: Plugin, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const options = structuredClone(given) as Record<string, unknown>;
  const check = new Ajv({ allErrors: true, useDefaults: true, allowUnionTypes: true }).compile(plugin.manifest.options);
  if (check(options)) return options;
  const name = plugin.manifest.name;
  throw new LetheError('LETHE_PLUGIN_OPTIONS',
    `${name}: ${check.errors!.map((error) => explain(plugin, given, error)).join('; ')}`, {
      where: plugin.file,
      remedy: `known options: ${Object.keys(plugin.manifest.options.properties).join(', ') || 'none'}`,
    });
}
