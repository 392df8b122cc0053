import { MISSING } from '@lethe/core';
import { bytes, count, percent } from '@lethe/leaderboard';
import type { Interval } from '@lethe/metrics';
import type { Output } from './output.js';
import { plainTable } from './plain-table.js';
import { COLUMNS, type MethodSummary } from './summary.js';

/** Mean and half the width of an interval, in percent; the mean alone where few runs give no interval. */
export function intervalText({ mean, low, high }: Interval): string {
  return low === null || high === null ? percent(mean) : `${percent(mean)} ± ${percent((high - low) / 2)}`;
}

/** A method with what a reader must know of it. */
const named = ({ method, marks }: MethodSummary): string => (marks.length > 0 ? `${method} (${marks.join(', ')})` : method);

/**
 * The results table, the most accurate method first, bounds at the end. Values are in percent, mean ± half the width of the 95 % interval
 * over the runs. Metrics that no method has are left out. Which differences were shown is for `lethe compare` to say.
 */
export function renderTable(rows: readonly MethodSummary[], colour: Output['colour']): string {
  const columns = COLUMNS.filter(({ metric }) => rows.some((row) => row.intervals[metric] !== null));
  const head = ['method', ...columns.map(({ title }) => title), 'trained', 'added', 'stored', 'seconds', 'runs'];
  const lines = plainTable(head, rows.map((row) => [
    row.bound ? colour.dim(named(row)) : named(row),
    ...columns.map(({ metric }) => (row.intervals[metric] === null ? MISSING : intervalText(row.intervals[metric]))),
    row.trained === null ? MISSING : count(row.trained),
    row.added === null ? MISSING : count(row.added),
    row.stored === null ? MISSING : bytes(row.stored),
    row.seconds === null ? MISSING : row.seconds.toFixed(1),
    row.failed.length ? `${row.completed} + ${row.failed.length} failed` : String(row.completed),
  ]), [0]);
  return [
    ...lines, '',
    'percent, mean ± half the 95 % interval over seeds and orders, which lethe compare cuts where a metric ends: accuracy after the last task,',
    'of each task right after it was learned, backward transfer, forgetting, change on the general probes; parameters trained at once, those',
    'that predictions need besides the model in the end, what is kept in all; seconds of a run',
    ...(rows.some(({ completed, failed }) => completed > 0 && failed.length > 0) ? ['a method of which a run failed has no means: what is missing could have changed them'] : []),
  ].join('\n');
}
