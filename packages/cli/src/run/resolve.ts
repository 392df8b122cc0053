import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import {
  LetheError, type Order, type Plugin, type SuiteData, type Sweep, didYouMean, findPlugin, isPath, loadMethod, readManifest, resolveOptions, sha256,
} from '@lethe/core';
import { type InspectedSuite, type SuiteReference, inspectSuite, loadSuite, overlapLine } from '@lethe/data';
import { checkLength } from '@lethe/harness';
import { sameTerms } from '@lethe/metrics';
import { loadModel } from '@lethe/model';
import { chooseDevice } from '../devices.js';
import { PATHS, installedPlugins, placeOf } from '../paths.js';
import type { Configuration, ConfiguredMethod } from './configuration.js';
import { findModel } from './model.js';
import { checkTuned, chosenFor, readSweeps } from '../tune/choice.js';
import { trialsOf } from '../tune/trials.js';
import type { MethodRequest, RunRequest, Setting } from './request.js';

const DEFAULT_MODEL = 'lethe-nano';
const DEFAULT_SEEDS = [1, 2];

/** Bounds first, the untrained one before all: the first row of the table is there at once. */
const rank = ({ manifest }: Plugin) => (manifest.capabilities.bound ? (manifest.stream === 'joint' ? 1 : 0) : 2);

function pluginAt(folder: string): Plugin {
  const { file, codePath } = placeOf(folder);
  if (!existsSync(file)) {
    throw new LetheError('LETHE_PLUGIN_UNKNOWN', 'There is no plugin.json in this folder.', { where: folder, remedy: 'Give the folder of a plugin, or its name.' });
  }
  const manifest = readManifest(file);
  if (manifest.kind === 'method') return { manifest, file, codePath };
  throw new LetheError('LETHE_PLUGIN_UNKNOWN', `The plugin is a ${manifest.kind}, not a method.`, { where: file, remedy: 'Give the folder of a method.' });
}

/** Throws LETHE_USAGE where `--set` names a method that does not run. */
function checkSettings(settings: readonly Setting[], names: readonly string[]): void {
  const stray = settings.find(({ method }) => !names.includes(method));
  if (!stray) return;
  throw new LetheError('LETHE_USAGE', `--set ${stray.method}.${stray.option}: "${stray.method}" is not among the methods.${didYouMean(stray.method, names)}`, {
    remedy: `the methods are: ${names.join(', ')}`,
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
 * The options with which a method that was asked for with `given` runs: those of every trial, those that a sweep chose, or these.
 *
 * @throws LETHE_USAGE for options beside those that were chosen
 */
function settingsFor(plugin: Plugin, given: MethodRequest['options'], trials: number | undefined, sweep: Sweep | undefined): MethodRequest['options'][] {
  if (trials !== undefined) return trialsOf(plugin.manifest, given, trials);
  const chosen = sweep && chosenFor(plugin, sweep);
  const [stray] = Object.keys(given);
  if (chosen && stray !== undefined) {
    throw new LetheError('LETHE_USAGE', `Method "${plugin.manifest.name}" was tuned, and is given the option "${stray}" as well.`, {
      remedy: 'Run it without that option, or without what was tuned.',
    });
  }
  return [chosen ?? given];
}

/** The methods asked for, or all that are installed. Their options are checked and filled in, then their code is imported. */
async function methodsOf(
  { methods: requests, plugins, trials }: Pick<RunRequest, 'methods' | 'plugins' | 'trials'>, settings: readonly Setting[], sweep: Sweep | undefined,
): Promise<ConfiguredMethod[]> {
  const installed = installedPlugins(plugins);
  const all = () => installed.filter(({ manifest }) => manifest.kind === 'method')
    .sort((a, b) => rank(a) - rank(b)).map((plugin) => ({ plugin, options: {} }));
  const chosen = requests?.map(({ name, options }) =>
    ({ plugin: isPath(name) ? pluginAt(resolve(name)) : findPlugin(installed, 'method', name), options })) ?? all();
  checkNames(chosen.map(({ plugin }) => plugin));
  checkSettings(settings, chosen.map(({ plugin }) => plugin.manifest.name));
  if (sweep) checkTuned(chosen.map(({ plugin }) => plugin.manifest.name), sweep);
  const methods = chosen.flatMap(({ plugin, options }): ConfiguredMethod[] => {
    const { name: id, version, stream, capabilities } = plugin.manifest;
    const set = Object.fromEntries(settings.filter(({ method }) => method === id).map(({ option, value }) => [option, value]));
    return settingsFor(plugin, { ...options, ...set }, trials, sweep).map((wanted) =>
      ({ id, version, options: resolveOptions(plugin, wanted), capabilities, stream, manifest: plugin.file, codePath: plugin.codePath }));
  });
  const keys = methods.map(({ id, options }) => sha256({ id, options }));
  const twice = methods.find((_, i) => keys.indexOf(keys[i]!) !== i);
  if (twice) {
    throw new LetheError('LETHE_USAGE', `Method "${twice.id}" is asked for twice with the same options.`, { remedy: 'Name each once, or give it other options.' });
  }
  for (const { codePath } of methods) await loadMethod(codePath);
  return methods;
}

function ordersOf(suite: SuiteData, ids: readonly string[] | undefined): Order[] {
  const known = suite.orders.map(({ id }) => id);
  return (ids ?? known.slice(0, 1)).map((id) => {
    const order = suite.orders.find((o) => o.id === id);
    if (order) return order;
    throw new LetheError('LETHE_USAGE', `Suite ${suite.id} has no order "${id}".${didYouMean(id, known)}`, { remedy: `choose from: ${known.join(', ')}` });
  });
}

/** How `loadSuite` finds what was asked for. */
function referenceOf({ suite, size, dataDir, skipBadRows, probes, trials }: RunRequest): SuiteReference {
  return {
    reference: isPath(suite) ? resolve(suite) : suite,
    suitesDir: PATHS.suites, builtDir: PATHS.builtSuites,
    ...(dataDir === undefined ? {} : { dataDir: resolve(dataDir) }),
    ...(size === undefined ? {} : { size }),
    ...(skipBadRows && { skipBadRows }),
    ...(probes && { probes: 'required' }),
    ...(trials !== undefined && { scored: 'validation' }),
  };
}

/** sha256 of the rows of every task and probe, by id. */
export function dataOf(suite: SuiteData): Record<string, string> {
  return Object.fromEntries([...suite.tasks, ...suite.probes].map((task) => [task.id, task.sha256]));
}

/** What one should know of a suite's rows, a line each; of overlaps the largest alone where there are several. */
function notesOf({ suite: { id }, notes, overlaps }: InspectedSuite): string[] {
  const [largest] = [...overlaps].sort((a, b) => b.count / b.of - a.count / a.of);
  const more = overlaps.length > 1 ? `; ${overlaps.length - 1} more: lethe data verify ${id}` : '';
  return [...notes, ...(largest ? [`${overlapLine(largest)}${more}`] : [])];
}

/**
 * Resolves and checks all that a run is asked for; writes nothing but a model of the hub, where the hub's models are kept.
 *
 * @param settings options of methods that win over those of the request
 * @param note told of what is downloaded
 * @returns the configuration, the folder it belongs to, the suite it names, and what one should know of its rows
 * @throws LetheError for anything that a run could not use: plugins, options, suite, rows, orders, model, device
 */
export async function resolveRequest(
  request: RunRequest, settings: readonly Setting[], note: (text: string) => void,
): Promise<{ configuration: Configuration; folder: string; suite: SuiteData; notes: string[] }> {
  const reference = referenceOf(request);
  const sweep = request.tuned && await readSweeps(request.tuned.map((path) => resolve(path)));
  const methods = await methodsOf(request, settings, sweep);
  const inspected = await inspectSuite(reference);
  const { suite } = inspected;
  const orders = ordersOf(suite, request.orders);
  const { folder: dir, id } = await findModel(request.model ?? DEFAULT_MODEL, note);
  const loaded = await loadModel(dir);
  const model = { ...loaded, id: id ?? loaded.id };
  checkLength(suite.id, suite.training, model);
  const device = await chooseDevice(request.device ?? 'auto');
  const configuration: Configuration = {
    suite: {
      id: suite.id, version: suite.version, size: suite.size, ...(reference.scored && { scored: reference.scored }), reference, data: dataOf(suite),
    },
    methods, orders, seeds: request.seeds ?? DEFAULT_SEEDS,
    model: { id: model.id, sha256: model.sha256, dir },
    device, threads: request.threads ?? 1,
    training: suite.training,
    ...(sweep && { sweep }),
  };
  if (sweep && !sameTerms(sweep, configuration)) {
    throw new LetheError('LETHE_USAGE', `The methods were tuned on ${sweep.suite.id} ${sweep.suite.version} with ${sweep.model.id}, or with another budget.`, {
      where: request.tuned!.join(', '), remedy: `Tune them again: lethe tune ${suite.id}`,
    });
  }
  const folder = resolve(request.out ?? join('runs', `${suite.id}${request.trials === undefined ? '' : '-tune'}-${sha256(configuration).slice(0, 8)}`));
  return { configuration, folder, suite, notes: notesOf(inspected) };
}

/**
 * Checks that what a configuration names is still what it was when the run began.
 *
 * @throws LETHE_RUN_CHANGED for another model, other rows or another version of a method, and the errors of their loaders
 */
export async function recheck(configuration: Configuration, folder: string): Promise<SuiteData> {
  const changed = (what: string, where: string) => new LetheError('LETHE_RUN_CHANGED', `${what} is no longer what it was when the run began.`, {
    where, remedy: `Put it back as it was, or start a new run; ${basename(folder)} cannot be continued with it.`,
  });
  for (const { id, version, manifest, codePath } of configuration.methods) {
    if (readManifest(manifest).version !== version) throw changed(`Method ${id}`, manifest);
    await loadMethod(codePath);
  }
  const suite = await loadSuite(configuration.suite.reference);
  const data = dataOf(suite);
  const other = Object.entries(configuration.suite.data).find(([task, hash]) => data[task] !== hash);
  if (other) throw changed(`Task ${other[0]} of suite ${suite.id}`, configuration.suite.reference.dataDir ?? configuration.suite.reference.reference);
  const { sha256: hash } = await loadModel(configuration.model.dir);
  if (hash !== configuration.model.sha256) throw changed(`Model ${configuration.model.id}`, configuration.model.dir);
  return suite;
}
