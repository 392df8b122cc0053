import { type NdArray, beside, columnOf, columns, product, transposed } from './arrays.js';
import { symmetricEigen, takeAway } from './eigen.js';
import { leadingEigenvectors } from './leading.js';

/** Variance of features that do not vary. */
const TINY = 1e-6;
/** Share of the energy that float32 bases cannot tell from none. */
const ROUNDING = 1e-6;

/** X^T X / rows of the rows of X, (rows, size): their second moment, (size, size). */
export function secondMoment(x: NdArray): NdArray {
  const { shape, data } = product(transposed(x), x);
  return { shape, data: data.map((sum) => sum / x.shape[0]!) };
}

/**
 * The directions that hold most of a second moment C = E[x^T x], its leading eigenvectors; with a subspace to stay outside of,
 * those of (I - M M^T) C (I - M M^T).
 *
 * @param moment symmetric and positive semidefinite, (size, size)
 * @param basis M, orthonormal columns (size, k)
 * @returns columns (size, min(count, size)), those with the most energy first, orthonormal but for those that find nothing left
 * outside of the subspace, which vanish; where energies are close, the space that the columns span is right, and they are some
 * basis of it
 */
export function leadingDirections(moment: NdArray, count: number, basis?: NdArray): NdArray {
  const size = moment.shape[0]!;
  const searched = leadingEigenvectors((x) => away(times(moment, away(x, basis)), basis), size, count);
  const found = columns(searched ?? symmetricEigen(basis ? outside(moment, basis) : moment.data, size).vectors(count));
  // a direction without energy may lie anywhere, in the subspace too
  return basis ? minus(found, product(basis, product(transposed(basis), found))) : found;
}

/**
 * Gradient projection memory (Saha et al. 2021, arXiv 2103.09762, equations 5, 8 and 9): adds the fewest leading directions of
 * what lies outside of the subspace with which it holds at least `share` of the energy of C.
 *
 * @param basis orthonormal columns (size, k), undefined for none
 * @param share above 0, at most 1
 * @returns orthonormal columns (size, k + added)
 */
export function extendBasis(basis: NdArray | undefined, moment: NdArray, share: number): NdArray {
  const size = moment.shape[0]!;
  const rest = basis ? outside(moment, basis) : moment.data;
  const wanted = trace(rest, size) - (1 - share + ROUNDING) * trace(moment.data, size); // the energy that is missing
  if (basis && wanted <= 0) return basis;
  const { values, vectors } = symmetricEigen(rest, size);
  const free = size - (basis?.shape[1] ?? 0);
  let [added, energy] = [0, 0];
  while (added < free && energy < wanted) energy += Math.max(0, values[added++]!);
  if (basis && added === 0) return basis;
  const fresh = vectors(Math.max(added, 1));
  return beside(basis, columns(basis ? orthonormal(fresh, basis) : fresh));
}

/**
 * What makes features with a covariance C white: a matrix W with W^T C' W = I for C' = (1 - e) C + e mean(diag C) I, which is C drawn towards a ball, so
 * that few rows give a usable inverse (Ledoit and Wolf 2004, Journal of Multivariate Analysis 88, with a given e). W = L^-T of the
 * Cholesky factor L of C', which moves little when C does.
 *
 * @param covariance symmetric and positive semidefinite, (size, size); its lower half is read. One of zeros is taken for a tiny ball.
 * @param shrinkage e, above 0, at most 1
 * @returns upper triangular, (size, size)
 */
export function whitening(covariance: NdArray, shrinkage: number): NdArray {
  const size = covariance.shape[0]!;
  const ball = Math.max(trace(covariance.data, size) / size, TINY);
  const l = new Float64Array(size * size); // L, then its inverse
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = (1 - shrinkage) * covariance.data[i * size + j]! + (i === j ? shrinkage * ball : 0);
      for (let k = 0; k < j; k++) sum -= l[i * size + k]! * l[j * size + k]!;
      l[i * size + j] = i === j ? Math.sqrt(sum) : sum / l[j * (size + 1)]!;
    }
  }
  for (let i = 0; i < size; i++) {
    const diagonal = 1 / l[i * (size + 1)]!;
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let k = j; k < i; k++) sum += l[i * size + k]! * l[k * size + j]!;
      l[i * size + j] = -sum * diagonal;
    }
    l[i * (size + 1)] = diagonal;
  }
  return transposed({ shape: [size, size], data: Float32Array.from(l) });
}

/** (I - M M^T) C (I - M M^T) = C - M Q - (M Q)^T with Q = M^T C - M^T C M M^T / 2: half as many products as from the left to the right. */
function outside(c: NdArray, basis: NdArray): Float64Array {
  const size = c.shape[0]!;
  const across = transposed(basis); // (k, size)
  const inside = product(across, c); // (k, size)
  const twice = product(product(inside, basis), across);
  const part = product(basis, { shape: inside.shape, data: inside.data.map((v, i) => v - twice.data[i]! / 2) }); // (size, size)
  const [left, right] = [part.data, transposed(part).data];
  const rest = new Float64Array(size * size);
  for (let i = 0; i < rest.length; i++) rest[i] = c.data[i]! - left[i]! - right[i]!;
  return rest;
}

/** C x. */
function times({ data }: NdArray, x: Float64Array): Float64Array {
  return x.map((_, i) => {
    const row = i * x.length;
    let sum = 0;
    for (let j = 0; j < x.length; j++) sum += data[row + j]! * x[j]!;
    return sum;
  });
}

/** (I - M M^T) x. */
function away(x: Float64Array, basis: NdArray | undefined): Float64Array {
  if (!basis) return x;
  const [size, k] = basis.shape as [number, number];
  const along = new Float64Array(k); // M^T x
  for (let i = 0; i < size; i++) for (let j = 0; j < k; j++) along[j]! += basis.data[i * k + j]! * x[i]!;
  return x.map((v, i) => {
    let rest = v;
    for (let j = 0; j < k; j++) rest -= basis.data[i * k + j]! * along[j]!;
    return rest;
  });
}

/** Vectors that lie outside of a basis, made orthonormal to it and to each other: rounding left them almost so. */
function orthonormal(vectors: readonly Float64Array[], basis: NdArray): Float64Array[] {
  const all = Array.from({ length: basis.shape[1]! }, (_, k) => Float64Array.from(columnOf(basis, k)));
  for (const vector of vectors) {
    const length = takeAway(vector, all);
    all.push(vector.map((v) => v / length));
  }
  return all.slice(basis.shape[1]!);
}

const minus = ({ shape, data }: NdArray, other: NdArray): NdArray => ({ shape, data: data.map((v, i) => v - other.data[i]!) });

function trace(matrix: ArrayLike<number>, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += matrix[i * (size + 1)]!;
  return sum;
}
