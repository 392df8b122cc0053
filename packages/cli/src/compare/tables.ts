import { MISSING } from '@lethe/core';
import { type ReportedTable, percent, placesOf, points, probability } from '@lethe/leaderboard';
import { type Bounds, type Comparison, type Interval, type MetricComparison, type Range, differenceRange, withinRange } from '@lethe/metrics';
import { methodLabels } from '../labels.js';

/** A table before it is drawn for a terminal, Markdown or LaTeX. */
export interface ComparisonTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns that hold text and not numbers. */
  readonly textColumns: readonly number[];
}

const bounds = (range: Bounds | null, show: (value: number) => string): string => (range === null ? MISSING : `${show(range[0])} to ${show(range[1])}`);

/** The bounds of an interval, cut where the metric ends. */
function boundsOf(interval: Interval, range: Range): Bounds | null {
  const { low, high } = withinRange(interval, range);
  return low === null || high === null ? null : [low, high];
}

/** What to call the methods of a comparison. */
export function namesOf({ methods }: Comparison): string[] {
  const labels = methodLabels(methods.map(({ method }) => method));
  return labels.map((label, i) => (labels.indexOf(label) === labels.lastIndexOf(label) ? label : `${label} ${methods[i]!.method.version}`));
}

/** The means of all methods, best first, bounds and those without a mean last. */
export function standingsTable(comparison: Comparison, { metric, standings }: MetricComparison): ComparisonTable {
  const names = namesOf(comparison);
  const ranked = standings.some(({ ranks }) => ranks !== null);
  const place = ({ method, overRuns }: (typeof standings)[number]) =>
    (overRuns === null ? 2 : comparison.methods[method]!.bound ? 1 : 0);
  const sorted = [...standings].sort((a, b) =>
    place(a) - place(b) || metric.better * ((b.overRuns?.mean ?? 0) - (a.overRuns?.mean ?? 0)));
  return {
    head: [...(ranked ? ['rank'] : []), 'method', metric.title, '95 % over runs', '95 % over rows', 'runs'],
    textColumns: [ranked ? 1 : 0],
    rows: sorted.map(({ method, overRuns, overRows, ranks }) => {
      const { bound, completed, failed } = comparison.methods[method]!;
      return [
        ...(ranked ? [ranks === null ? MISSING : placesOf(ranks)] : []),
        bound ? `${names[method]} (bound)` : names[method]!,
        overRuns === null ? MISSING : percent(overRuns.mean),
        overRuns === null ? MISSING : bounds(boundsOf(overRuns, metric.range), percent),
        bounds(overRows, percent),
        failed > 0 ? `${completed} + ${failed} failed` : String(completed),
      ];
    }),
  };
}

/** The pairs of methods, as they were tested. */
export function pairsTable(comparison: Comparison, { metric, pairs }: MetricComparison): ComparisonTable {
  const names = namesOf(comparison);
  return {
    head: ['difference', 'mean', '95 % over runs', '95 % over rows', 'pairs', 'p', 'Holm p', 'Holm, others', 'shown better', 'pairs needed'],
    textColumns: [0, 8],
    rows: pairs.map(({ a, b, difference, overRows, test, adjusted, elsewhere, better, pairsNeeded }) => [
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
    ]),
  };
}

/** A table of a paper. */
export function reportedTable({ metrics, rows }: ReportedTable): ComparisonTable {
  return {
    head: ['reported', ...metrics.map((metric) => metric.title)], textColumns: [0],
    rows: rows.map(({ method, values }) => [method, ...metrics.map(({ id }) => percent(id in values ? values[id]! / 100 : null))]),
  };
}
