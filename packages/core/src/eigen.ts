/** Inverse iterations for one eigenvector: the shift is exact to rounding, so that the first one nearly is the vector. */
const SWEEPS = 2;
/** Eigenvalues closer than this share of the norm have vectors that must be kept apart (LAPACK, dstein). */
const CLUSTER = 1e-3;
/** Where two eigenvalues are equal, the second shift is this share of the norm away. */
const APART = 1e-13;

/** A symmetric matrix as Q T Q^T: T tridiagonal, Q a product of reflections I - tau v v^T. */
interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** Below the diagonal; the last entry is 0. */
  readonly beside: Float64Array;
  /** The k-th reflection leaves the first k + 1 coordinates alone; null where there was nothing to reflect. */
  readonly reflections: readonly ({ readonly v: Float64Array; readonly tau: number } | null)[];
}

/**
 * The eigenvalues of a symmetric matrix, the largest first, and the eigenvectors of as many of them as are asked for afterwards: what
 * looks for a share of the energy needs all values and a few vectors. Householder's reduction, implicit QL for the values, inverse
 * iteration for the vectors (Golub and Van Loan 2013, Matrix Computations, sections 8.3.1, 8.3.3 and 8.4.2).
 *
 * @param matrix symmetric, (size, size); its lower half is read
 */
export function symmetricEigen(matrix: ArrayLike<number>, size: number): { values: Float64Array; vectors: (count: number) => Float64Array[] } {
  const reduced = tridiagonalised(new Float64Array(matrix), size);
  const values = valuesOf(reduced);
  return { values, vectors: (count) => vectorsOf(reduced, values, count) };
}

/** Overwrites the lower half of `a`. */
function tridiagonalised(a: Float64Array, n: number): Tridiagonal {
  const [diagonal, beside] = [new Float64Array(n), new Float64Array(n)];
  const reflections: ({ v: Float64Array; tau: number } | null)[] = [];
  // what a reflection makes of A, A - v q^T - q v^T, is worked out as the next one reads A: once over it instead of twice
  let last: Taken = { v: new Float64Array(n), q: new Float64Array(n) };
  for (let k = 0; k < n - 1; k++) {
    const v = new Float64Array(n);
    for (let i = k + 1; i < n; i++) v[i] = after(a, n, i, k, last);
    diagonal[k] = after(a, n, k, k, last);
    const first = v[k + 1]!;
    const square = dot(v, v, k + 1);
    const still = square === first * first;
    beside[k] = still ? first : (first > 0 ? -1 : 1) * Math.sqrt(square);
    const tau = still ? 0 : 1 / (square - first * beside[k]!); // 2 / v^T v
    if (still) v.fill(0);
    else v[k + 1] = first - beside[k]!;
    // q = p - (tau / 2) (v^T p) v with p = tau A v
    const q = timesAfter(a, n, k + 1, last, v);
    for (let i = k + 1; i < n; i++) q[i]! *= tau;
    subtract(q, v, (tau / 2) * dot(q, v, k + 1), k + 1);
    reflections.push(still ? null : { v, tau });
    last = { v, q };
  }
  if (n > 0) diagonal[n - 1] = after(a, n, n - 1, n - 1, last);
  return { diagonal, beside, reflections };
}

/** What a reflection takes from a matrix: v q^T + q v^T. */
interface Taken {
  readonly v: Float64Array;
  readonly q: Float64Array;
}

/** An entry of a matrix, i >= j, after what was taken. */
const after = (a: Float64Array, n: number, i: number, j: number, { v, q }: Taken): number => a[i * n + j]! - (v[i]! * q[j]! + q[i]! * v[j]!);

/** Puts {@link after} in its place. */
const take = (a: Float64Array, n: number, i: number, j: number, taken: Taken): number => (a[i * n + j] = after(a, n, i, j, taken));

/**
 * Takes something from the rows and columns of a symmetric matrix from one on, of which the lower half is there, and multiplies them by x. Four rows
 * at a time: their sums are added up side by side, where one alone waits for every addition.
 */
function timesAfter(a: Float64Array, n: number, from: number, taken: Taken, x: Float64Array): Float64Array {
  const { v, q } = taken;
  const result = new Float64Array(n);
  let i = from;
  for (; i + 4 <= n; i += 4) {
    const [r0, r1, r2, r3] = [i * n, (i + 1) * n, (i + 2) * n, (i + 3) * n];
    const [v0, v1, v2, v3] = [v[i]!, v[i + 1]!, v[i + 2]!, v[i + 3]!];
    const [q0, q1, q2, q3] = [q[i]!, q[i + 1]!, q[i + 2]!, q[i + 3]!];
    const [x0, x1, x2, x3] = [x[i]!, x[i + 1]!, x[i + 2]!, x[i + 3]!];
    let s0 = take(a, n, i, i, taken) * x0;
    let s1 = take(a, n, i + 1, i + 1, taken) * x1;
    let s2 = take(a, n, i + 2, i + 2, taken) * x2;
    let s3 = take(a, n, i + 3, i + 3, taken) * x3;
    for (let j = from; j < i; j++) {
      const vj = v[j]!;
      const qj = q[j]!;
      const xj = x[j]!;
      const a0 = a[r0 + j]! - (v0 * qj + q0 * vj);
      const a1 = a[r1 + j]! - (v1 * qj + q1 * vj);
      const a2 = a[r2 + j]! - (v2 * qj + q2 * vj);
      const a3 = a[r3 + j]! - (v3 * qj + q3 * vj);
      a[r0 + j] = a0;
      a[r1 + j] = a1;
      a[r2 + j] = a2;
      a[r3 + j] = a3;
      s0 += a0 * xj;
      s1 += a1 * xj;
      s2 += a2 * xj;
      s3 += a3 * xj;
      result[j] = result[j]! + a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3;
    }
    result[i] = s0;
    result[i + 1] = s1;
    result[i + 2] = s2;
    result[i + 3] = s3;
    for (let row = i + 1; row < i + 4; row++) timesRow(a, n, row, i, taken, x, result);
  }
  for (; i < n; i++) {
    result[i] = take(a, n, i, i, taken) * x[i]!;
    timesRow(a, n, i, from, taken, x, result);
  }
  return result;
}

/** {@link timesAfter} for one row, from one of its columns to the last before the diagonal. */
function timesRow(a: Float64Array, n: number, row: number, from: number, taken: Taken, x: Float64Array, result: Float64Array): void {
  for (let j = from; j < row; j++) {
    const value = take(a, n, row, j, taken);
    result[row]! += value * x[j]!;
    result[j]! += value * x[row]!;
  }
}

function valuesOf({ diagonal, beside }: Tridiagonal): Float64Array {
  const [d, e] = [diagonal.slice(), beside.slice()];
  const n = d.length;
  for (let l = 0; l < n; l++) {
    for (;;) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]!) > Number.EPSILON * (Math.abs(d[m]!) + Math.abs(d[m + 1]!))) m++;
      if (m === l) break;
      // Wilkinson's shift, then a bulge that is chased upwards
      const half = (d[l + 1]! - d[l]!) / (2 * e[l]!);
      const root = Math.hypot(half, 1);
      let g = d[m]! - d[l]! + e[l]! / (half + (half < 0 ? -root : root));
      let [sine, cosine, shift] = [1, 1, 0];
      let i = m - 1;
      for (; i >= l; i--) {
        const f = sine * e[i]!;
        const b = cosine * e[i]!;
        const r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1]! -= shift;
          e[m] = 0;
          break;
        }
        sine = f / r;
        cosine = g / r;
        g = d[i + 1]! - shift;
        const t = (d[i]! - g) * sine + 2 * cosine * b;
        shift = sine * t;
        d[i + 1] = g + shift;
        g = cosine * t - b;
      }
      if (i >= l) continue;
      d[l]! -= shift;
      e[l] = g;
      e[m] = 0;
    }
  }
  return d.sort().reverse();
}

function vectorsOf({ diagonal, beside, reflections }: Tridiagonal, values: Float64Array, count: number): Float64Array[] {
  const n = diagonal.length;
  const norm = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const found: Float64Array[] = [];
  let shift = Infinity;
  for (let k = 0; k < Math.min(count, n); k++) {
    shift = Math.min(values[k]!, shift - APART * norm);
    const solve = shifted(diagonal, beside, shift, norm);
    // entries that no eigenvector is orthogonal to but by chance
    const x = Float64Array.from({ length: n }, (_, i) => 1 + ((i * 7919 + k * 104729) % 1009) / 1009);
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      solve(x);
      normalise(x);
      for (let j = k - 1; j >= 0 && values[j]! - values[k]! <= CLUSTER * norm; j--) subtract(x, found[j]!, dot(x, found[j]!));
      normalise(x);
    }
    found.push(x);
  }
  for (const x of found) {
    for (let k = reflections.length - 1; k >= 0; k--) {
      const reflection = reflections[k];
      if (reflection) subtract(x, reflection.v, reflection.tau * dot(x, reflection.v, k + 1), k + 1);
    }
  }
  return found;
}

/** Solves (T - shift) x = b in place, by elimination with row exchanges; what is singular is taken for almost so. */
function shifted(diagonal: Float64Array, beside: Float64Array, shift: number, norm: number): (x: Float64Array) => void {
  const n = diagonal.length;
  const least = Number.EPSILON * norm;
  const [pivot, next, second, factor] = [new Float64Array(n), new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  const exchanged = new Uint8Array(n);
  let [a, b] = [diagonal[0]! - shift, beside[0]!];
  for (let i = 0; i < n - 1; i++) {
    const [below, d, e] = [beside[i]!, diagonal[i + 1]! - shift, beside[i + 1]!];
    exchanged[i] = Math.abs(below) > Math.abs(a) ? 1 : 0;
    if (exchanged[i]) [pivot[i], next[i], second[i]] = [below, d, e];
    else [pivot[i], next[i], second[i]] = [a || least, b, 0];
    factor[i] = (exchanged[i] ? a : below) / pivot[i]!;
    [a, b] = exchanged[i] ? [b - factor[i]! * d, -factor[i]! * e] : [d - factor[i]! * b, e];
  }
  pivot[n - 1] = Math.abs(a) < least ? least : a;
  return (x) => {
    for (let i = 0; i < n - 1; i++) {
      if (exchanged[i]) [x[i], x[i + 1]] = [x[i + 1]!, x[i]!];
      x[i + 1]! -= factor[i]! * x[i]!;
    }
    for (let i = n - 1; i >= 0; i--) {
      x[i] = (x[i]! - (i + 1 < n ? next[i]! * x[i + 1]! : 0) - (i + 2 < n ? second[i]! * x[i + 2]! : 0)) / pivot[i]!;
    }
  };
}

/** x^T y, of vectors of which one is zero before `from`. */
export function dot(x: Float64Array, y: Float64Array, from = 0): number {
  let sum = 0;
  for (let i = from; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

/** x - factor y, into x, of a y that is zero before `from`. */
export function subtract(x: Float64Array, y: Float64Array, factor: number, from = 0): void {
  for (let i = from; i < x.length; i++) x[i]! -= factor * y[i]!;
}

/** Takes from x, in place, what it has along orthonormal vectors; returns the length of what is left. */
export function takeAway(x: Float64Array, along: readonly Float64Array[]): number {
  // twice is enough (Parlett 1998, The Symmetric Eigenvalue Problem, on orthogonalization in the face of roundoff)
  for (let pass = 0; pass < 2; pass++) for (const q of along) subtract(x, q, dot(x, q));
  return Math.sqrt(dot(x, x));
}

function normalise(x: Float64Array): void {
  const largest = x.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  for (let i = 0; i < x.length; i++) x[i]! /= largest;
  const length = Math.sqrt(dot(x, x));
  for (let i = 0; i < x.length; i++) x[i]! /= length;
}
