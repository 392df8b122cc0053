/**
 * Dense arrays outside of any graph. Learners, checkpoints and workers exchange these; tensors of TensorFlow.js exist
 * only inside functions that are traced or run eagerly, so there is nothing to dispose of outside of them.
 */
export interface NdArray {
  readonly shape: readonly number[];
  /** Row-major values; its length is the product of `shape`. */
  readonly data: Float32Array;
}

/** Named arrays, in insertion order (the order is part of the meaning: it fixes the layout of flat vectors). */
export type Arrays = Readonly<Record<string, NdArray>>;

/** The number of elements of an array with this shape; 1 for a scalar (`[]`). */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, d) => product * d, 1);
}

/** A new array of zeros. */
export function zeros(shape: readonly number[]): NdArray {
  return { shape: [...shape], data: new Float32Array(sizeOf(shape)) };
}

/** An independent copy of an array. */
export function clone(array: NdArray): NdArray {
  return { shape: [...array.shape], data: array.data.slice() };
}

/** The total size of the arrays in bytes, as stored (float32). */
export function bytesOf(arrays: Arrays): number {
  return Object.values(arrays).reduce((sum, a) => sum + a.data.byteLength, 0);
}

/** Vectors as the columns of a matrix (length, count), at least one. */
export function columns(vectors: readonly (Float32Array | Float64Array)[]): NdArray {
  const [n, count] = [vectors[0]!.length, vectors.length];
  const data = new Float32Array(n * count);
  vectors.forEach((vector, k) => vector.forEach((v, i) => (data[i * count + k] = v)));
  return { shape: [n, count], data };
}

/** Column k of a matrix. */
export function columnOf({ shape, data }: NdArray, k: number): Float32Array {
  const [n, count] = shape as [number, number];
  return Float32Array.from({ length: n }, (_, i) => data[i * count + k]!);
}

/** Two matrices side by side, (n, p) and (n, q) to (n, p + q); the right one alone where there is no left one. */
export function beside(left: NdArray | undefined, right: NdArray): NdArray {
  if (!left) return right;
  const [n, p, q] = [right.shape[0]!, left.shape[1]!, right.shape[1]!];
  const data = new Float32Array(n * (p + q));
  for (let row = 0; row < n; row++) {
    data.set(left.data.subarray(row * p, (row + 1) * p), row * (p + q));
    data.set(right.data.subarray(row * q, (row + 1) * q), row * (p + q) + p);
  }
  return { shape: [n, p + q], data };
}

/** One matrix below the other, (p, n) and (q, n) to (p + q, n); the bottom one alone where there is no top one. */
export function below(top: NdArray | undefined, bottom: NdArray): NdArray {
  if (!top) return bottom;
  const data = new Float32Array(top.data.length + bottom.data.length);
  data.set(top.data);
  data.set(bottom.data, top.data.length);
  return { shape: [top.shape[0]! + bottom.shape[0]!, bottom.shape[1]!], data };
}

/** The product of two matrices, (n, k) and (k, m) to (n, m), added up in float64. */
export function product(left: NdArray, right: NdArray): NdArray {
  const [n, k, m] = [left.shape[0]!, right.shape[0]!, right.shape[1]!];
  const data = new Float32Array(n * m);
  const sums = new Float64Array(m);
  const [a, b] = [left.data, right.data];
  for (let row = 0; row < n; row++) {
    sums.fill(0);
    let i = 0;
    // four rows of the right side at a time, in the same order of additions: the sums are read and written a quarter as often
    for (; i + 4 <= k; i += 4) {
      const at = row * k + i;
      const [f0, f1, f2, f3] = [a[at]!, a[at + 1]!, a[at + 2]!, a[at + 3]!];
      for (let c = 0, to = i * m; c < m; c++, to++) {
        sums[c] = sums[c]! + f0 * b[to]! + f1 * b[to + m]! + f2 * b[to + 2 * m]! + f3 * b[to + 3 * m]!;
      }
    }
    for (; i < k; i++) {
      const factor = a[row * k + i]!;
      for (let c = 0; c < m; c++) sums[c]! += factor * b[i * m + c]!;
    }
    data.set(sums, row * m);
  }
  return { shape: [n, m], data };
}

/** Side of the squares in which a matrix is transposed: the rows of one square, read and written, stay in the cache. */
const TILE = 16;

/** A matrix (n, m) as (m, n). */
export function transposed({ shape, data }: NdArray): NdArray {
  const [rows, columns] = shape as [number, number];
  const result = new Float32Array(rows * columns);
  for (let top = 0; top < rows; top += TILE) {
    const bottom = Math.min(top + TILE, rows);
    for (let left = 0; left < columns; left += TILE) {
      const right = Math.min(left + TILE, columns);
      for (let c = left; c < right; c++) {
        let from = top * columns + c;
        for (let to = c * rows + top; to < c * rows + bottom; to++, from += columns) result[to] = data[from]!;
      }
    }
  }
  return { shape: [columns, rows], data: result };
}

/** Means and standard deviations of the columns of a matrix (rows, size), at least one row: (2, size). Added up in float64. */
export function columnMoments({ shape, data }: NdArray): NdArray {
  const [rows, size] = shape as [number, number];
  const moments = new Float32Array(2 * size);
  for (let i = 0; i < size; i++) {
    let [sum, square] = [0, 0];
    for (let row = 0; row < rows; row++) sum += data[row * size + i]!;
    const mean = sum / rows;
    for (let row = 0; row < rows; row++) square += (data[row * size + i]! - mean) ** 2;
    moments[i] = mean;
    moments[size + i] = Math.sqrt(square / rows);
  }
  return { shape: [2, size], data: moments };
}
