import { noncentralStudent, studentQuantile } from './distributions.js';
import { leastP } from './permutation.js';

/** The probability with which a difference that is there shall be shown. */
export const POWER = 0.8;
/** More pairs than this nobody runs. */
export const MOST_PAIRS = 10_000;

/**
 * The power of a two-sided paired t test, to which that of the permutation test comes close (Cohen 1988, section 2.3).
 *
 * @param effect the mean difference in standard deviations of the differences
 */
export function pairedPower(effect: number, pairs: number, alpha: number): number {
  const critical = studentQuantile(pairs - 1, 1 - alpha / 2);
  const noncentrality = Math.abs(effect) * Math.sqrt(pairs);
  // far beyond the critical value the distribution function is 0 to all digits, and hard to compute
  if (noncentrality > critical + 30) return 1;
  return 1 - noncentralStudent(critical, pairs - 1, noncentrality) + noncentralStudent(-critical, pairs - 1, noncentrality);
}

/**
 * How many pairs it takes to show a difference of this size, if it is as large as it was seen to be; null for more than
 * {@link MOST_PAIRS}. A permutation test of fewer than 1 + log2(1 / alpha) pairs shows nothing, however large the difference.
 *
 * @param mean of the differences
 * @param deviation of the differences, 0 or more
 * @param alpha the level, after any correction for the number of tests
 */
export function pairsNeeded(mean: number, deviation: number, alpha: number, power = POWER): number | null {
  let low = 2;
  while (leastP(low) > alpha) low += 1;
  if (mean === 0) return null;
  const enough = (pairs: number) => deviation === 0 || pairedPower(mean / deviation, pairs, alpha) >= power;
  if (!enough(MOST_PAIRS)) return null;
  let high = MOST_PAIRS;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
