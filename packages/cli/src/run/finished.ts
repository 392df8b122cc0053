import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LetheError, type Results } from '@lethe/core';
import type { Output } from '../output.js';
import { typed } from '../paths.js';
import { folderOf, readRecord } from './record.js';

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
  const { configuration: { methods, orders, seeds, picked } } = await readRecord(folder);
  return { folder, asked: picked?.length ?? methods.length * orders.length * seeds.length };
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
 * The results of a path, be they of all runs or not.
 *
 * @param path as {@link checkFinished} takes it
 * @throws LETHE_RUN_MISSING where there is nothing, LETHE_RUN_STOPPED for a run that ended before it had any, and the errors of `resultsAt`
 */
export async function resultsSoFar(path: string): Promise<Results> {
  if (!existsSync(path)) {
    throw new LetheError('LETHE_RUN_MISSING', 'There is no such file or folder.', { where: path, remedy: 'Give the folder of a run, or the file of an entry.' });
  }
  const { resultsAt } = await import('@lethe/leaderboard');
  try {
    return await resultsAt(path);
  } catch (error) {
    if (error instanceof LetheError && error.code === 'LETHE_RUN_MISSING') await checkFinished(path, 0);
    throw error;
  }
}

/** Notes that a run is not finished, so that nobody takes its table for the whole. */
export async function noteUnfinished(path: string, done: number, output: Output): Promise<void> {
  const extent = await extentOf(path).catch(() => null); // a damaged record is for `resume` to tell
  if (extent !== null && done < extent.asked) output.note(`not finished: ${done} of ${extent.asked} runs are there; go on with: lethe resume ${typed(extent.folder)}`);
}
