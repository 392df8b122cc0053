import { join } from 'node:path';
import { LetheError, type Results } from '@lethe/core';
import type { Output } from '../output.js';
import { typed } from '../paths.js';
import { runCount } from './configuration.js';
import { folderOf, readRecord } from './record.js';
import { checkRunPath } from './run-path.js';

/** What a run folder was made for. */
interface Extent {
  readonly folder: string;
  readonly asked: number;
}

/** How many runs a folder was made for; null for an entry, and for results that lie there alone. Throws the errors of `readRecord`. */
async function extentOf(path: string): Promise<Extent | null> {
  const { hasRun } = await import('@lethe/harness');
  const folder = folderOf(path);
  if (folder.endsWith('.json') || !hasRun(folder)) return null;
  const { configuration } = await readRecord(folder);
  return { folder, asked: runCount(configuration) };
}

/**
 * Refuses the folder of a run that is not finished: what is there already may be whole in itself, all methods of the first seeds, and
 * whoever may stop after a good one has chosen it.
 *
 * @param path a run folder, its results.json, or an entry, which is finished
 * @param done how many of its runs there are
 * @throws LETHE_RUN_STOPPED, and the errors of `readRecord`
 */
export async function checkFinished(path: string, done: number): Promise<void> {
  const extent = await extentOf(path);
  if (extent === null || done >= extent.asked) return;
  throw new LetheError('LETHE_RUN_STOPPED', `The run is not finished: ${done} of ${extent.asked} runs are there.`, {
    where: join(extent.folder, 'run.json'), remedy: `Finish it with: lethe resume ${typed(extent.folder)}`,
  });
}

/**
 * Refuses a path where there are no results.
 *
 * @param path as {@link checkFinished} takes it
 * @throws LETHE_RUN_MISSING for what is no run, LETHE_RUN_STOPPED for a run that ended before it had any, and the errors of `readRecord`
 */
export async function checkResults(path: string): Promise<void> {
  if (!checkRunPath(path)) await checkFinished(path, 0);
}

/** The results of a path, be they of all runs or not. Throws the errors of {@link checkResults} and of `resultsAt`. */
export async function resultsSoFar(path: string): Promise<Results> {
  await checkResults(path);
  const { resultsAt } = await import('@lethe/leaderboard');
  return resultsAt(path);
}

/** Notes that a run is not finished, so that nobody takes its table for the whole. */
export async function noteUnfinished(path: string, done: number, output: Output): Promise<void> {
  const extent = await extentOf(path).catch(() => null); // a damaged record is for `resume` to tell
  if (extent !== null && done < extent.asked) output.note(`not finished: ${done} of ${extent.asked} runs are there; go on with: lethe resume ${typed(extent.folder)}`);
}
