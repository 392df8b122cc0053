import type { Interval } from '@lethe/metrics';

/** What a competitor shows in one metric. */
export interface Contender {
  /** Null where the metric is not defined. */
  readonly interval: Interval | null;
  /** Trials of which there is no result: they can hide bad ones. */
  readonly failed: number;
}

/** The range that a value may lie in; a single run is known by its value alone. */
const range = ({ mean, low, high }: Interval): readonly [number, number] => [low ?? mean, high ?? mean];

/** Whether all that a may be is better than all that b may be. */
function beyond(a: Interval, b: Interval, better: 1 | -1): boolean {
  const [low, high] = range(a);
  const [otherLow, otherHigh] = range(b);
  return better > 0 ? low > otherHigh : high < otherLow;
}

/**
 * The rank of every contender: one more than how many have an interval that lies wholly on the better side of its own, so
 * that overlapping intervals share a rank. Null without an interval: one run is not ranked, and outranks nobody.
 *
 * @param better 1 where higher is better, -1 where lower is
 */
export function ranksOf(contenders: readonly Contender[], better: 1 | -1): (number | null)[] {
  const known = contenders.flatMap(({ interval }) => (interval && interval.low !== null ? [interval] : []));
  return contenders.map(({ interval }) =>
    (interval === null || interval.low === null ? null : 1 + known.filter((other) => beyond(other, interval, better)).length));
}

/**
 * The place of the one contender that is best, or -1: its interval lies beyond that of every other (beyond the value of one
 * that ran once), it has rivals, and none of its own trials failed.
 */
export function bestOf(contenders: readonly Contender[], better: 1 | -1): number {
  const known = contenders.flatMap(({ interval }) => (interval ? [interval] : []));
  if (known.length < 2) return -1;
  return contenders.findIndex(({ interval, failed }) =>
    interval !== null && interval.low !== null && failed === 0 && known.every((other) => other === interval || beyond(interval, other, better)));
}
