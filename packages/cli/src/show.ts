import { join, resolve } from 'node:path';
import { type ErrorCode, LetheError, type Results, methodName } from '@lethe/core';
import { readResults } from '@lethe/harness';
import type { Output } from './output.js';
import { type RunChoice, showLearned } from './show-learned.js';
import { summarise } from './summary.js';
import { renderTable } from './table.js';

/** Writes results as a table (or JSON) with the errors of failed runs; gives the exit status: 1 where a run failed. */
export function showResults(results: Results, folder: string, json: boolean, output: Output): 0 | 1 {
  output.data(json ? JSON.stringify(results, null, 2) : renderTable(summarise(results), output.colour));
  return showFailures(results, folder, output);
}

/** Notes the errors of failed runs, and where the results are; gives the exit status: 1 where a run failed. */
export function showFailures(results: Results, folder: string, output: Output): 0 | 1 {
  const failed = results.runs.filter((run) => run.status === 'failed');
  for (const { method, order, seed, error } of failed) {
    output.note(`${methodName(method)}, order ${order.id}, seed ${seed} failed`);
    output.note(new LetheError(error.code as ErrorCode, error.message, error).describe());
  }
  output.note(`results: ${join(folder, 'results.json')}`);
  return failed.length ? 1 : 0;
}

/**
 * `lethe show RUN`: the table of a run folder, after recomputing its numbers; with a method what that says it learned.
 *
 * @throws LetheError LETHE_RUN_MISSING where there are no results, the errors of `readResults` and of `showLearned`
 */
export async function showCommand(run: string, one: RunChoice, json: boolean, output: Output): Promise<0 | 1> {
  const folder = resolve(run);
  const results = await readResults(folder);
  if (!results) {
    throw new LetheError('LETHE_RUN_MISSING', 'there is no results.json in this folder', { where: folder, remedy: 'give the folder of a run' });
  }
  if (one.method === undefined) return showResults(results, folder, json, output);
  showLearned(results, one, json, output);
  return 0;
}
