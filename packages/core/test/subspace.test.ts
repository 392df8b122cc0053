import { type NdArray, createRandom, extendBasis, leadingDirections, product, secondMoment, transposed, whitening } from '@lethe/core';
import { expect } from 'chai';

/** Rows whose energy in coordinate i is `energies[i]`, exactly. */
function rows(energies: readonly number[]): NdArray {
  const size = energies.length;
  const data = new Float32Array(2 * size * size);
  energies.forEach((e, i) => [1, -1].forEach((sign, k) => (data[(2 * i + k) * size + i] = sign * Math.sqrt(e * size))));
  return { shape: [2 * size, size], data };
}

const moment = (...energies: number[]): NdArray => secondMoment(rows(energies));
/** How much of each coordinate axis lies in the space of the columns. */
const held = (basis: NdArray): number[] => {
  const { data, shape } = product(basis, transposed(basis));
  return Array.from({ length: shape[0]! }, (_, i) => data[i * shape[0]! + i]!);
};
const closeTo = (actual: readonly number[], expected: readonly number[]) =>
  expected.forEach((v, i) => expect(actual[i]).to.be.closeTo(v, 1e-4));

describe('subspaces', () => {
  it('gives the second moment of rows', () => {
    const { data } = moment(4, 2, 1);
    closeTo([...data], [4, 0, 0, 0, 2, 0, 0, 0, 1]);
  });

  it('makes features white that were not, as far as the covariance is their own', () => {
    const size = 12;
    const x: NdArray = { shape: [40, size], data: createRandom(1).normals(40 * size, 1).map((v, i) => v * (1 + (i % size))) };
    const { data } = secondMoment(x);
    const mean = Array.from({ length: size }, (_, i) => data[i * (size + 1)]!).reduce((a, b) => a + b, 0) / size;
    for (const shrinkage of [1e-3, 0.1, 1]) {
      const shrunk: NdArray = { shape: [size, size], data: data.map((v, i) => (1 - shrinkage) * v + (i % (size + 1) === 0 ? shrinkage * mean : 0)) };
      const w = whitening({ shape: [size, size], data }, shrinkage);
      closeTo([...product(product(transposed(w), shrunk), w).data], Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0)));
      w.data.forEach((v, i) => { if (i % size < Math.floor(i / size)) expect(v).to.equal(0); });
    }
    expect([...whitening({ shape: [2, 2], data: new Float32Array(4) }, 0.1).data].every(Number.isFinite), 'of features that do not vary').to.equal(true);
  });

  it('finds the directions of most energy, the first one first', () => {
    const found = leadingDirections(moment(1, 8, 0.5, 4), 2);
    expect(found.shape).to.deep.equal([4, 2]);
    closeTo(held(found), [0, 1, 0, 1]);
    expect(Math.abs(found.data[2]!)).to.be.closeTo(1, 1e-4); // row 1, column 0
  });

  it('finds them in many dimensions as in few', () => {
    const energies = Array.from({ length: 60 }, (_, i) => 0.7 ** ((i * 7) % 60));
    const found = leadingDirections(moment(...energies), 3);
    const largest = energies.map((e, i) => [e, i] as const).sort(([p], [q]) => q - p).slice(0, 3).map(([, i]) => i);
    closeTo(held(found), energies.map((_, i) => (largest.includes(i) ? 1 : 0)));
  });

  it('stays outside of a subspace, and vanishes where nothing is left', () => {
    const axes: NdArray = { shape: [3, 2], data: Float32Array.of(1, 0, 0, 1, 0, 0) };
    closeTo(held(leadingDirections(moment(9, 4, 1), 1, axes)), [0, 0, 1]);
    const all = leadingDirections(moment(9, 4, 1), 3, axes);
    closeTo(held(all).slice(0, 2), [0, 0]);
    const whole: NdArray = { shape: [3, 3], data: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1) };
    closeTo([...leadingDirections(moment(9, 4, 1), 2, whole).data], [0, 0, 0, 0, 0, 0]);
  });

  it('keeps the fewest directions that hold the share', () => {
    for (const [share, count] of [[0.5, 1], [0.8, 2], [0.95, 3], [1, 4]] as const) {
      expect(extendBasis(undefined, moment(6, 2, 1.5, 0.5), share).shape, `share ${share}`).to.deep.equal([4, count]);
    }
  });

  it('adds to a basis only what it lacks, and nothing once it holds the share', () => {
    const first = extendBasis(undefined, moment(8, 1, 0, 0), 0.8);
    closeTo(held(first), [1, 0, 0, 0]);
    const second = extendBasis(first, moment(4, 0, 5, 1), 0.85);
    closeTo(held(second), [1, 0, 1, 0]);
    expect(extendBasis(second, moment(3, 0.1, 3, 0), 0.9)).to.equal(second);
    closeTo([...product(transposed(second), second).data], [1, 0, 0, 1]);
  });

  it('is full after as many directions as there are', () => {
    const full = extendBasis(undefined, moment(3, 2, 1), 1);
    expect(extendBasis(full, moment(1, 5, 2), 1).shape).to.deep.equal([3, 3]);
  });
});
