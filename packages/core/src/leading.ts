import { dot, subtract, symmetricEigen, takeAway } from './eigen.js';
import { createRandom } from './random.js';

/** Matrices up to this size take less than a second to be reduced. */
const WHOLE = 768;
/** How far C v may be from value v, in parts of the value. */
const CLOSE = 1e-7;
/** The same in parts of the largest value, for values that rounding cannot tell from 0. */
const ROUNDING = 1e-12;
/** Of a vector that had length 1, less than this left by others is rounding. */
const GONE = 1e-10;
/** Vectors looked among, as a multiple of those wanted, before the whole matrix is reduced after all. */
const MOST = 40;

/**
 * The leading eigenvectors of a large symmetric positive semidefinite matrix C, of which only products are asked for. They are looked for in
 * the space of some vectors, of what C makes of them, and of what it makes of that (block Lanczos with full orthogonalisation, Saad 2011,
 * Numerical Methods for Large Eigenvalue Problems, sections 6.5 and 6.6): some hundreds of products in place of size^3 operations.
 *
 * @param times C x of x
 * @returns orthonormal vectors, the one of the largest value first; null where the matrix is small enough to be reduced as a whole, or its
 * values lie too close to each other to be told apart so
 */
export function leadingEigenvectors(times: (x: Float64Array) => Float64Array, size: number, count: number): Float64Array[] | null {
  if (size <= WHOLE || size <= MOST * count) return null;
  const random = createRandom(1, 'eigenvectors');
  /** Orthonormal vectors q, and C q of each. */
  const [space, images]: [Float64Array[], Float64Array[]] = [[], []];
  /** q^T C q', row by row. */
  const inner: number[][] = [];
  let block: Float64Array[] = Array.from({ length: count }, () => Float64Array.from(random.normals(size, 1)));
  while (space.length < MOST * count) {
    for (const vector of block) {
      // one that is a combination of the others leads nowhere, where any other may
      if (!extend(space, vector)) extend(space, Float64Array.from(random.normals(size, 1)));
    }
    for (const q of space.slice(images.length)) {
      const image = times(q);
      images.push(image);
      inner.push(space.slice(0, images.length).map((other) => dot(other, image)));
    }
    const m = space.length;
    const { values, vectors } = symmetricEigen(inner.flatMap((row) => [...row, ...new Array<number>(m - row.length).fill(0)]), m);
    const weights = vectors(count);
    const residuals = weights.map((w, k) => {
      const residual = combined(images, w);
      subtract(residual, combined(space, w), values[k]!);
      return residual;
    });
    block = residuals.filter((residual, k) => Math.sqrt(dot(residual, residual)) > CLOSE * Math.abs(values[k]!) + ROUNDING * Math.abs(values[0]!));
    if (block.length === 0) return weights.map((w) => combined(space, w));
  }
  return null;
}

/** Adds what a vector has outside of orthonormal ones, at length 1; false where that is nothing. */
function extend(space: Float64Array[], vector: Float64Array): boolean {
  const length = Math.sqrt(dot(vector, vector));
  const left = takeAway(vector, space);
  if (!(left > GONE * length)) return false;
  space.push(vector.map((v) => v / left));
  return true;
}

/** The sum of vectors, each times its weight. */
function combined(vectors: readonly Float64Array[], weights: Float64Array): Float64Array {
  const sum = new Float64Array(vectors[0]!.length);
  vectors.forEach((vector, i) => subtract(sum, vector, -weights[i]!));
  return sum;
}
