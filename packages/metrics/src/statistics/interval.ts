import { LEVEL, normalQuantile, studentQuantile } from './distributions.js';
import { deviationOf } from './mean.js';

/** A mean with its two-sided confidence interval; the bounds are null where there are too few values for any. */
export interface Interval {
  readonly mean: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly n: number;
  readonly level: typeof LEVEL;
}

/** The mean over seeds and orders with its t interval at level 0.95, or null for no values. */
export function intervalOf(values: readonly number[]): Interval | null {
  const n = values.length;
  if (n === 0) return null;
  const mean = values.reduce((sum, v) => sum + v, 0) / n;
  const deviation = deviationOf(values);
  if (deviation === null) return { mean, low: null, high: null, n, level: LEVEL };
  const half = studentQuantile(n - 1) * (deviation / Math.sqrt(n));
  return { mean, low: mean - half, high: mean + half, n, level: LEVEL };
}

/**
 * The interval of a proportion that was measured on `count` rows: the uncertainty that comes from having tested on these
 * rows and not on others. Wilson's score interval (Wilson 1927), which stays within [0, 1].
 *
 * @param proportion in [0, 1]
 * @param count rows, at least 1
 */
export function proportionInterval(proportion: number, count: number): Interval {
  const z = normalQuantile((1 + LEVEL) / 2);
  const centre = (proportion + z ** 2 / (2 * count)) / (1 + z ** 2 / count);
  const half = (z / (1 + z ** 2 / count)) * Math.sqrt((proportion * (1 - proportion)) / count + z ** 2 / (4 * count ** 2));
  return { mean: proportion, low: centre - half, high: centre + half, n: count, level: LEVEL };
}
