/**
 * Primitive polynomials over GF(2) and first direction numbers, a row for each dimension after the first: the inner coefficients of the polynomial
 * as bits, then as many numbers as its degree (Joe and Kuo, "Constructing Sobol sequences with better two-dimensional projections", 2008: new-joe-kuo-6).
 */
const DIRECTIONS: readonly (readonly [coefficients: number, ...first: number[]])[] = [
  [0, 1], [1, 1, 3], [1, 1, 3, 1], [2, 1, 1, 1], [1, 1, 1, 3, 3], [4, 1, 3, 5, 13], [2, 1, 1, 5, 5, 17], [4, 1, 1, 5, 5, 5], [7, 1, 1, 7, 11, 19],
];

/** Binary digits of a coordinate. */
const BITS = 30;

/** The direction numbers of a dimension, counted from 0, as {@link BITS} binary digits each. */
function directions(dimension: number): number[] {
  if (dimension === 0) return Array.from({ length: BITS }, (_, i) => 2 ** (BITS - 1 - i));
  const [coefficients, ...first] = DIRECTIONS[dimension - 1]!;
  const degree = first.length;
  const all = first.map((m, i) => m * 2 ** (BITS - 1 - i));
  for (let i = degree; i < BITS; i++) {
    let next = all[i - degree]! ^ (all[i - degree]! >> degree);
    for (let k = 1; k < degree; k++) if ((coefficients >> (degree - 1 - k)) & 1) next ^= all[i - k]!;
    all.push(next);
  }
  return all;
}

const OF_DIMENSION = Array.from({ length: DIRECTIONS.length + 1 }, (_, dimension) => directions(dimension));

/**
 * Point n >= 1 of Sobol's sequence of up to ten dimensions (the ranges of a manifest, and the learning rate's), in the order of Gray codes: of the
 * first 2^k - 1 points every coordinate has each multiple of 2^-k between 0 and 1 once, so that a few points fill every range evenly, and more only
 * add to them.
 */
export function sobolPoint(n: number, d: number): number[] {
  const gray = n ^ (n >> 1);
  return OF_DIMENSION.slice(0, d).map((all) => all.reduce((sum, direction, i) => ((gray >> i) & 1 ? sum ^ direction : sum), 0) / 2 ** BITS);
}
