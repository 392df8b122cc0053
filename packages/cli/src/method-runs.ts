import { resolve } from 'node:path';
import { LetheError, type Run, methodName } from '@lethe/core';
import { codesWords, severalCodes } from '@lethe/metrics';
import { chosen } from './chosen.js';
import type { Output } from './output.js';
import { typed } from './paths.js';
import { checkFinished, noteUnfinished, resultsSoFar } from './run/finished.js';
import { parseList } from './run/request.js';

/** Runs of the methods that were asked for, which is all of them without a list. */
function runsOf(runs: readonly Run[], list: string | undefined): readonly Run[] {
  if (list === undefined) return runs;
  const known = [...new Set(runs.map(({ method }) => methodName(method)))];
  const asked = parseList('--methods', list).map((name) => known[chosen('--methods', known, name)]!);
  return runs.filter(({ method }) => asked.includes(methodName(method)));
}

/** Notes which methods were changed between these runs. */
export function noteCodes(runs: readonly Run[], output: Output): void {
  for (const several of severalCodes(runs)) output.note(codesWords(several));
}

/**
 * The runs of some methods that are in run folders or entries, one or more of which is completed; of folders that are not finished it is noted.
 *
 * @param methods names or labels, or undefined for all
 * @param made what is to be made of them: a table
 * @throws LETHE_USAGE for an unknown method; LETHE_RUN_STOPPED and LETHE_STATISTICS_MISSING where no run is completed; the errors of `resultsSoFar`
 */
export async function methodRuns(paths: readonly string[], methods: string | undefined, made: string, output: Output): Promise<readonly Run[]> {
  const parts = await Promise.all(paths.map((path) => resultsSoFar(resolve(path))));
  const all = parts.flatMap((results) => results.runs);
  const completed = (some: readonly Run[]) => some.some(({ status }) => status === 'completed');
  const runs = completed(all) ? runsOf(all, methods) : [];
  if (!completed(runs)) {
    for (const [i, path] of paths.entries()) await checkFinished(resolve(path), parts[i]!.runs.length);
    throw new LetheError('LETHE_STATISTICS_MISSING', `None of the runs is completed: there is nothing to make a ${made} of.`, {
      where: paths.join(', '), remedy: `See why with: lethe show ${typed(paths[0]!)}`,
    });
  }
  for (const [i, path] of paths.entries()) await noteUnfinished(resolve(path), parts[i]!.runs.length, output);
  noteCodes(runs, output);
  return runs;
}
