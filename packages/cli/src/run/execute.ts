import { join } from 'node:path';
import { LETHE_VERSION, LetheError, type Results, type Run, type SuiteData, canonicalJson, makeFolder, methodName, suiteLabel } from '@lethe/core';
import { type Job, codeSha256, dropSuperseded, hasRun, lockRun, openRun, readResults, sweepRun, writeResults } from '@lethe/harness';
import { counted } from '@lethe/leaderboard';
import { type PoolOptions, runJobs } from '@lethe/pool';
import { installedCommit } from '../commit.js';
import { methodLabels, variantKey } from '../labels.js';
import type { Output } from '../output.js';
import { here, typed } from '../paths.js';
import { pluginWords } from '../plugins-option.js';
import { showResults } from '../show.js';
import { newerSource } from '../stale.js';
import { runWords } from '../suites.js';
import { showChoice } from '../tune/choice.js';
import { laterTrials } from '../tune/later.js';
import { type Configuration, jobsOf, methodCount, runCount, workersFor } from './configuration.js';
import { INTERRUPTED, stopOnInterrupt } from './interrupt.js';
import { LiveProgress } from './live.js';
import { modelWords } from './model.js';
import { PlainProgress } from './plain.js';
import { type Progress, cutNotes, runLine } from './progress.js';
import { readRecord } from './record.js';
import { Remaining, workOf } from './work.js';

export interface ExecuteOptions {
  /** Runs at a time, where so many are asked for. */
  readonly workers: number | undefined;
  /** Results on stdout instead of the table. */
  readonly json: boolean;
  /** Whether a run of another configuration in the folder is gone on with. */
  readonly extend?: boolean;
}

/** What to call each run: its method, its order where there are several, and its seed. */
function labelsOf({ methods, orders }: Configuration, jobs: readonly Job[]): string[] {
  const labels = methodLabels(methods);
  const names = new Map(methods.map((method, i) => [variantKey(method), labels[i]!]));
  const width = Math.max(...labels.map((name) => name.length));
  return jobs.map(({ identity: { method, order, seed } }) =>
    [names.get(variantKey(method))!.padEnd(width), ...(orders.length > 1 ? [`order ${order.id}`] : []), `seed ${seed}`].join('  '));
}

/** The hashes of the code of all methods, by id. */
async function codeOf({ methods }: Configuration): Promise<Record<string, string>> {
  return Object.fromEntries(await Promise.all(methods.map(async ({ id, codePath }) => [id, await codeSha256(codePath)] as const)));
}

/** What tells runs apart. */
const identityKey = ({ suite, method, model, order, seed, training }: Job['identity']) => canonicalJson([suite, method, model, order, seed, training]);

/** The finished runs that the folder of a run holds already, by {@link identityKey}. A file that does not check out is made anew from the steps. */
async function finishedBefore(folder: string): Promise<Map<string, Run>> {
  const results = await readResults(folder).catch(() => undefined);
  return new Map(results?.runs.filter((run) => run.status === 'completed').map((run) => [identityKey(run), run]));
}

/** Says of which methods older code runs than that which their authors see. */
function noteStale({ methods }: Configuration, output: Output): void {
  for (const { id, manifest: file, codePath } of new Map(methods.map((method) => [method.codePath, method])).values()) {
    const stale = newerSource({ file, codePath });
    if (stale) output.note(`method ${id} runs as it was built, before ${here(stale.source)} was changed: ${stale.command} builds it`);
  }
}

/** What runs, in words: of trials, which are settings of a method, how many there are of each. */
function extentOf({ methods, orders, seeds, trials, picked }: Configuration): string {
  if (picked) return counted(picked.length, 'run');
  const names = methodCount({ methods });
  const all = trials === undefined ? counted(names, 'method') : `${counted(names, 'method')} with ${counted(trials, 'trial')}${names > 1 ? ' each' : ''}`;
  return [all, counted(orders.length, 'order'), counted(seeds.length, 'seed')].join(', ');
}

/** Refuses to go on from steps whose names do not say all: numbers of another device differ in their last digits. Throws LETHE_RUN_EXISTS. */
function checkExtension(known: Configuration, wanted: Configuration, folder: string): void {
  const wordsOf = ({ devices, threads, microBatch, suite: { scored } }: Configuration) => [
    devices.join(', '), counted(threads, 'thread'), ...(microBatch === undefined ? [] : [`micro-batches of ${counted(microBatch, 'row')}`]), scored === undefined ? 'lethe run' : 'lethe tune',
  ].join(', ');
  const [made, asked] = [wordsOf(known), wordsOf(wanted)];
  if (made === asked) return;
  throw new LetheError('LETHE_RUN_EXISTS', `The run in the folder cannot be extended: its steps are of ${made}, and those asked for of ${asked}.`, {
    where: join(folder, 'run.json'), remedy: 'Choose another folder with --out, or the same device, number of threads and micro-batch.',
  });
}

/** What came of a configuration so far. */
export interface Performed {
  readonly results: Results;
  /** Whether it was interrupted. */
  readonly stopped: boolean;
}

/**
 * Runs what a configuration asks for in its folder, and goes on where an earlier process ended. `results.json` is written anew
 * after every run, so that there is a table at any time.
 *
 * @param suite the rows that the configuration names
 * @param asked runs at a time, where so many are asked for: kept with the run, so that whoever goes on with it has as many
 * @param goOn the command that goes on with it when it was interrupted, in words
 * @param extend whether a run of another configuration in the folder is gone on with
 * @throws LETHE_RUN_EXISTS, LETHE_RUN_VERSION, LETHE_RUN_BUSY, LETHE_FOLDER_EXISTS, and what the file system throws
 */
export async function perform(
  configuration: Configuration, folder: string, suite: SuiteData, asked: number | undefined, goOn: string, output: Output, extend = false,
): Promise<Performed> {
  makeFolder(folder);
  const unlock = await lockRun(folder);
  try {
    const code = await codeOf(configuration);
    // what was changed by hand in it is no configuration to compare with
    if (extend && hasRun(folder)) await readRecord(folder);
    const { known, changed } = await openRun(folder, LETHE_VERSION, configuration, { code, ...(asked !== undefined && { workers: asked }) },
      extend ? (before) => checkExtension(before, configuration, folder) : undefined);
    if (changed.length > 0) output.note(`the code of ${changed.join(', ')} is no longer what it was: runs of it are made again, those of other methods stand; what the old code made is found again where it is taken back`);
    noteStale(configuration, output);
    await sweepRun(folder);
    const workers = workersFor(configuration, asked);
    const jobsFor = (some: Configuration) => jobsOf(some, folder, { lethe: LETHE_VERSION, git: installedCommit() })
      .map((job): Job => ({ ...job, code: code[job.identity.method.id]! }));
    let jobs = jobsFor(configuration);
    output.note(`${suiteLabel(configuration.suite)}, with ${configuration.model.id}: ${extentOf(configuration)} on ${configuration.devices.join(', ')}, ${Math.min(workers, jobs.length)} at a time, in ${here(folder)}`);
    // without a record nothing holds the results to this configuration and code
    const finished = known ? await finishedBefore(folder) : new Map<string, Run>();
    const runsOf = (some: readonly Job[]) => some.flatMap(({ identity }) => finished.get(identityKey(identity)) ?? []);
    const save = () => writeResults(folder, runsOf(jobs), configuration.sweep);
    /** Makes those of the jobs that are left; true where they were interrupted. */
    const make = async (some: Configuration): Promise<boolean> => {
      const left = jobs.filter(({ identity }) => !finished.has(identityKey(identity)));
      if (left.length < jobs.length) output.note(`${jobs.length - left.length} of ${jobs.length} runs are finished already`);
      return left.length > 0 && work(left, labelsOf(some, left), suite, { workers, devices: configuration.devices }, goOn, output, async (run, at) => {
        finished.set(identityKey(left[at]!.identity), run);
        await save();
      });
    };
    const later = runCount(configuration) - jobs.length;
    if (later > 0) output.note(`forms come first, ${counted(jobs.length, 'run')}; by what comes of them, ${later} more`);
    let stopped = await make(configuration);
    if (!stopped && later > 0) {
      const { methods, found } = laterTrials(configuration, runsOf(jobs), join(folder, 'results.json'));
      output.note(`forms are tried: ${found.length > 0 ? `better than the defaults were ${found.join(', ')}` : 'none was better than the defaults'}; values of ranges come next`);
      const all = { ...configuration, methods: [...configuration.methods, ...methods] };
      jobs = jobsFor(all);
      stopped = await make(all);
    }
    const results = await save();
    if (!stopped) await dropSuperseded(folder, jobs, suite);
    return { results, stopped };
  } finally {
    await unlock();
  }
}

/** Runs of a method from which on an interval says something, and they are worth publishing. */
const ENOUGH = 3;

/** What one would do after a configuration was performed, a line each. */
function nextSteps({ suite: { reference, scored }, methods, orders, seeds, model }: Configuration, { runs }: Results, place: string): string[] {
  if (scored) {
    const variants = methods.some(({ label }) => label !== undefined);
    const names = [...new Set(methods.map(({ id }) => id))].join(',');
    const what = variants ? 'CONFIG.yaml' : [runWords(reference), ...modelWords(model), ...pluginWords(methods), `--methods ${names}`].join(' ');
    return [`next: lethe run ${what} --tuned ${place}${variants ? ', with the file that has the variants' : ''}`];
  }
  const failed = runs.filter(({ status }) => status === 'failed');
  if (failed.length > 0) {
    return [`${failed.length} of ${counted(runs.length, 'run')} failed, of ${[...new Set(failed.map(({ method }) => methodName(method)))].join(', ')}; to make them again: `
      + `lethe resume ${place}, with the code of methods as it is then`];
  }
  const each = orders.length * seeds.length;
  const next = [
    ...(methods.length > 1 ? [`lethe compare ${place}`] : []),
    ...(each < ENOUGH ? [] : [`lethe publish ${place}, then ${['lethe leaderboard build', ...pluginWords(reference.scorers ?? [])].join(' ')}`]),
  ];
  return [
    ...(each < ENOUGH ? [`${counted(each, 'run')} a method: ${each === 1 ? 'there are no intervals' : 'intervals are wide'}; for more: --seeds 1,2,3,4,5`] : []),
    ...(next.length > 0 ? [`next: ${next.join('; or ')}`] : []),
  ];
}

/**
 * {@link perform}s a configuration and shows the table.
 *
 * @returns the exit status: 0, 1 where a run failed, 130 where it was interrupted
 * @throws the errors of `perform`
 */
export async function execute(
  configuration: Configuration, folder: string, suite: SuiteData, { workers, json, extend }: ExecuteOptions, output: Output,
): Promise<number> {
  const place = typed(folder);
  const goOn = `lethe resume ${place}`;
  const { results, stopped } = await perform(configuration, folder, suite, workers, goOn, output, extend);
  const tuned = configuration.suite.scored && !stopped;
  const file = join(folder, 'results.json');
  const status = tuned && !json ? showChoice(results, file, output) : showResults(results, file, json, output);
  if (stopped) output.note(`stopped; go on with: ${goOn}`);
  else if (!configuration.picked) for (const line of nextSteps(configuration, results, place)) output.note(line);
  return stopped ? INTERRUPTED : status;
}

/** Runs the jobs and shows how they go on; true where they were interrupted. */
async function work(
  jobs: readonly Job[], labels: readonly string[], suite: SuiteData, { workers, devices }: Required<Pick<PoolOptions, 'workers' | 'devices'>>, goOn: string, output: Output,
  onResult: (run: Run, index: number) => Promise<void>,
): Promise<boolean> {
  const lanes = Math.min(workers, jobs.length);
  const remaining = new Remaining(jobs, suite, lanes);
  const left = () => remaining.seconds();
  const steps = jobs.reduce((sum, job) => sum + workOf(job, suite).length, 0);
  const progress: Progress = output.terminal
    ? new LiveProgress(output.terminal, lanes, steps, labels, left)
    : new PlainProgress(output.note, labels, left);
  const cut = cutNotes();
  const interrupt = stopOnInterrupt(() => progress.line('stopping before the next optimizer step; Ctrl-C again ends at once'), () => {
    progress.close();
    output.note(`ended at once, finished steps are kept; go on with: ${goOn}`);
  });
  try {
    const runs = await runJobs(jobs, {
      workers: lanes, devices,
      signal: interrupt.signal,
      listener: (event, index) => {
        remaining.hear(event, index, performance.now());
        progress.hear(event, index);
        const note = cut(event);
        if (note !== undefined) progress.line(note);
      },
      onResult: async (run, index) => {
        remaining.ended(index);
        progress.ended(index);
        await onResult(run, index);
        progress.line(runLine(labels[index]!, run));
      },
    });
    return runs.includes(null);
  } finally {
    interrupt.close();
    progress.close();
  }
}
