import { extname, resolve } from 'node:path';
import { LetheError, type Run, quoted, writeWhole } from '@lethe/core';
import { csvLines } from '../csv-lines.js';
import { methodRuns } from '../method-runs.js';
import type { Output } from '../output.js';
import { here, typed } from '../paths.js';
import { failureWords } from '../table/methods-table.js';
import { type Column, columnsOf, termsOf } from '../table/suites-table.js';
import { FIGURES, described, seenMeasures } from './figures.js';
import type { PlotFlags } from './kinds.js';

const FORMATS = ['.svg', '.csv'];

/** What a figure is written as. */
function formatOf(file: string): string {
  const format = extname(file).toLowerCase();
  if (FORMATS.includes(format)) return format;
  throw new LetheError('LETHE_USAGE', `--out: a figure is not written as "${here(resolve(file))}".`, { remedy: `Give it a name that ends in ${FORMATS.join(' or ')}.` });
}

/** The one set of runs that may be compared. */
function columnOf(runs: readonly Run[]): Column {
  const columns = columnsOf(runs, seenMeasures(Math.max(...runs.map(({ order }) => order.tasks.length))));
  if (columns.length === 1) return columns[0]!;
  throw new LetheError('LETHE_USAGE', `A figure is of runs that may be compared, and these are of ${columns.length} suites, models or budgets.`, {
    where: columns.map(termsOf).join('; '), remedy: 'Make a figure of each.',
  });
}

/** The command that makes a figure. */
const commandOf = (paths: readonly string[], { out, kind, methods, plugins = [] }: PlotFlags): string => [
  'lethe plot', ...paths.map(typed), `--kind ${kind}`, ...(methods === undefined ? [] : [`--methods ${quoted(methods)}`]), ...plugins.map((folder) => `--plugins ${typed(folder)}`),
  `--out ${typed(out)}`,
].join(' ');

/**
 * `lethe plot RUN [RUN…] --out FILE`: what runs show of their methods, as a drawing, or as the values of one. The file goes to stdout.
 *
 * @param paths run folders or entries of the leaderboard
 * @throws LETHE_USAGE for a file of another kind, and for runs that may not be compared; LETHE_STATISTICS_MISSING where no method has values; the
 *   errors of `methodRuns`, of `columnsOf` and of `writeWhole`
 */
export async function plotCommand(paths: readonly string[], flags: PlotFlags, output: Output): Promise<void> {
  const format = formatOf(flags.out);
  const column = columnOf(await methodRuns(paths, flags.methods, 'figure', output));
  const { draw, values, title, about, methods } = FIGURES[flags.kind](column);
  const failures = failureWords(column.rows);
  if (methods === 0) {
    throw new LetheError('LETHE_STATISTICS_MISSING', `None of these methods has a place in this figure: ${title}.`, {
      where: paths.join(', '), remedy: failures.length > 0 ? `Finish the runs that failed with: lethe resume ${typed(paths[0]!)}` : 'Give runs of a method that learns one task after another.',
    });
  }
  for (const line of failures) output.note(line);
  const file = resolve(flags.out);
  await writeWhole(file, format === '.csv' ? `${csvLines(values)}\n` : `${described(draw(), [title, termsOf(column), about, commandOf(paths, flags)])}\n`);
  output.data(here(file));
}
