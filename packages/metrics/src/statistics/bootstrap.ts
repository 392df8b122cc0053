import { type Random, createRandom } from '@lethe/core';
import { ALPHA, LEVEL, normalCumulative, studentQuantile } from './distributions.js';
import type { Interval } from './interval.js';

/** How often runs are drawn anew. */
const RESAMPLES = 10_000;

/** The value of one run, with what it was drawn by. */
export interface RunValue {
  readonly order: string;
  readonly seed: number;
  readonly value: number;
}

/** Sorted values' quantile with linear interpolation between order statistics (type 7 of Hyndman and Fan 1996). */
export function quantileOf(sorted: ArrayLike<number>, probability: number): number {
  const at = (sorted.length - 1) * probability;
  const below = sorted[Math.floor(at)]!;
  return below + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - below);
}

/** The middle `1 - 2 tail` of draws. Sorts them. */
export function middleOf(draws: Float64Array, tail: number): readonly [low: number, high: number] {
  draws.sort();
  return [quantileOf(draws, tail), quantileOf(draws, 1 - tail)];
}

/**
 * The part of the draws that is cut at each end for n values. The plain percentile interval is too narrow for few values: its
 * spread lacks n / (n - 1), and it knows no t. This is the expanded percentile interval of Hesterberg 2015 (arXiv 1411.5279),
 * as wide as a t interval where the values are normal.
 */
export const expandedTail = (n: number): number =>
  normalCumulative(-Math.sqrt(n / (n - 1)) * studentQuantile(n - 1, 1 - ALPHA / 2));

/** A random number of draws of each of n things, n draws in all. */
function drawCounts(n: number, random: Random): Float64Array {
  const counts = new Float64Array(n);
  for (let i = 0; i < n; i++) counts[random.below(n)]! += 1;
  return counts;
}

/**
 * The mean over runs with its bootstrap interval. Seeds and orders are drawn independently of each other, with replacement, so
 * that what all runs of one order have in common is counted once and not once a seed (the pigeonhole bootstrap, Owen 2007,
 * Annals of Applied Statistics 1). With one order the interval is over seeds alone and says nothing of other orders. Bounds are null for fewer
 * than three runs; whatever the method, an interval of n values that stays within their range misses the middle of the
 * distribution with probability 2^(1 - n) at least, so below six it cannot keep its level unless the values are spread evenly.
 *
 * @param values at least one; the order in which they come does not matter
 */
export function runInterval(values: readonly RunValue[], random: Random, resamples = RESAMPLES): Interval {
  const runs = [...values].sort((a, b) => a.seed - b.seed || (a.order < b.order ? -1 : 1));
  const mean = runs.reduce((sum, { value }) => sum + value, 0) / runs.length;
  const seeds = [...new Set(runs.map(({ seed }) => seed))];
  const orders = [...new Set(runs.map(({ order }) => order))];
  const n = Math.min(...[seeds.length, orders.length].filter((count) => count > 1));
  const interval = { mean, n: runs.length, level: LEVEL } as const;
  if (!Number.isFinite(n) || runs.length < 3) return { ...interval, low: null, high: null };
  const cells = runs.map(({ seed, order, value }) => ({ seed: seeds.indexOf(seed), order: orders.indexOf(order), value }));
  const draws = new Float64Array(resamples);
  for (let k = 0; k < resamples;) {
    const bySeed = drawCounts(seeds.length, random);
    const byOrder = drawCounts(orders.length, random);
    let weight = 0;
    let sum = 0;
    for (const { seed, order, value } of cells) {
      const times = bySeed[seed]! * byOrder[order]!;
      weight += times;
      sum += times * value;
    }
    // where not every seed ran in every order, a draw may hit no run
    if (weight > 0) draws[k++] = sum / weight;
  }
  const [low, high] = middleOf(draws, expandedTail(Math.max(n, 2)));
  return { ...interval, low, high };
}

/** {@link runInterval} of a metric, seeded by its name: the same runs give the same interval wherever it is shown. */
export const intervalOver = (values: readonly RunValue[], metric: string): Interval => runInterval(values, createRandom(1, 'runs', metric));
