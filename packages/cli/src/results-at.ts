import { basename, dirname, join, resolve } from 'node:path';
import { LetheError, type Results } from '@lethe/core';
import { readResults } from '@lethe/harness';

const RESULTS = 'results.json';

/** The file with the results that a path names: a run folder, its results.json, or an entry of the leaderboard. */
export function resultsFile(path: string): string {
  const target = resolve(path);
  return target.endsWith('.json') ? target : join(target, RESULTS);
}

/**
 * The results that a path names, after recomputing their numbers.
 *
 * @param path as {@link resultsFile} takes it
 * @throws LETHE_RUN_MISSING where there are none; the errors of `readResults` and of `readEntry`
 */
export async function resultsAt(path: string): Promise<Results> {
  const file = resultsFile(path);
  if (basename(file) !== RESULTS) {
    const { readEntry } = await import('@lethe/leaderboard');
    return (await readEntry(file)).results;
  }
  const folder = dirname(file);
  const results = await readResults(folder);
  if (results) return results;
  throw new LetheError('LETHE_RUN_MISSING', `there is no ${RESULTS} in this folder`, { where: folder, remedy: 'give the folder of a run, or the file of an entry' });
}
