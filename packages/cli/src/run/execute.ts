import { execFileSync } from 'node:child_process';
import { relative } from 'node:path';
import { LETHE_VERSION, type Results, type Run, type SuiteData, canonicalJson } from '@lethe/core';
import { type Job, lockRun, openRun, readResults, sweepRun, writeResults } from '@lethe/harness';
import { runJobs } from '@lethe/pool';
import type { Output } from '../output.js';
import { PATHS } from '../paths.js';
import { showResults } from '../show.js';
import { type Configuration, jobsOf } from './configuration.js';
import { stopOnInterrupt } from './interrupt.js';
import { LiveProgress } from './live.js';
import { PlainProgress } from './plain.js';
import { type Progress, runLine } from './progress.js';
import { Remaining, workOf } from './work.js';

/** The exit status of a benchmark: done, a run failed, or stopped by Ctrl-C. */
export type RunStatus = 0 | 1 | 130;

export interface ExecuteOptions {
  readonly workers: number;
  readonly json: boolean;
}

/** The commit of this installation, with `-dirty` where files differ from it; null outside of a git checkout. */
function commit(): string | null {
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', PATHS.plugins, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return `${git('rev-parse', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '-dirty'}`;
  } catch {
    return null;
  }
}

/** What to call each run: its method, with what sets it apart from others of the benchmark, and its seed. */
function labelsOf(configuration: Configuration, jobs: readonly Job[]): string[] {
  const names = configuration.methods.map(({ id, options }) => {
    const same = configuration.methods.filter((method) => method.id === id);
    const differing = Object.entries(options).filter(([name, value]) =>
      same.some((method) => JSON.stringify(method.options[name]) !== JSON.stringify(value)));
    return [id, ...differing.map(([name, value]) => `${name}=${JSON.stringify(value)}`)].join(' ');
  });
  const width = Math.max(...names.map((name) => name.length));
  return jobs.map(({ identity: { order, seed } }, i) => [
    names[i % names.length]!.padEnd(width),
    ...(configuration.orders.length > 1 ? [`order ${order.id}`] : []),
    `seed ${seed}`,
  ].join('  '));
}

/** The finished runs that a folder holds already, by job. A file that does not check out is made anew from the steps. */
async function finishedBefore(folder: string, jobs: readonly Job[]): Promise<(Run | null)[]> {
  const results = await readResults(folder).catch(() => undefined);
  const identity = ({ suite, method, model, order, seed, training }: Job['identity']) =>
    canonicalJson([suite, method, model, order, seed, training]);
  const known = new Map(results?.runs.filter((run) => run.status === 'completed').map((run) => [identity(run), run]));
  return jobs.map((job) => known.get(identity(job.identity)) ?? null);
}

/**
 * Runs what a configuration asks for in its folder, goes on where an earlier process ended, and shows the table.
 * `results.json` is written anew after every run, so that there is a table at any time.
 */
export async function execute(
  configuration: Configuration, folder: string, suite: SuiteData, { workers, json }: ExecuteOptions, output: Output,
): Promise<RunStatus> {
  await openRun(folder, LETHE_VERSION, configuration);
  const unlock = await lockRun(folder);
  try {
    await sweepRun(folder);
    const jobs = jobsOf(configuration, folder, { lethe: LETHE_VERSION, git: commit() });
    const runs = await finishedBefore(folder, jobs);
    const todo = jobs.flatMap((_, i) => (runs[i] ? [] : [i]));
    const place = relative('.', folder) || '.';
    output.note([
      `${suite.id} ${suite.version} (${suite.size}): ${configuration.methods.length} methods x ${configuration.orders.length} orders x `
        + `${configuration.seeds.length} seeds on ${configuration.device}, ${workers} at a time, in ${place}`,
      ...(todo.length < jobs.length ? [`${jobs.length - todo.length} of ${jobs.length} runs are finished already`] : []),
    ].join('\n'));
    const stopped = await work(todo.map((i) => jobs[i]!), todo.map((i) => labelsOf(configuration, jobs)[i]!), suite, workers, output,
      async (run, at) => {
        runs[todo[at]!] = run;
        await writeResults(folder, runs.filter((r) => r !== null));
      });
    const results: Results = await writeResults(folder, runs.filter((run) => run !== null));
    const status = showResults(results, folder, json, output);
    output.note(stopped ? `stopped; go on with: lethe resume ${place}` : `next: lethe publish ${place}, then lethe leaderboard build`);
    return stopped ? 130 : status;
  } finally {
    await unlock();
  }
}

/** Runs the jobs and shows how they go on; true where they were interrupted. */
async function work(
  jobs: readonly Job[], labels: readonly string[], suite: SuiteData, workers: number, output: Output,
  onResult: (run: Run, index: number) => Promise<void>,
): Promise<boolean> {
  const lanes = Math.max(1, Math.min(workers, jobs.length));
  const remaining = new Remaining(jobs, suite, lanes);
  const left = () => remaining.seconds();
  const steps = jobs.reduce((sum, job) => sum + workOf(job, suite).length, 0);
  const progress: Progress = output.terminal
    ? new LiveProgress(output.terminal, lanes, steps, labels, left)
    : new PlainProgress(output.note, labels, left);
  const interrupt = stopOnInterrupt(() => progress.line('stopping before the next optimizer step; Ctrl-C again ends at once'));
  try {
    const runs = await runJobs(jobs, {
      workers: lanes,
      signal: interrupt.signal,
      listener: (event, index) => {
        remaining.hear(event, index, performance.now());
        progress.hear(event, index);
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
