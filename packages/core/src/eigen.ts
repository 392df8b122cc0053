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
  const p = new Float64Array(n);
  const reflections: ({ v: Float64Array; tau: number } | null)[] = [];
  for (let k = 0; k < n - 1; k++) {
    const v = new Float64Array(n);
    let square = 0;
    for (let i = k + 1; i < n; i++) {
      v[i] = a[i * n + k]!;
      square += v[i]! * v[i]!;
    }
    const first = v[k + 1]!;
    diagonal[k] = a[k * n + k]!;
    if (square === first * first) {
      beside[k] = first;
      reflections.push(null);
      continue;
    }
    beside[k] = first > 0 ? -Math.sqrt(square) : Math.sqrt(square);
    v[k + 1] = first - beside[k]!;
    const tau = 1 / (square - first * beside[k]!); // 2 / v^T v
    // p = tau A v, then A - v q^T - q v^T with q = p - (tau / 2) (v^T p) v
    p.fill(0);
    for (let i = k + 1; i < n; i++) {
      const [row, vi] = [i * n, v[i]!];
      let sum = a[row + i]! * vi;
      for (let j = k + 1; j < i; j++) {
        sum += a[row + j]! * v[j]!;
        p[j]! += a[row + j]! * vi;
      }
      p[i]! += sum;
    }
    let along = 0;
    for (let i = k + 1; i < n; i++) {
      p[i]! *= tau;
      along += p[i]! * v[i]!;
    }
    for (let i = k + 1; i < n; i++) p[i]! -= (tau / 2) * along * v[i]!;
    for (let i = k + 1; i < n; i++) {
      const [row, vi, pi] = [i * n, v[i]!, p[i]!];
      for (let j = k + 1; j <= i; j++) a[row + j]! -= vi * p[j]! + pi * v[j]!;
    }
    reflections.push({ v, tau });
  }
  if (n > 0) diagonal[n - 1] = a[n * n - 1]!;
  return { diagonal, beside, reflections };
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
        const [f, b] = [sine * e[i]!, cosine * e[i]!];
        const r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1]! -= shift;
          e[m] = 0;
          break;
        }
        [sine, cosine] = [f / r, g / r];
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
      if (reflection) subtract(x, reflection.v, reflection.tau * dot(x, reflection.v));
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

/** x^T y. */
export function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

/** x - factor y, into x. */
export function subtract(x: Float64Array, y: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i]! -= factor * y[i]!;
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
