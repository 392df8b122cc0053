import { LetheError, type Run, budgetWords, departuresOf, suiteLabel } from '@lethe/core';
import { type Metric, comparableRuns } from '@lethe/metrics';
import type { Cell, Table } from '../draw.js';
import { methodCell, metricCells } from './methods-table.js';
import { type Measure, type MethodSummary, summarise } from './summary.js';

/** What runs under the same terms show of their methods: a table of its own, or a column of one. */
export interface Column extends Pick<Run, 'suite' | 'model' | 'training'> {
  readonly tasks: readonly string[];
  readonly orders: readonly string[];
  readonly rows: readonly MethodSummary[];
}

/** What a column is of, in words. */
export const termsOf = ({ suite, model }: Column): string => `${suiteLabel(suite)}, on ${model.id}`;

/**
 * A column for each set of runs that may be compared, in the order in which they come.
 *
 * @param others what to measure beside those of a table of methods
 * @throws LETHE_RUN_AMBIGUOUS where one run is there with two outcomes; LETHE_USAGE where two methods of a column have the same name
 */
export function columnsOf(runs: readonly Run[], others: readonly Measure[] = []): Column[] {
  return comparableRuns(runs).map((own): Column => {
    const [{ suite, model, training, order }] = own as [Run];
    const rows = summarise({ runs: own }, others);
    const twice = rows.find(({ method }, i) => rows.findIndex((row) => row.method === method) < i);
    if (twice) {
      throw new LetheError('LETHE_USAGE', `Two methods are called "${twice.method}" in runs of ${suiteLabel(suite)}: they differ in options, or in what they declare.`, {
        remedy: 'Give only the runs of one of them, or run each under a label of its own.',
      });
    }
    return { suite, model, training, tasks: order.tasks, orders: [...new Set(own.map((run) => run.order.id))], rows };
  });
}

/** What tells columns of a suite apart, each tried where those before it do not. */
const APART: readonly ((column: Column) => string)[] = [
  ({ suite }) => suite.version,
  ({ model }) => model.id,
  ({ model }) => `model ${model.sha256.slice(0, 12)}`,
  ({ training }) => budgetWords(training).join(', '),
  ({ tasks }) => `${tasks.length} tasks`,
  ({ orders }) => `orders ${orders.join(' ')}`,
];

/** What columns are called: their suite, with the size and whatever else is not as it is by default, or tells them apart. */
export function titlesOf(columns: readonly Column[]): Cell[] {
  let titles = columns.map(({ suite }) => ({
    name: suite.id, words: [...(suite.size === 'full' ? [] : [suite.size]), ...departuresOf(suite), ...(suite.scored ? [`${suite.scored} rows`] : [])],
  }));
  for (const apart of APART) {
    const keys = titles.map((title) => JSON.stringify(title));
    titles = titles.map((title, i) => {
      const own = apart(columns[i]!);
      const open = columns.some((other, k) => keys[k] === keys[i] && apart(other) !== own);
      return open ? { ...title, words: [...title.words, own] } : title;
    });
  }
  return titles.map(({ name, words }) => ({ name, text: words.length > 0 ? ` (${words.join(', ')})` : '' }));
}

/** How many runs the methods of a column have. */
function runsWords({ rows }: Column): string {
  const counts = rows.map(({ completed, failed }) => completed + failed.length);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least < most ? `${least} to ${most} runs` : `${most} ${most === 1 ? 'run' : 'runs'} each`;
}

/** The methods of all columns in the order of the first that has them, bounds last. */
export function methodsOf(columns: readonly Column[]): MethodSummary[] {
  const all = columns.flatMap(({ rows }) => rows);
  const first = all.filter(({ method }, i) => all.findIndex((row) => row.method === method) === i);
  return [...first.filter(({ bound }) => !bound), ...first.filter(({ bound }) => bound)];
}

/** A method of a column; undefined where it did not run. */
export const rowOf = ({ rows }: Column, method: string): MethodSummary | undefined => rows.find((row) => row.method === method);

/** A row a method and a column for each set of runs that may be compared: one metric of all. The cell of a method that did not run is empty. */
export function suitesTable(columns: readonly Column[], metric: Metric): Table {
  const methods = methodsOf(columns);
  const cells = columns.map((column) => metricCells(methods.map(({ method }) => rowOf(column, method)), metric));
  return {
    head: [{ text: 'method' }, ...titlesOf(columns).map(({ text, ...title }, i) => ({ ...title, text: `${text}, ${runsWords(columns[i]!)}` }))],
    rows: methods.map((method, i) => [methodCell(method), ...cells.map((own) => own[i]!)]),
    textColumns: [0],
    apart: methods.filter(({ bound }) => bound).length,
  };
}
