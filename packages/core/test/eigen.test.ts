import { expect } from 'chai';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { createRandom } from '@lethe/core';
import { symmetricEigen } from '../src/eigen.js';

/** X^T X of `rank` rows that fade by `fading`. */
function moment(size: number, rank: number, fading: number): Matrix {
  const random = createRandom(1, 'eigen', size, rank);
  const x = new Matrix(Array.from({ length: rank }, (_, row) => [...random.normals(size, fading ** row)]));
  return x.transpose().mmul(x);
}

/** Largest |C v - value v| and |V^T V - I|, in parts of the largest value. */
function errorsOf(c: Matrix, values: Float64Array, vectors: readonly Float64Array[]): { residual: number; overlap: number } {
  const v = new Matrix([...vectors]).transpose();
  const scale = Math.max(...values.map(Math.abs), 1e-300);
  const residual = Matrix.sub(c.mmul(v), v.mmul(Matrix.diag([...values.slice(0, vectors.length)])));
  const overlap = Matrix.sub(v.transpose().mmul(v), Matrix.eye(vectors.length));
  return { residual: Math.max(...residual.to1DArray().map(Math.abs)) / scale, overlap: Math.max(...overlap.to1DArray().map(Math.abs)) };
}

describe('eigenvalues of symmetric matrices', () => {
  const CASES: readonly (readonly [title: string, c: Matrix])[] = [
    ['one number', new Matrix([[3]])],
    ['a full matrix', moment(40, 40, 1)],
    ['fading energies', moment(60, 60, 0.8)],
    ['few directions in many dimensions', moment(50, 6, 0.7)],
    ['values of both signs', Matrix.sub(moment(20, 20, 1), Matrix.eye(20).mul(15))],
    ['equal values', Matrix.diag([2, 5, 5, 2, 5, 1])],
    ['equal values in a turned frame', Matrix.add(moment(12, 3, 1), Matrix.eye(12))],
    ['nothing', Matrix.zeros(4, 4)],
  ];
  for (const [title, c] of CASES) {
    it(`are those of another library, with orthonormal vectors: ${title}`, () => {
      const { values, vectors } = symmetricEigen(c.to1DArray(), c.rows);
      const expected = new EigenvalueDecomposition(c, { assumeSymmetric: true }).realEigenvalues.sort((a, b) => b - a);
      const scale = Math.max(...expected.map(Math.abs), 1e-300);
      expected.forEach((value, i) => expect((values[i]! - value) / scale).to.be.closeTo(0, 1e-12));
      const { residual, overlap } = errorsOf(c, values, vectors(c.rows));
      expect(residual).to.be.below(1e-10);
      expect(overlap).to.be.below(1e-10);
    });
  }

  it('come with as many vectors as are asked for', () => {
    const { values, vectors } = symmetricEigen(moment(30, 30, 0.9).to1DArray(), 30);
    expect(values).to.have.length(30);
    expect(vectors(4)).to.have.length(4);
  });
});
