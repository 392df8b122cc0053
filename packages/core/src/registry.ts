import { realpathSync } from 'node:fs';
import { Ajv, type ErrorObject } from 'ajv';
import { listFault } from './document.js';
import { LetheError, didYouMean } from './errors.js';
import { type Manifest, type PluginKind, readManifest } from './manifest.js';
import type { PluginPlace } from './places.js';

/** A plugin whose manifest is sound. Its code has not been imported. */
export interface Plugin extends PluginPlace {
  readonly manifest: Manifest;
}

/**
 * The plugins of these places, sorted by kind and name. A place that is named twice counts once.
 *
 * @throws LetheError the errors of {@link readManifest}, and LETHE_PLUGIN_DUPLICATE where two of one kind share a name
 */
export function discoverPlugins(places: readonly PluginPlace[]): Plugin[] {
  const found = new Map<string, Plugin>();
  const distinct = new Map(places.map((place) => [realpathSync(place.file), place]));
  for (const place of distinct.values()) {
    const manifest = readManifest(place.file);
    const key = `${manifest.kind} ${manifest.name}`;
    const other = found.get(key);
    if (other) {
      throw new LetheError('LETHE_PLUGIN_DUPLICATE', `two plugins are called ${key}`, {
        where: `${other.file} and ${place.file}`,
        remedy: 'rename one of them, or take it away',
      });
    }
    found.set(key, { ...place, manifest });
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

/** A type of JSON Schema in words. */
function named(type: unknown): string {
  const words = [type].flat().map(String);
  return words.map((word) => `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`).join(' or ');
}

function explain({ manifest }: Plugin, given: Readonly<Record<string, unknown>>, error: ErrorObject): string {
  const properties = manifest.options.properties;
  const params = error.params as Record<string, unknown>;
  if (error.keyword === 'additionalProperties') {
    const name = String(params['additionalProperty']);
    return `no option "${name}".${didYouMean(name, Object.keys(properties))}`;
  }
  const name = error.instancePath.split('/')[1] ?? '';
  if (error.keyword === 'enum') return `option "${name}" ${listFault(params['allowedValues'] as unknown[], given[name])}`;
  const { minimum, maximum, type } = properties[name] ?? {};
  const bounds = minimum === undefined ? '' : ` from ${String(minimum)} to ${String(maximum)}`;
  const wanted = type === undefined ? (error.message ?? 'is invalid') : `must be ${named(type)}${bounds}`;
  return `option "${name}" ${wanted}, given ${JSON.stringify(given[name])}`;
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
