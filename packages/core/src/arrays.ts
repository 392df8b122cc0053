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

/** Columns of a product that are worked out at a time, two rows of each: their sums stay in registers. */
const WIDTH = 4;

/** The product of two matrices, (n, k) and (k, m) to (n, m), added up in float64, over k from its first to its last. */
export function product(left: NdArray, right: NdArray): NdArray {
  const [n, k, m] = [left.shape[0]!, right.shape[0]!, right.shape[1]!];
  const data = new Float32Array(n * m);
  const even = n + (n % 2); // a row of zeros below the last of an odd number
  const a = new Float64Array(even * k);
  a.set(left.data);
  const [b, sums] = [new Float64Array(k * WIDTH), new Float64Array(even * WIDTH)];
  for (let first = 0; first < m; first += WIDTH) {
    const width = Math.min(WIDTH, m - first); // columns past the last keep numbers of earlier ones, which nobody reads
    for (let i = 0; i < k; i++) for (let c = 0; c < width; c++) b[i * WIDTH + c] = right.data[i * m + first + c]!;
    for (let row = 0; row < even; row += 2) {
      let [p0, p1, p2, p3, q0, q1, q2, q3] = [0, 0, 0, 0, 0, 0, 0, 0];
      for (let i = 0, at = row * k, c = 0; i < k; i++, at++, c += WIDTH) {
        // one by one: taken from lists they cost twice the time
        const p = a[at]!;
        const q = a[at + k]!;
        const b0 = b[c]!;
        const b1 = b[c + 1]!;
        const b2 = b[c + 2]!;
        const b3 = b[c + 3]!;
        p0 += p * b0;
        p1 += p * b1;
        p2 += p * b2;
        p3 += p * b3;
        q0 += q * b0;
        q1 += q * b1;
        q2 += q * b2;
        q3 += q * b3;
      }
      const at = row * WIDTH;
      sums[at] = p0;
      sums[at + 1] = p1;
      sums[at + 2] = p2;
      sums[at + 3] = p3;
      sums[at + 4] = q0;
      sums[at + 5] = q1;
      sums[at + 6] = q2;
      sums[at + 7] = q3;
    }
    for (let row = 0; row < n; row++) for (let c = 0; c < width; c++) data[row * m + first + c] = sums[row * WIDTH + c]!;
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
