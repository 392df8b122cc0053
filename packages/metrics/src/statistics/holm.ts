/**
 * Holm's step-down correction (Holm 1979): with these in place of the p values, the probability that any difference is taken for
 * shown that is not there stays below the level, however the tests depend on each other.
 *
 * @param family how many tests were to be made, where some of them could not be
 * @returns adjusted p values in the order given
 */
export function holm(ps: readonly number[], family = ps.length): number[] {
  const order = ps.map((p, i) => ({ p, i })).sort((a, b) => a.p - b.p);
  const adjusted = ps.map(() => 0);
  let highest = 0;
  order.forEach(({ p, i }, rank) => {
    highest = Math.max(highest, Math.min(1, p * (family - rank)));
    adjusted[i] = highest;
  });
  return adjusted;
}
