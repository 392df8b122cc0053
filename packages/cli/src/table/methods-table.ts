import { MISSING } from '@lethe/core';
import { bytes, count, percent } from '@lethe/leaderboard';
import type { Interval, Metric } from '@lethe/metrics';
import type { Cell, Table } from '../draw.js';
import { COLUMNS, type MethodSummary } from './summary.js';

/** What the values of all tables are. */
export const VALUES = 'percent, mean ± half the 95 % interval over seeds and orders';

/** Why values are missing, where a method has some runs of which one failed; nothing where none has. */
export const failureWords = (rows: readonly MethodSummary[]): string[] =>
  (rows.some(({ completed, failed }) => completed > 0 && failed.length > 0) ? ['a method of which a run failed has no means: what is missing could have changed them'] : []);

/** Mean and half the width of an interval, in percent; the mean alone where few runs give no interval. */
const intervalText = ({ mean, low, high }: Interval): string =>
  (low === null || high === null ? percent(mean) : `${percent(mean)} ± ${percent((high - low) / 2)}`);

/** A method with what a reader must know of it. */
export const methodCell = ({ method, marks }: MethodSummary): Cell => ({ name: method, text: marks.length > 0 ? ` (${marks.join(', ')})` : '' });

/**
 * A metric of some methods. The best are those whose mean reads as the best of all that are no bounds.
 *
 * @param rows undefined for a method that did not run, whose cell is empty
 */
export function metricCells(rows: readonly (MethodSummary | undefined)[], { id, better }: Metric): Cell[] {
  const means = rows.flatMap((row) => (row === undefined || row.bound ? [] : row.intervals[id]?.mean ?? []));
  const best = means.length > 0 ? percent(better * Math.max(...means.map((mean) => better * mean))) : undefined;
  return rows.map((row) => {
    if (row === undefined) return { text: '' };
    const interval = row.intervals[id];
    return interval ? { text: intervalText(interval), best: !row.bound && percent(interval.mean) === best } : { text: MISSING };
  });
}

/** What runs of a method cost, or how many there are. */
export interface CostColumn {
  readonly title: string;
  readonly text: (row: MethodSummary) => string;
}

const shown = (value: number | null, show: (value: number) => string): string => (value === null ? MISSING : show(value));

/** Costs that do not depend on the machine. */
export const COSTS: readonly CostColumn[] = [
  { title: 'trained', text: ({ trained }) => shown(trained, count) },
  { title: 'added', text: ({ added }) => shown(added, count) },
  { title: 'stored', text: ({ stored }) => shown(stored, bytes) },
];
export const SECONDS: CostColumn = { title: 'seconds', text: ({ seconds }) => shown(seconds, (value) => value.toFixed(1)) };
export const RUNS: CostColumn = {
  title: 'runs', text: ({ completed, failed }) => (failed.length ? `${completed} + ${failed.length} failed` : String(completed)),
};

/** A row a method, in the order in which they come, bounds at the end; metrics that no method has are left out. */
export function methodsTable(rows: readonly MethodSummary[], costs: readonly CostColumn[]): Table {
  const columns = [
    { title: 'method', cells: rows.map(methodCell) },
    ...COLUMNS.filter(({ metric: { id } }) => rows.some(({ intervals }) => intervals[id] !== null)).map(({ metric, title }) => ({ title, cells: metricCells(rows, metric) })),
    ...costs.map(({ title, text }) => ({ title, cells: rows.map((row): Cell => ({ text: text(row) })) })),
  ];
  return {
    head: columns.map(({ title }) => ({ text: title })), rows: rows.map((_, i) => columns.map(({ cells }) => cells[i]!)), textColumns: [0], apart: rows.filter(({ bound }) => bound).length,
  };
}
