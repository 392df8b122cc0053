import { Matrix, QrDecomposition } from 'ml-matrix';
import type { NdArray } from './arrays.js';
import { symmetricEigen } from './eigen.js';

/** Share of the energy that float32 bases cannot tell from none. */
const ROUNDING = 1e-6;

/** X^T X / rows of the rows of X, (rows, size): their second moment, (size, size). */
export function secondMoment({ shape, data }: NdArray): NdArray {
  const x = dense({ shape, data });
  return plain(x.transpose().mmul(x).div(x.rows));
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
  const c = dense(moment);
  const m = basis && dense(basis);
  const found = columns(symmetricEigen((m ? outside(c, m) : c).to1DArray(), c.rows).vectors(count));
  // a direction without energy may lie anywhere, in the subspace too
  return plain(m ? Matrix.sub(found, m.mmul(m.transpose().mmul(found))) : found);
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
  const c = dense(moment);
  const known = basis && dense(basis);
  const rest = known ? outside(c, known) : c;
  const wanted = rest.trace() - (1 - share + ROUNDING) * c.trace(); // the energy that is missing
  if (known && wanted <= 0) return basis;
  const { values, vectors } = symmetricEigen(rest.to1DArray(), c.rows);
  const free = c.rows - (known?.columns ?? 0);
  let [added, energy] = [0, 0];
  while (added < free && energy < wanted) energy += Math.max(0, values[added++]!);
  if (known && added === 0) return basis;
  const fresh = columns(vectors(Math.max(added, 1)));
  return plain(known ? orthonormal(beside(known, fresh)) : fresh);
}

/** (I - M M^T) C (I - M M^T) = C - M Q - (M Q)^T with Q = M^T C - M^T C M M^T / 2: half as many products as from the left to the right. */
function outside(c: Matrix, basis: Matrix): Matrix {
  const inside = basis.transpose().mmul(c); // (k, size)
  const q = Matrix.sub(inside, inside.mmul(basis).mmul(basis.transpose()).div(2));
  const part = basis.mmul(q);
  return Matrix.sub(c, part).sub(part.transpose());
}

/** Vectors as columns. */
const columns = (vectors: readonly Float64Array[]): Matrix => new Matrix([...vectors]).transpose();

const orthonormal = (columns: Matrix): Matrix => new QrDecomposition(columns).orthogonalMatrix;

function beside(left: Matrix, right: Matrix): Matrix {
  const joined = new Matrix(left.rows, left.columns + right.columns);
  return joined.setSubMatrix(left, 0, 0).setSubMatrix(right, 0, left.columns);
}

function dense({ shape, data }: NdArray): Matrix {
  return Matrix.from1DArray(shape[0]!, shape[1]!, [...data]);
}

function plain(matrix: Matrix): NdArray {
  return { shape: [matrix.rows, matrix.columns], data: Float32Array.from(matrix.to1DArray()) };
}
