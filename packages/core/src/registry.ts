import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { ErrorObject } from 'ajv';
import { grouped } from './canonical.js';
import { LetheError, didYouMean } from './errors.js';
import { listFault, valueWords } from './fault.js';
import { fileError } from './file-error.js';
import { type Manifest, type PluginKind, optionsCheck, readManifest, saidOf } from './manifest.js';
import { PLUGIN_KEYWORD, type PluginPlace } from './places.js';

/** A plugin whose manifest is sound. Its code has not been imported. */
export interface Plugin extends PluginPlace {
  readonly manifest: Manifest;
}

/** A plugin that cannot be used: its manifest is unsound, or another one of its kind has its name. */
export interface BrokenPlugin extends PluginPlace {
  /** What its manifest says, as far as it can be read. */
  readonly kind?: PluginKind;
  readonly name?: string;
  readonly error: LetheError;
}

/** The plugins of some places. One that is broken keeps none of the others from being used. */
export interface FoundPlugins {
  /** Sorted by kind and name. */
  readonly plugins: readonly Plugin[];
  readonly broken: readonly BrokenPlugin[];
}

/** {@link readManifest} of what may not be there. */
function manifestAt(file: string): Manifest {
  if (existsSync(file)) return readManifest(file);
  throw new LetheError('LETHE_PLUGIN_MANIFEST', `a package has the keyword "${PLUGIN_KEYWORD}", but no plugin.json`, {
    where: dirname(file), remedy: 'add a plugin.json to its root, or take the keyword away',
  });
}

/** What is wrong with a plugin, as what it is the fault of; throws what is no fault of it. */
function brokenBy(error: unknown, place: PluginPlace): BrokenPlugin {
  // what cannot be read does not always name its file
  const fault = error instanceof LetheError ? error : fileError(error instanceof Error ? Object.assign(error, { path: place.file }) : error);
  if (fault) return { ...place, ...saidOf(place.file), error: fault };
  throw error;
}

/**
 * The plugins of these places. A place that is named twice counts once; of two of one kind with one name neither can be used (LETHE_PLUGIN_DUPLICATE).
 */
export function discoverPlugins(places: readonly PluginPlace[]): FoundPlugins {
  const [sound, broken]: [Plugin[], BrokenPlugin[]] = [[], []];
  const distinct = new Map(places.map((place) => [existsSync(place.file) ? realpathSync(place.file) : place.file, place]));
  for (const place of distinct.values()) {
    try {
      sound.push({ ...place, manifest: manifestAt(place.file) });
    } catch (error) {
      broken.push(brokenBy(error, place));
    }
  }
  const key = ({ manifest: { kind, name } }: Plugin) => `${kind} ${name}`;
  const named = grouped(sound, key);
  const shared = named.filter(({ length }) => length > 1).map((plugins): BrokenPlugin => {
    const { manifest: { kind, name }, ...place } = plugins[0]!;
    return { ...place, kind, name, error: new LetheError('LETHE_PLUGIN_DUPLICATE', `two plugins are called ${kind} ${name}`, {
      where: plugins.map(({ file }) => file).join(' and '), remedy: 'rename one of them, or take it away',
    }) };
  });
  const plugins = named.filter(({ length }) => length === 1).flat();
  return { plugins: plugins.sort((a, b) => (key(a) < key(b) ? -1 : 1)), broken: [...broken, ...shared] };
}

/** What to call a broken plugin: its name, or that of its folder. */
export const brokenName = ({ name, file }: BrokenPlugin): string => name ?? basename(dirname(file));

/** Throws what is wrong with the plugin of this kind and name, where there is one that is broken. */
export function refuseBroken({ broken }: FoundPlugins, kind: PluginKind, name: string): void {
  const found = broken.find((plugin) => (plugin.kind ?? kind) === kind && brokenName(plugin) === name);
  if (found) throw found.error;
}

/**
 * The plugin of this kind and name.
 *
 * @param others names that could be given as well
 * @throws LetheError what is wrong with it where it is broken; LETHE_PLUGIN_UNKNOWN, naming those that exist, and those that it might be
 */
export function findPlugin(found: FoundPlugins, kind: PluginKind, name: string, others: readonly string[] = []): Plugin {
  const ofKind = found.plugins.filter((plugin) => plugin.manifest.kind === kind);
  const plugin = ofKind.find((p) => p.manifest.name === name);
  if (plugin) return plugin;
  refuseBroken(found, kind, name);
  const names = [...others, ...ofKind.map((p) => p.manifest.name)];
  const broken = found.broken.filter((other) => (other.kind ?? kind) === kind);
  const unread = broken.filter((other) => other.name === undefined);
  const perhaps = unread.length === 0 ? ''
    : ` It may be one whose name cannot be read: ${unread.map(({ error, file }) => `${error.where ?? file} (${error.message})`).join(', ')}.`;
  throw new LetheError('LETHE_PLUGIN_UNKNOWN', `there is no ${kind} called "${name}".${didYouMean(name, [...names, ...broken.map(brokenName)])}${perhaps}`, {
    remedy: names.length ? `choose one of: ${names.join(', ')}` : `add a ${kind} plugin`,
  });
}

/** The option that an error is about. */
const optionOf = ({ keyword, params, instancePath }: ErrorObject): string =>
  (keyword === 'additionalProperties' ? String((params as Record<string, unknown>)['additionalProperty']) : instancePath.split('/')[1] ?? '');

function explain({ manifest }: Plugin, given: Readonly<Record<string, unknown>>, error: ErrorObject): string {
  const properties = manifest.options.properties;
  const params = error.params as Record<string, unknown>;
  const name = optionOf(error);
  if (error.keyword === 'additionalProperties') return `no option "${name}".${didYouMean(name, Object.keys(properties))}`;
  if (error.keyword === 'enum') return `option "${name}" ${listFault(params['allowedValues'] as unknown[], given[name])}`;
  const wanted = valueWords(properties[name]);
  return `option "${name}" ${wanted === undefined ? (error.message ?? 'is invalid') : `must be ${wanted}`}, given ${JSON.stringify(given[name])}`;
}

/** What to give in the place of options that cannot be used. */
function remedyFor({ manifest: { options: { properties } } }: Plugin, errors: readonly ErrorObject[]): string {
  const known = `known options: ${Object.keys(properties).join(', ') || 'none'}`;
  const remedies = errors.map((error) => {
    const wanted = valueWords(properties[optionOf(error)]);
    return wanted === undefined ? known : `give ${optionOf(error)} ${wanted}`;
  });
  return [...new Set(remedies)].join('; ');
}

/**
 * The options of a run: `given`, checked against the manifest, with defaults filled in. Leaves `given` as it is.
 *
 * @param locate where an option was given, as `file:line`; undefined where that is no file
 * @throws LetheError LETHE_PLUGIN_OPTIONS, naming every wrong option with its bounds and the value given, at the first of them that has a place or at the manifest
 */
export function resolveOptions(
  plugin: Plugin, given: Readonly<Record<string, unknown>>, locate: (option: string) => string | undefined = () => undefined,
): Record<string, unknown> {
  const options = structuredClone(given) as Record<string, unknown>;
  const check = optionsCheck(plugin.manifest);
  if (check(options)) return options;
  const name = plugin.manifest.name;
  throw new LetheError('LETHE_PLUGIN_OPTIONS',
    `${name}: ${check.errors!.map((error) => explain(plugin, given, error)).join('; ')}`, {
      where: check.errors!.map((error) => locate(optionOf(error))).find((place) => place !== undefined) ?? plugin.file,
      remedy: remedyFor(plugin, check.errors!),
    });
}
