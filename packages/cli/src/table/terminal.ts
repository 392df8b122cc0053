import type { Output } from '../output.js';
import { plainTable } from '../plain-table.js';
import { wordsOf } from '../draw.js';
import { COSTS, RUNS, SECONDS, VALUES, failureWords, methodsTable } from './methods-table.js';
import type { MethodSummary } from './summary.js';

/**
 * The results table, the most accurate method first, bounds at the end. Values are in percent, mean ± half the width of the 95 % interval
 * over the runs. Metrics that no method has are left out. Which differences were shown is for `lethe compare` to say.
 */
export function renderTable(methods: readonly MethodSummary[], colour: Output['colour']): string {
  const { head, rows } = methodsTable(methods, [...COSTS, SECONDS, RUNS]);
  const lines = plainTable(head.map(wordsOf), rows.map(([name, ...cells], i) => {
    const words = wordsOf(name!);
    return [methods[i]!.bound ? colour.dim(words) : words, ...cells.map(wordsOf)];
  }), [0]);
  return [
    ...lines, '',
    `${VALUES}, which lethe compare cuts where a metric ends: accuracy after the last task,`,
    'of each task right after it was learned, backward transfer, forgetting, change on the general probes; parameters trained at once, those',
    'that predictions need besides the model in the end, what is kept in all; seconds of a run',
    ...failureWords(methods),
  ].join('\n');
}
