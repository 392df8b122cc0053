import { createRandom } from '@lethe/core';
import { noncentralStudent, studentQuantile } from './distributions.js';
import { leastP } from './permutation.js';

/** The probability with which a difference that is there shall be shown. */
export const POWER = 0.8;
/** More pairs than this nobody runs. */
export const MOST_PAIRS = 10_000;
/** Up to so many pairs the power of the permutation test is simulated; beyond, it is that of the t test to a hundredth or two. */
const SIMULATED_PAIRS = 12;
const SIMULATIONS = 2000;

/**
 * The power of a two-sided paired t test (Cohen 1988, section 2.3).
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

/** Standard normal values, the same at every call, for {@link SIMULATIONS} samples of so many pairs. */
const samples = new Map<number, Float64Array>();
function normalSamples(pairs: number): Float64Array {
  const known = samples.get(pairs);
  if (known) return known;
  const random = createRandom(1, 'power', pairs);
  const made = Float64Array.from({ length: SIMULATIONS * pairs }, () => random.normal());
  samples.set(pairs, made);
  return made;
}

/** Whether at most `allowed` of the sign patterns in which the first difference keeps its sign are as extreme as what was seen. */
function isExtreme(differences: Float64Array, allowed: number): boolean {
  const total = differences.reduce((sum, value) => sum + value, 0);
  const observed = Math.abs(total) * (1 - 1e-12);
  let sum = total;
  let extreme = 1;
  const signs = new Int8Array(differences.length).fill(1);
  for (let pattern = 1; pattern < 2 ** (differences.length - 1); pattern++) {
    // in the order of Gray's code one sign changes from pattern to pattern: that of the lowest bit set
    const at = 1 + (31 - Math.clz32(pattern & -pattern));
    signs[at] = -signs[at]!;
    sum += 2 * signs[at]! * differences[at]!;
    if (Math.abs(sum) >= observed && ++extreme > allowed) return false;
  }
  return true;
}

/**
 * The power of the exact paired permutation test where differences are normal, simulated by the same samples at every call. With few
 * pairs it is well below that of the t test: six pairs show a difference only where all six have one sign.
 *
 * @param pairs at most 12 or so: the work doubles with each
 */
export function permutationPower(effect: number, pairs: number, alpha: number): number {
  const allowed = Math.floor(alpha * 2 ** (pairs - 1) * (1 + 1e-12));
  if (allowed < 1) return 0;
  const normals = normalSamples(pairs);
  let shown = 0;
  for (let k = 0; k < SIMULATIONS; k++) {
    if (isExtreme(normals.subarray(k * pairs, (k + 1) * pairs).map((value) => value + Math.abs(effect)), allowed)) shown += 1;
  }
  return shown / SIMULATIONS;
}

/**
 * How many pairs it takes to show a difference of this size by a paired permutation test, if it is as large and as steady as it was seen to
 * be; null for more than {@link MOST_PAIRS}. Fewer than 1 + log2(1 / alpha) pairs show nothing, however large the difference.
 *
 * @param mean of the differences
 * @param deviation of the differences, 0 or more
 * @param alpha the level, after any correction for the number of tests
 */
export function pairsNeeded(mean: number, deviation: number, alpha: number, power = POWER): number | null {
  let low = 2;
  while (leastP(low) > alpha) low += 1;
  if (mean === 0) return null;
  if (deviation === 0) return low;
  const effect = mean / deviation;
  for (; low <= SIMULATED_PAIRS; low++) {
    // where not even the t test is near, which makes the most of normal differences, there is nothing to simulate
    if (pairedPower(effect, low, alpha) > power - 0.05 && permutationPower(effect, low, alpha) >= power) return low;
  }
  const enough = (pairs: number) => pairedPower(effect, pairs, alpha) >= power;
  if (!enough(MOST_PAIRS)) return null;
  let high = MOST_PAIRS;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
