import { resolve } from 'node:path';
import {
  type FoundPlugins, LetheError, type Plugin, type Sweep, canonicalJson, capabilitiesOf, didYouMean, findPlugin, isPath, loadMethod, methodName, resolveOptions, sha256,
} from '@lethe/core';
import { installedPlugins, ofKind, pluginAt } from '../installed.js';
import { pluginWords } from '../plugins-option.js';
import { checkTuned, chosenFor } from '../tune/choice.js';
import { type Searched, formsOf, trialsOf, unreached } from '../tune/trials.js';
import type { ConfiguredMethod } from './configuration.js';
import type { MethodRequest, RunRequest, Setting } from './request.js';

/** Bounds first, the untrained one before all: the first row of the table is there at once. */
const rank = ({ manifest }: Plugin) => (manifest.capabilities.bound ? (manifest.stream === 'joint' ? 1 : 0) : 2);

/** Throws LETHE_USAGE where `--set` names a method that does not run, or gives an option twice by the same name. */
function checkSettings(settings: readonly Setting[], names: readonly string[]): void {
  const twice = settings.find(({ method, option }, i) => settings.findIndex((other) => other.method === method && other.option === option) !== i);
  if (twice) throw new LetheError('LETHE_USAGE', `--set gives ${twice.method}.${twice.option} twice.`, { remedy: 'Give each option once.' });
  const stray = settings.find(({ method }) => !names.includes(method));
  if (!stray) return;
  throw new LetheError('LETHE_USAGE', `--set ${stray.method}.${stray.option}: "${stray.method}" is not among the methods.${didYouMean(stray.method, names)}`, {
    remedy: `the methods are: ${names.join(', ')}`,
  });
}

/** Throws LETHE_USAGE where a label is given twice or is the name of a method that runs, its own as well: tables could not tell them apart, nor what was tuned. */
function checkLabels(methods: readonly { readonly plugin: Plugin; readonly label?: string | undefined }[]): void {
  methods.forEach(({ label }, i) => {
    const other = label === undefined ? undefined : methods.find(({ plugin, label: own }, k) => (k !== i && own === label) || plugin.manifest.name === label);
    if (!other) return;
    throw new LetheError('LETHE_USAGE', `The label "${label}" is that of two methods, or the name of a method.`, { remedy: 'Give each a label of its own, or none.' });
  });
}

/** Throws LETHE_USAGE where two are the same, or two variants would try the same setting: labels have no part in numbers. */
function checkDistinct(methods: readonly ConfiguredMethod[]): void {
  const keys = methods.map(({ id, options }) => sha256({ id, options }));
  const at = keys.findIndex((key, i) => keys.indexOf(key) !== i);
  if (at < 0) return;
  const [first, second] = [methods[keys.indexOf(keys[at]!)]!, methods[at]!].map(methodName);
  if (first === second) throw new LetheError('LETHE_USAGE', `Method "${first}" is asked for twice with the same options.`, { remedy: 'Name each once, or give it other options.' });
  throw new LetheError('LETHE_USAGE', `"${first}" and "${second}" are one method with the same options: ${canonicalJson(methods[at]!.options)}.`, {
    remedy: 'Give each of them, the one without a label too, the option in which they differ; what is given is not searched.',
  });
}

/** Throws LETHE_PLUGIN_DUPLICATE where two plugins that run share a name: results tell methods apart by it. */
function checkNames(plugins: readonly Plugin[]): void {
  const files = new Map<string, string>();
  for (const { manifest: { name }, file } of plugins) {
    const other = files.get(name) ?? file;
    files.set(name, file);
    if (other === file) continue;
    throw new LetheError('LETHE_PLUGIN_DUPLICATE', `Two plugins that are to run are called "${name}".`, {
      where: `${other} and ${file}`, remedy: 'Rename one of them, or run them apart.',
    });
  }
}

/**
 * The options with which a method that was asked for with `given` runs: those that a sweep chose, or these. A variant, which has a label, that was
 * not tuned itself takes what was chosen for its method, and its own options win.
 *
 * @throws LETHE_USAGE for options at odds with those that were chosen
 */
function settingFor(plugin: Plugin, label: string | undefined, given: MethodRequest['options'], sweep: Sweep | undefined): MethodRequest['options'] {
  const { name } = plugin.manifest;
  if (!sweep) return given;
  const chosen = chosenFor(plugin, label, sweep);
  if (!chosen) return { ...(label === undefined ? {} : chosenFor(plugin, undefined, sweep)), ...given };
  const stray = Object.keys(given).find((option) => canonicalJson(given[option]) !== canonicalJson(chosen[option]));
  if (stray === undefined) return chosen;
  throw new LetheError('LETHE_USAGE', `"${label ?? name}" was tuned, and is given another value of its option "${stray}" than what was chosen.`, {
    remedy: 'Run it without that option or without what was tuned, or give it a label of its own in a config.yaml: then it is a variant.',
  });
}

/** All installed methods, in the order in which they run. Throws what is wrong with one that is broken: a run would lack it without a word. */
function everyMethod({ plugins, broken }: FoundPlugins): Plugin[] {
  const lacking = broken.find(({ kind = 'method' }) => kind === 'method');
  if (!lacking) return ofKind('method', plugins).sort((a, b) => rank(a) - rank(b));
  const { message, remedy } = lacking.error;
  throw lacking.error.with({
    message: `All installed methods are to run, and one is broken: ${message}`,
    remedy: `${remedy === undefined ? '' : `${remedy}; `}or name the methods that are to run with --methods`,
  });
}

/** {@link resolveOptions}; its error says what lists the options as well. */
export function optionsOf(plugin: Plugin, given: MethodRequest['options'], locate?: (option: string) => string | undefined): Record<string, unknown> {
  try {
    return resolveOptions(plugin, given, locate);
  } catch (error) {
    if (!(error instanceof LetheError)) throw error;
    throw error.with({ remedy: `${error.remedy}; ${['lethe show method', plugin.manifest.name, ...pluginWords([plugin])].join(' ')} lists its options` });
  }
}

/** A method as it runs, with all its options. */
function configured(plugin: Plugin, label: string | undefined, options: Readonly<Record<string, unknown>>): ConfiguredMethod {
  const { manifest: { name: id, version, stream } } = plugin;
  return {
    id, ...(label !== undefined && { label }), version, options, capabilities: capabilitiesOf(plugin.manifest, options), stream,
    manifest: plugin.file, codePath: plugin.codePath,
  };
}

/** A method as it is tried with some settings. Throws the errors of {@link optionsOf}. */
export const triedWith = (
  plugin: Plugin, label: string | undefined, given: MethodRequest['options'], settings: readonly MethodRequest['options'][], locate?: (option: string) => string | undefined,
): ConfiguredMethod[] => settings.map((setting) => ({ ...configured(plugin, label, optionsOf(plugin, setting, locate)), given }));

/**
 * The methods asked for, or all that are installed; of a sweep their forms, which come before other trials. Their options are checked and filled in,
 * then their code is imported.
 *
 * @param note told of what so few trials do not reach
 */
export async function methodsOf(
  { methods: requests, labels, plugins, trials }: Pick<RunRequest, 'methods' | 'labels' | 'plugins' | 'trials'>, settings: readonly Setting[], sweep: Sweep | undefined,
  note: (text: string) => void = () => undefined,
): Promise<ConfiguredMethod[]> {
  const installed = installedPlugins(plugins);
  const all = () => everyMethod(installed).map((plugin) => ({ plugin, label: undefined, options: {}, locate: undefined }));
  const chosen = requests?.map(({ name, label, options, locate }) =>
    ({ plugin: isPath(name) ? pluginAt('method', resolve(name)) : findPlugin(installed, 'method', name, labels), label, options, locate })) ?? all();
  checkNames(chosen.map(({ plugin }) => plugin));
  checkLabels(chosen);
  checkSettings(settings, [...new Set(chosen.flatMap(({ plugin, label }) => [plugin.manifest.name, ...(label === undefined ? [] : [label])]))]);
  if (sweep) checkTuned(chosen.map(({ plugin }) => plugin.manifest.name), sweep);
  const searched: Searched[] = [];
  const methods = chosen.flatMap(({ plugin, label, options, locate }): ConfiguredMethod[] => {
    const { manifest } = plugin;
    // what is said of a label is said of it alone, and wins over what is said of all that have the method's name
    const set = Object.fromEntries([manifest.name, label].flatMap((name) => settings.filter(({ method }) => method === name)).map(({ option, value }) => [option, value]));
    const placeOf = (option: string) => (Object.hasOwn(options, option) && !Object.hasOwn(set, option) ? locate?.(option) : undefined);
    const given = { ...options, ...set };
    if (trials === undefined) return [configured(plugin, label, optionsOf(plugin, settingFor(plugin, label, given, sweep), placeOf))];
    searched.push({ name: label ?? manifest.name, manifest, fixed: given });
    // all trials that there may be are checked now: what follows the forms comes hours later
    return triedWith(plugin, label, given, trialsOf(manifest, given, trials, given), placeOf).slice(0, formsOf(manifest, given, trials).length);
  });
  checkDistinct(methods);
  if (trials !== undefined) unreached(searched, trials).forEach(note);
  for (const { codePath } of methods) await loadMethod(codePath);
  return methods;
}
