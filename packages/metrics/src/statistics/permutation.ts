import type { Random } from '@lethe/core';

/** Up to so many pairs all 2^n sign patterns are counted; beyond, so many are drawn. */
const EXACT_PAIRS = 40;
const DRAWS = 50_000;

/** The outcome of a paired permutation test. */
export interface PermutationTest {
  /** How often chance alone would give a mean difference at least as large in size, two-sided. */
  readonly p: number;
  /** Whether all sign patterns were counted; else a seeded sample of them. */
  readonly exact: boolean;
  readonly pairs: number;
  /** The smallest p that so many pairs can give. */
  readonly least: number;
}

/** The smallest two-sided p of n pairs: two of the 2^n sign patterns are as extreme as all signs equal. */
export const leastP = (pairs: number): number => Math.min(1, 2 ** (1 - pairs));

/** How many pairs it takes before any difference could be shown at a level that so many tests share, however large it is. */
export function fewestPairs(tests: number, alpha: number): number {
  let pairs = 1;
  while (leastP(pairs) * tests > alpha) pairs += 1;
  return pairs;
}

/** The sums of numbers under all patterns of signs, ascending. */
function signedSums(sizes: readonly number[]): Float64Array {
  let sums = new Float64Array(1);
  for (const size of sizes) {
    const next = new Float64Array(2 * sums.length);
    // those with a minus and those with a plus are ascending by themselves
    for (let i = 0, minus = 0, plus = 0; i < next.length; i++) {
      const takesMinus = plus === sums.length || (minus < sums.length && sums[minus]! - size <= sums[plus]! + size);
      next[i] = takesMinus ? sums[minus++]! - size : sums[plus++]! + size;
    }
    sums = next;
  }
  return sums;
}

/** Of all 2^n patterns of signs, how many give a sum at least this far from 0. Counted over the sums of each half (Horowitz and Sahni 1974): 2^(n/2) steps. */
function extremePatterns(sizes: readonly number[], least: number): number {
  if (least <= 0) return 2 ** sizes.length;
  const [one, other] = [signedSums(sizes.slice(0, sizes.length >> 1)), signedSums(sizes.slice(sizes.length >> 1))];
  let [above, from] = [0, other.length];
  for (const sum of one) {
    while (from > 0 && sum + other[from - 1]! >= least) from -= 1;
    above += other.length - from;
  }
  return 2 * above; // with all signs turned round, as many are as far below
}

/**
 * Tests whether paired differences are centred at zero: if the two methods were alike, each difference could as well have the other
 * sign (Fisher 1935, section 21). Assumes nothing of the shape of their distribution.
 *
 * @param differences a - b, one for each pair; their order does not matter
 */
export function permutationTest(differences: readonly number[], random: Random): PermutationTest {
  const sizes = differences.map(Math.abs).sort((a, b) => b - a);
  const pairs = sizes.length;
  const total = sizes.reduce((sum, size) => sum + size, 0);
  // sums that differ by rounding alone are ties
  const observed = Math.abs(differences.reduce((sum, d) => sum + d, 0)) - 1e-12 * total;
  const least = leastP(pairs);
  if (pairs <= EXACT_PAIRS) return { p: extremePatterns(sizes, observed) / 2 ** pairs, exact: true, pairs, least };
  let extreme = 0;
  for (let k = 0; k < DRAWS; k++) {
    let sum = 0;
    for (const size of sizes) sum += random.below(2) === 1 ? size : -size;
    if (Math.abs(sum) >= observed) extreme += 1;
  }
  // the observed pattern is one of those that may be drawn (Phipson and Smyth 2010): p is never zero
  return { p: (extreme + 1) / (DRAWS + 1), exact: false, pairs, least: Math.max(least, 1 / (DRAWS + 1)) };
}
