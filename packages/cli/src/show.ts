import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ErrorCode, type FailedRun, LetheError, type Results, grouped, methodName } from '@lethe/core';
import { counted, resultsFile } from '@lethe/leaderboard';
import { kindWith } from './list.js';
import type { Output } from './output.js';
import { nothingLearned } from './nothing-learned.js';
import { noteUnfinished, resultsSoFar } from './run/finished.js';
import { type RunChoice, showLearned } from './show-learned.js';
import { summarise } from './table/summary.js';
import { renderTable } from './table/terminal.js';

/** Writes results as a table (or JSON; no table where there is no run) with the errors of failed runs; gives the exit status: 1 where a run failed. */
export function showResults(results: Results, file: string, json: boolean, output: Output): 0 | 1 {
  if (json) output.data(JSON.stringify(results, null, 2));
  else if (results.runs.length > 0) output.data(renderTable(summarise(results), output.colour));
  return showNotes(results, file, output);
}

/** Notes the errors of failed runs, whether none of the others learned anything, and where the results are; gives the exit status: 1 where a run failed. */
export function showNotes(results: Results, file: string, output: Output): 0 | 1 {
  const failed = results.runs.filter((run) => run.status === 'failed');
  for (const [{ method, order, seed, error }, ...alike] of grouped(failed, ({ method, error }) => [methodName(method), error]) as [FailedRun, ...FailedRun[]][]) {
    output.note(`${methodName(method)}, order ${order.id}, seed ${seed} failed${alike.length > 0 ? `, and ${counted(alike.length, 'other run')} of it alike` : ''}`);
    output.note(new LetheError(error.code as ErrorCode, error.message, error).describe());
  }
  const idle = nothingLearned(results);
  if (idle !== null) output.note(idle);
  output.note(`results: ${file}`);
  return failed.length ? 1 : 0;
}

/**
 * `lethe show RUN`: the table of a run folder or of an entry, after recomputing its numbers; with a method what that says it learned.
 *
 * @throws LetheError LETHE_USAGE for an order or seed without a method, LETHE_RUN_MISSING for a name in the place of a run, and the errors of `resultsSoFar` and of `showLearned`
 */
export async function showCommand(run: string, one: RunChoice, json: boolean, output: Output): Promise<0 | 1> {
  const stray = (['order', 'seed'] as const).find((flag) => one[flag] !== undefined);
  if (one.method === undefined && stray) {
    throw new LetheError('LETHE_USAGE', `--${stray} says of which run a method's report is wanted, and there is no --method.`, {
      remedy: `Add --method NAME, or leave out --${stray}: the table is of all runs.`,
    });
  }
  const path = resolve(run);
  const kind = existsSync(path) ? undefined : kindWith(run);
  if (kind !== undefined) {
    throw new LetheError('LETHE_RUN_MISSING', 'There is no run here, and something that is installed has this name.', {
      where: path, remedy: `Did you mean: lethe show ${kind} ${run}?`,
    });
  }
  const results = await resultsSoFar(path);
  await noteUnfinished(path, results.runs.length, output);
  if (one.method === undefined) return showResults(results, resultsFile(path), json, output);
  showLearned(results, one, json, output);
  return 0;
}
