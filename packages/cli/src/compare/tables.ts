import { MISSING } from '@lethe/core';
import { type ReportedTable, percent, placesOf, points, probability } from '@lethe/leaderboard';
import { type Bounds, type Comparison, type Interval, type MetricComparison, type Range, differenceRange, withinRange } from '@lethe/metrics';
import type { Table } from '../draw.js';
import { distinctLabels } from '../labels.js';

/** A table of texts alone. */
const tableOf = (head: readonly string[], rows: readonly (readonly string[])[], textColumns: readonly number[]): Table => {
  const cells = (texts: readonly string[]) => texts.map((text) => ({ text }));
  return { head: cells(head), rows: rows.map(cells), textColumns, apart: 0 };
};

const bounds = (range: Bounds | null, show: (value: number) => string): string => (range === null ? MISSING : `${show(range[0])} to ${show(range[1])}`);

/** The bounds of an interval, cut where the metric ends. */
function boundsOf(interval: Interval, range: Range): Bounds | null {
  const { low, high } = withinRange(interval, range);
  return low === null || high === null ? null : [low, high];
}

/** What to call the methods of a comparison. */
export const namesOf = ({ methods }: Comparison): string[] => distinctLabels(methods.map(({ method }) => method));

/** The means of all methods, best first, bounds and those without a mean last. */
export function standingsTable(comparison: Comparison, { metric, standings }: MetricComparison): Table {
  const names = namesOf(comparison);
  const ranked = standings.some(({ ranks }) => ranks !== null);
  const place = ({ method, overRuns }: (typeof standings)[number]) =>
    (overRuns === null ? 2 : comparison.methods[method]!.bound ? 1 : 0);
  const sorted = [...standings].sort((a, b) =>
    place(a) - place(b) || metric.better * ((b.overRuns?.mean ?? 0) - (a.overRuns?.mean ?? 0)));
  const rows = sorted.map(({ method, overRuns, overRows, ranks }) => {
    const { bound, completed, failed } = comparison.methods[method]!;
    return [
      ...(ranked ? [ranks === null ? MISSING : placesOf(ranks)] : []),
      bound ? `${names[method]} (bound)` : names[method]!,
      overRuns === null ? MISSING : percent(overRuns.mean),
      overRuns === null ? MISSING : bounds(boundsOf(overRuns, metric.range), percent),
      bounds(overRows, percent),
      failed > 0 ? `${completed} + ${failed} failed` : String(completed),
    ];
  });
  return tableOf([...(ranked ? ['rank'] : []), 'method', metric.title, '95 % over runs', '95 % over rows', 'runs'], rows, [ranked ? 1 : 0]);
}

/** The pairs of methods, as they were tested. */
export function pairsTable(comparison: Comparison, { metric, pairs }: MetricComparison): Table {
  const names = namesOf(comparison);
  const head = ['difference', 'mean', '95 % over runs', '95 % over rows', 'pairs', 'p', 'Holm p', 'Holm, others', 'shown better', 'pairs needed'];
  const rows = pairs.map(({ a, b, difference, overRows, test, adjusted, elsewhere, better, pairsNeeded }) => [
    `${names[a]} − ${names[b]}`,
    points(difference.mean),
    bounds(boundsOf(difference, differenceRange(metric.range)), points),
    bounds(overRows, points),
    String(test.pairs),
    probability(test.p),
    probability(adjusted),
    elsewhere === null ? MISSING : probability(elsewhere),
    better === null ? 'not shown' : names[better]!,
    test.pairs < 2 ? MISSING : pairsNeeded === null ? '> 10 000' : String(pairsNeeded),
  ]);
  return tableOf(head, rows, [0, 8]);
}

/** A table of a paper. */
export function reportedTable({ metrics, rows }: ReportedTable): Table {
  const cells = rows.map(({ method, values }) => [method, ...metrics.map(({ id }) => percent(id in values ? values[id]! / 100 : null))]);
  return tableOf(['reported', ...metrics.map((metric) => metric.title)], cells, [0]);
}
