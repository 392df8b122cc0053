/**
 * The rank of each of n: one more than how many were shown to be better. Those that cannot be told apart share a place; as with
 * every test, a and b may be alike, b and c alike, and a better than c.
 *
 * @param better whether the first was shown to be better than the second
 */
export const sharedRanks = (n: number, better: (a: number, b: number) => boolean): number[] =>
  Array.from({ length: n }, (_, i) => 1 + Array.from({ length: n }, (_, j) => j).filter((j) => j !== i && better(j, i)).length);
