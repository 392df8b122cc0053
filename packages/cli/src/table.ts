import Table from 'cli-table3';
import type { Output } from './output.js';
import { COLUMNS, type MethodSummary } from './summary.js';

const percent = (value: number): string => (value * 100).toFixed(1);

/** Mean and half width of an interval, in percent; the mean alone where one run gives no interval. */
function cell(row: MethodSummary, metric: (typeof COLUMNS)[number]['metric']): string {
  const interval = row.intervals[metric];
  if (interval === null) return '–';
  const half = interval.high === null ? '' : ` ± ${percent(interval.high - interval.mean)}`;
  return `${percent(interval.mean)}${half}`;
}

/** One row of the table: the method, its metrics, its parameters and its seconds. */
export function tableRow(row: MethodSummary, colour: Output['colour']): string[] {
  const runs = row.failed.length ? `${row.completed} + ${row.failed.length} failed` : String(row.completed);
  return [
    row.bound ? colour.dim(`${row.method} (bound)`) : row.method,
    ...COLUMNS.map(({ metric }) => (row.best.includes(metric) ? colour.bold(`${cell(row, metric)} *`) : cell(row, metric))),
    row.trainableParameters === null ? '–' : row.trainableParameters.toLocaleString('en-GB'),
    row.seconds === null ? '–' : row.seconds.toFixed(1),
    runs,
  ];
}

/**
 * The results table, bounds at the end. Values are in percent, mean ± half width of the 95 % interval over the runs; a
 * star marks a best value whose interval overlaps no other method's.
 */
export function renderTable(rows: readonly MethodSummary[], colour: Output['colour']): string {
  const head = ['method', ...COLUMNS.map(({ title }) => title), 'trained params', 'seconds', 'runs'];
  const table = new Table({
    head,
    style: { head: [], border: [] },
    colAligns: head.map((_, i) => (i === 0 ? 'left' : 'right')),
  });
  table.push(...rows.map((row) => tableRow(row, colour)));
  const starred = rows.some((row) => row.best.length > 0);
  return [
    table.toString(),
    `mean ± 95 % interval over runs, in percent; seconds are the mean of a run${starred ? '; * best, its interval overlaps no other method' : ''}`,
  ].join('\n');
}
