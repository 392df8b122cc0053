import type { Output } from './output.js';
import { plainTable } from './plain-table.js';
import { COLUMNS, type MethodSummary } from './summary.js';

const percent = (value: number): string => (value * 100).toFixed(1);
const MISSING = '–';

/** Mean and half width of an interval, in percent; the mean alone where one run gives no interval. */
function cell(row: MethodSummary, metric: (typeof COLUMNS)[number]['metric']): string {
  const interval = row.intervals[metric];
  if (interval === null) return MISSING;
  const half = interval.high === null ? '' : ` ± ${percent(interval.high - interval.mean)}`;
  return `${percent(interval.mean)}${half}`;
}

/**
 * The results table, bounds at the end. Values are in percent, mean ± half width of the 95 % interval over the runs; a
 * star marks a best value whose interval overlaps no other method's. Metrics that no method has are left out.
 */
export function renderTable(rows: readonly MethodSummary[], colour: Output['colour']): string {
  const columns = COLUMNS.filter(({ metric }) => rows.some((row) => row.intervals[metric] !== null));
  const head = ['method', ...columns.map(({ title }) => title), 'parameters', 'seconds', 'runs'];
  const lines = plainTable(head, rows.map((row) => [
    row.bound ? colour.dim(`${row.method} (bound)`) : row.method,
    ...columns.map(({ metric }) => (row.best.includes(metric) ? colour.bold(`${cell(row, metric)} *`) : cell(row, metric))),
    row.trainableParameters === null ? MISSING : row.trainableParameters.toLocaleString('en-GB'),
    row.seconds === null ? MISSING : row.seconds.toFixed(1),
    row.failed.length ? `${row.completed} + ${row.failed.length} failed` : String(row.completed),
  ]), [0]);
  const starred = rows.some((row) => row.best.length > 0);
  return [
    ...lines, '',
    'percent, mean ± 95 % interval over runs: accuracy after the last task, backward and forward transfer,',
    `forgetting, change on the general probes; parameters trained at once; seconds of a run`,
    ...(starred ? ['* best: its interval overlaps no other method'] : []),
  ].join('\n');
}
