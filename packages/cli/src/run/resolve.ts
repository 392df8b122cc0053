import { basename, join, resolve } from 'node:path';
import { LetheError, type Order, type SuiteData, didYouMean, loadMethod, readManifest, resolveOptions, sha256 } from '@lethe/core';
import { type InspectedSuite, type SuiteReference, inspectSuite, loadSuite, overlapLine } from '@lethe/data';
import { checkModel } from '@lethe/harness';
import { openModel } from '@lethe/model';
import { chooseDevices } from '../devices.js';
import { referenceTo, suiteWords } from '../suites.js';
import { readSweeps, sweepNotes } from '../tune/choice.js';
import type { Configuration } from './configuration.js';
import { methodsOf } from './methods.js';
import { identityOf, openNamed } from './model.js';
import { configurationFault } from './record.js';
import { checkThere } from './recorded.js';
import type { RunRequest, Setting } from './request.js';

const DEFAULT_SEEDS = [1, 2];

function ordersOf(suite: SuiteData, ids: readonly string[] | undefined): Order[] {
  const known = suite.orders.map(({ id }) => id);
  const orders = (ids ?? known.slice(0, 1)).map((id) => {
    const order = suite.orders.find((o) => o.id === id);
    if (order) return order;
    throw new LetheError('LETHE_USAGE', `Suite ${suite.id} has no order "${id}".${didYouMean(id, known)}`, { remedy: `choose from: ${known.join(', ')}` });
  });
  const tasksOf = ({ tasks }: Order) => [...tasks].sort().join(' ');
  const other = orders.find((order) => tasksOf(order) !== tasksOf(orders[0]!));
  if (other) {
    throw new LetheError('LETHE_USAGE', `Orders "${orders[0]!.id}" and "${other.id}" of suite ${suite.id} have other tasks: a mean over them is one of two benchmarks.`, {
      remedy: 'Run them one after the other; each has its own folder.',
    });
  }
  return orders;
}

/** Throws LETHE_USAGE for what contradicts itself: a sweep that takes what another one chose, a seed or order that is there twice, however it was written. */
function checkRequest({ trials, tuned, seeds = [], orders = [] }: RunRequest): void {
  if (trials !== undefined && tuned) {
    throw new LetheError('LETHE_USAGE', '"tuned" belongs to run, not to tune: trials take no options that were chosen before.', {
      remedy: 'Take "tuned" out of the file, or give the file to lethe run.',
    });
  }
  for (const [name, values] of Object.entries<readonly (string | number)[]>({ seeds, orders })) {
    const twice = values.find((value, i) => values.indexOf(value) !== i);
    if (twice !== undefined) throw new LetheError('LETHE_USAGE', `"${name}" names ${twice} twice.`, { remedy: 'Name each once.' });
  }
}

/** How `loadSuite` finds what was asked for. */
async function referenceOf({ suite, size, prompts, training, dataDir, plugins, skipBadRows, probes, trials, scored }: RunRequest): Promise<SuiteReference> {
  return {
    ...await referenceTo(suite, { dataDir, plugins }),
    ...(size === undefined ? {} : { size }),
    ...(prompts === undefined ? {} : { prompts }),
    ...(training === undefined ? {} : { training }),
    ...(skipBadRows && { skipBadRows }),
    ...(probes && { probes: 'required' }),
    ...((trials !== undefined || scored) && { scored: 'validation' }),
  };
}

/** A reference without those scorers that the suite does not ask for: a run depends on nothing else that is installed. */
function withScorersOf({ tasks, probes }: SuiteData, { scorers = [], ...reference }: SuiteReference): SuiteReference {
  const used = scorers.filter(({ id }) => [...tasks, ...probes].some(({ written }) => written?.scorer === id));
  return { ...reference, ...(used.length > 0 && { scorers: used }) };
}

/** sha256 of the rows of every task and probe, by id. */
export function dataOf(suite: SuiteData): Record<string, string> {
  return Object.fromEntries([...suite.tasks, ...suite.probes].map((task) => [task.id, task.sha256]));
}

/** What one should know of a suite's rows, a line each; of overlaps the largest alone where there are several. */
function notesOf({ notes, overlaps }: InspectedSuite, reference: SuiteReference): string[] {
  const [largest] = [...overlaps].sort((a, b) => b.count / b.of - a.count / a.of);
  const more = overlaps.length > 1 ? `; ${overlaps.length - 1} more: lethe data verify ${suiteWords(reference)}` : '';
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
  checkRequest(request);
  const reference = await referenceOf(request);
  const sweep = request.tuned && await readSweeps(request.tuned.map((path) => resolve(path)));
  const tuning: string[] = [];
  const methods = await methodsOf(request, settings, sweep, (text) => { tuning.push(text); });
  const inspected = await inspectSuite(reference);
  const { suite } = inspected;
  const orders = ordersOf(suite, request.orders);
  const { model, dir, adapterDir } = await openNamed(request, note);
  checkModel(suite.id, suite.training, model);
  const devices = await chooseDevices(request.device ?? 'auto');
  const configuration: Configuration = {
    suite: {
      id: suite.id, version: suite.version, size: suite.size, ...(suite.prompts !== undefined && { prompts: suite.prompts }), ...(suite.changed && { changed: suite.changed }),
      ...(reference.scored && { scored: reference.scored }), reference: withScorersOf(suite, reference), data: dataOf(suite),
    },
    methods, orders, seeds: request.seeds ?? DEFAULT_SEEDS,
    model: { ...identityOf(model), dir, ...(adapterDir === undefined ? {} : { adapterDir }) },
    devices, threads: request.threads ?? 1,
    // what holds a whole step takes it whole
    ...(request.microBatch !== undefined && request.microBatch < suite.training.batch && { microBatch: request.microBatch }),
    training: suite.training,
    ...(request.trials !== undefined && { trials: request.trials }),
    ...(sweep && { sweep }),
  };
  const fault = configurationFault(configuration);
  if (fault) {
    throw new LetheError('LETHE_USAGE', `Results cannot hold what runs: ${fault.message}.`, { where: fault.pointer, remedy: 'Give the folder or file that is called so another name.' });
  }
  const folder = resolve(request.out ?? join('runs', `${suite.id}${request.trials === undefined ? '' : '-tune'}-${sha256(configuration).slice(0, 8)}`));
  const tuned = sweep ? sweepNotes(sweep, configuration) : [];
  return { configuration, folder, suite, notes: [...notesOf(inspected, reference), ...tuned, ...tuning] };
}

/**
 * Checks that what a configuration names is still what it was when the run began.
 *
 * @throws LETHE_RUN_CHANGED for another model, other rows, another version of a method or a plugin that is gone, and the errors of their loaders
 */
export async function recheck(configuration: Configuration, folder: string): Promise<SuiteData> {
  const changed = (what: string, where: string) => new LetheError('LETHE_RUN_CHANGED', `${what} is no longer what it was when the run began.`, {
    where, remedy: `Put it back as it was, or start a new run; ${basename(folder)} cannot be continued with it.`,
  });
  checkThere(configuration.methods, configuration.suite.reference.scorers ?? [], folder);
  for (const { id, version, options, manifest, codePath } of configuration.methods) {
    const known = readManifest(manifest);
    if (known.version !== version) throw changed(`Method ${id}, ${version} then and ${known.version} now,`, manifest);
    resolveOptions({ manifest: known, file: manifest, codePath }, options);
    await loadMethod(codePath);
  }
  const suite = await loadSuite(configuration.suite.reference);
  const data = dataOf(suite);
  const other = Object.entries(configuration.suite.data).find(([task, hash]) => data[task] !== hash);
  if (other) throw changed(`Task ${other[0]} of suite ${suite.id}`, configuration.suite.reference.dataDir ?? configuration.suite.reference.reference);
  const { id: model, sha256: hash, dir, adapterDir: adapter, chat } = configuration.model;
  if ((await openModel(dir, { adapter, chat })).sha256 !== hash) throw changed(`Model ${model}`, dir);
  return suite;
}
