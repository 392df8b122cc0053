import { LetheError, quoted } from '@lethe/core';
import { type Metric, comparableRuns } from '@lethe/metrics';
import { methodRuns } from '../method-runs.js';
import { madeBy } from '../made-by.js';
import { metricNamed } from '../metric-named.js';
import type { Output } from '../output.js';
import { typed } from '../paths.js';
import { csvOf } from './csv.js';
import { DRAW, type Format, PREAMBLE, type Table, latexComment } from '../draw.js';
import { COSTS, RUNS, VALUES, failureWords, methodsTable } from './methods-table.js';
import { type Column, columnsOf, methodsOf, rowOf, suitesTable, termsOf } from './suites-table.js';
import { RANKING } from './summary.js';

/** The flags of `lethe table`. */
export interface TableFlags {
  readonly methods?: string;
  readonly metric?: string;
  readonly costs?: boolean;
  readonly markdown?: boolean;
  readonly latex?: boolean;
  readonly csv?: boolean;
  readonly plugins?: readonly string[];
}

/**
 * The table of some runs, and what its values are: all metrics of their methods where all may be compared, else a column for each set that may,
 * in average accuracy; so too where one metric was asked for.
 */
function tableOf(columns: readonly Column[], metric: Metric | undefined, costs: boolean): { readonly table: Table; readonly values: string } {
  const [only, ...others] = columns;
  if (metric === undefined && others.length === 0) return { table: methodsTable(only!.rows, costs ? [...COSTS, RUNS] : []), values: VALUES };
  if (costs) {
    throw new LetheError('LETHE_USAGE', `--costs stand in a table of runs that may be compared, and these are of ${columns.length} suites, models or budgets.`, {
      where: columns.map(termsOf).join('; '), remedy: 'Leave it out, or make a table of each.',
    });
  }
  const shown = metric ?? RANKING;
  return { table: suitesTable(columns, shown), values: `${shown.title} in ${VALUES}` };
}

/** Methods of which columns have other versions, in words. */
function versionWords(columns: readonly Column[]): string[] {
  return methodsOf(columns).flatMap(({ method }) => {
    const versions = [...new Set(columns.flatMap((column) => rowOf(column, method)?.version ?? []))];
    return versions.length > 1 ? [`${method} is not of one version in all columns: ${versions.join(', ')}`] : [];
  });
}

/** The command that makes a table for LaTeX. */
const commandOf = (paths: readonly string[], { methods, metric, costs, plugins = [] }: TableFlags): string => [
  'lethe table', ...paths.map(typed), ...(methods === undefined ? [] : [`--methods ${quoted(methods)}`]), ...(metric === undefined ? [] : [`--metric ${metric}`]),
  ...(costs ? ['--costs'] : []), '--latex', ...plugins.map((folder) => `--plugins ${typed(folder)}`),
].join(' ');

/** What stands around a table: how to read it in a terminal; where it comes from too in LaTeX, as comments, so that it can be pasted as it is. */
function withWords(format: Format, lines: readonly string[], about: readonly string[], origin: readonly [command: string, versions: string]): string[] {
  if (format === 'markdown') return [...lines];
  if (format === 'text') return [...lines, '', ...about];
  const [command, versions] = origin;
  const said = [command, versions, ...about, 'bold: the best mean of a column, bounds aside; lethe compare says which differences were shown', PREAMBLE];
  return [...said.map(latexComment), ...lines];
}

/**
 * `lethe table RUN [RUN…]`: what runs show of their methods, as one table that can be printed, or as CSV for tables of one's own.
 *
 * @param paths run folders or entries of the leaderboard
 * @throws LETHE_USAGE for an unknown metric, and for costs of runs that may not be compared; the errors of `methodRuns` and of `columnsOf`
 */
export async function tableCommand(paths: readonly string[], flags: TableFlags, output: Output): Promise<void> {
  const metric = flags.metric === undefined ? undefined : metricNamed(flags.metric);
  const runs = await methodRuns(paths, flags.methods, 'table', output);
  if (flags.csv) return output.data(csvOf(comparableRuns(runs).flat()));
  const columns = columnsOf(runs, metric && [metric]);
  const { table, values } = tableOf(columns, metric, flags.costs ?? false);
  for (const line of versionWords(columns)) output.note(line);
  const about = [...new Set(columns.map(termsOf)), values, ...failureWords(columns.flatMap(({ rows }) => rows))];
  const format = flags.latex ? 'latex' : flags.markdown ? 'markdown' : 'text';
  output.data(withWords(format, DRAW[format](table), about, [commandOf(paths, flags), madeBy(runs)]).join('\n'));
}
