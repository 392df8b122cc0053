import type { CompletedRun, Metrics } from '@lethe/core';

/** A mean with its two-sided confidence interval; the bounds are null for fewer than two values. */
export interface Interval {
  readonly mean: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly n: number;
  readonly level: 0.95;
}

/** 97.5 % quantiles of Student's t for 1 to 10 degrees of freedom, where the expansion below is not yet exact. */
const QUANTILES = [12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281];
const NORMAL = 1.959963984540054;

/** 97.5 % quantile of Student's t (Cornish-Fisher expansion, Abramowitz and Stegun 26.7.5). */
export function studentQuantile(degrees: number): number {
  const listed = QUANTILES[degrees - 1];
  if (listed !== undefined) return listed;
  const z = NORMAL;
  return z
    + (z ** 3 + z) / (4 * degrees)
    + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2)
    + (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * degrees ** 3);
}

/** The mean over seeds and orders with its t interval at level 0.95, or null for no values. */
export function intervalOf(values: readonly number[]): Interval | null {
  const n = values.length;
  if (n === 0) return null;
  const mean = values.reduce((sum, v) => sum + v, 0) / n;
  if (n === 1) return { mean, low: null, high: null, n, level: 0.95 };
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (n - 1);
  const half = studentQuantile(n - 1) * Math.sqrt(variance / n);
  return { mean, low: mean - half, high: mean + half, n, level: 0.95 };
}

/**
 * The interval of a proportion that was measured on `count` rows: the uncertainty that comes from having tested on these
 * rows and not on others. Wilson's score interval (Wilson 1927), which stays within [0, 1].
 *
 * @param proportion in [0, 1]
 * @param count rows, at least 1
 */
export function proportionInterval(proportion: number, count: number): Interval {
  const z2 = NORMAL ** 2;
  const centre = (proportion + z2 / (2 * count)) / (1 + z2 / count);
  const half = (NORMAL / (1 + z2 / count)) * Math.sqrt((proportion * (1 - proportion)) / count + z2 / (4 * count ** 2));
  return { mean: proportion, low: centre - half, high: centre + half, n: count, level: 0.95 };
}

/**
 * The interval of a - b over the pairs of runs that share order and seed: what two methods have in common cancels out.
 * Runs without a partner, or without the metric, are left out. Null where there is no pair.
 */
export function pairedDifference(
  a: readonly CompletedRun[],
  b: readonly CompletedRun[],
  metric: keyof Metrics,
): Interval | null {
  const key = (run: CompletedRun) => JSON.stringify([run.suite, run.model.sha256, run.order, run.seed]);
  const partners = new Map(b.map((run) => [key(run), run.metrics[metric]]));
  const differences = a.flatMap((run) => {
    const mine = run.metrics[metric];
    const theirs = partners.get(key(run));
    return mine === null || theirs === null || theirs === undefined ? [] : [mine - theirs];
  });
  return intervalOf(differences);
}
