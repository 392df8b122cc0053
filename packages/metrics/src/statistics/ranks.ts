/** The best and the worst place that one of several may have. */
export type Ranks = readonly [best: number, worst: number];

/**
 * The places that each of n may have, by what was shown of all pairs: no better than one more than the number shown to be better, no worse than
 * n less the number shown to be worse. Where the tests were corrected for all pairs, all of the ranges together hold the true places
 * with the confidence of the tests (Mogstad, Romano, Shaikh and Wilhelm 2024, Review of Economic Studies 91). Those that
 * cannot be told apart share places; as with every test, a and b may be alike, b and c alike, and a better than c.
 *
 * @param better whether the first was shown to be better than the second
 */
export function ranksOf(n: number, better: (a: number, b: number) => boolean): Ranks[] {
  const all = Array.from({ length: n }, (_, i) => i);
  const others = (i: number) => all.filter((j) => j !== i);
  return all.map((i) => [1 + others(i).filter((j) => better(j, i)).length, n - others(i).filter((j) => better(i, j)).length]);
}
