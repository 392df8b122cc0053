import { expect } from 'chai';
import { columns, createRandom, leadingDirections } from '@lethe/core';
import { dot } from '../src/eigen.js';
import { leadingEigenvectors } from '../src/leading.js';

const SIZE = 900;

/** H D H for a reflection H = I - 2 v v^T: the eigenvalues are those given, the k-th eigenvector is column k of H. */
function turned(values: (k: number) => number): { matrix: Float64Array; vectors: (k: number) => Float64Array } {
  const normals = Float64Array.from(createRandom(7).normals(SIZE, 1));
  const length = Math.sqrt(dot(normals, normals));
  const v = normals.map((x) => x / length);
  const d = Float64Array.from({ length: SIZE }, (_, k) => values(k));
  const between = v.reduce((sum, x, k) => sum + x * x * d[k]!, 0);
  const matrix = new Float64Array(SIZE * SIZE);
  for (let i = 0; i < SIZE; i++) {
    for (let j = 0; j < SIZE; j++) matrix[i * SIZE + j] = (i === j ? d[i]! : 0) - 2 * v[i]! * v[j]! * (d[i]! + d[j]! - 2 * between);
  }
  return { matrix, vectors: (k) => v.map((x, i) => (i === k ? 1 : 0) - 2 * x * v[k]!) };
}

const times = (matrix: Float64Array) => (x: Float64Array) => x.map((_, i) => dot(matrix.subarray(i * SIZE, (i + 1) * SIZE), x));

/** Of a unit vector, the part that lies in the space of orthonormal ones. */
const partWithin = (vector: Float64Array, space: readonly Float64Array[]) => space.reduce((sum, u) => sum + dot(vector, u) ** 2, 0);

describe('leading eigenvectors of a large matrix', () => {
  const CASES: readonly (readonly [title: string, values: (k: number) => number, spaces: readonly (readonly number[])[]])[] = [
    ['fading values', (k) => 0.9 ** k, [[0], [1], [2], [3], [4], [5]]],
    ['one far above the others, as a mean that was not taken away', (k) => (k === 0 ? 1e6 : 1 / (1 + k)), [[0], [1], [2], [3], [4], [5]]],
    ['equal values', (k) => (k < 4 ? 3 : k < 6 ? 2 : 1), [[0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3], [4, 5], [4, 5]]],
    ['fewer directions than are wanted', (k) => (k < 3 ? 3 - k : 0), [[0], [1], [2]]],
  ];
  for (const [title, values, spaces] of CASES) {
    it(`are found, orthonormal and in order: ${title}`, () => {
      const { matrix, vectors } = turned(values);
      const found = leadingEigenvectors(times(matrix), SIZE, 6)!;
      expect(found).to.have.length(6);
      found.forEach((x, k) => found.forEach((y, l) => expect(dot(x, y)).to.be.closeTo(k === l ? 1 : 0, 1e-9)));
      spaces.forEach((space, k) => expect(partWithin(found[k]!, space.map(vectors))).to.be.closeTo(1, 1e-9));
      expect(leadingEigenvectors(times(matrix), SIZE, 6)).to.deep.equal(found);
    });
  }

  it('are some where there is nothing to find', () => {
    const found = leadingEigenvectors((x) => x.map(() => 0), SIZE, 3)!;
    found.forEach((x, k) => found.forEach((y, l) => expect(dot(x, y)).to.be.closeTo(k === l ? 1 : 0, 1e-9)));
  });

  it('are left to the whole matrix where it is small, or its values are too close to each other', () => {
    expect(leadingEigenvectors(() => expect.fail('nothing is to be multiplied'), 768, 6)).to.equal(null);
    expect(leadingEigenvectors(() => expect.fail('nothing is to be multiplied'), SIZE, 30)).to.equal(null);
    expect(leadingEigenvectors(times(turned((k) => 1 - 1e-5 * k).matrix), SIZE, 6)).to.equal(null);
  });

  it('are the leading directions of wide inputs, outside of a subspace too', () => {
    const { matrix, vectors } = turned((k) => 0.9 ** k);
    const moment = { shape: [SIZE, SIZE], data: Float32Array.from(matrix) };
    const basis = columns([vectors(0), vectors(2)]);
    for (const [space, own] of [[undefined, [0, 1, 2]], [basis, [1, 3, 4]]] as const) {
      const { shape, data } = leadingDirections(moment, 3, space);
      expect(shape).to.deep.equal([SIZE, 3]);
      own.forEach((k, c) => {
        const direction = Float64Array.from({ length: SIZE }, (_, i) => data[i * 3 + c]!);
        expect(dot(direction, vectors(k)) ** 2).to.be.closeTo(1, 1e-5);
      });
    }
  });
});
