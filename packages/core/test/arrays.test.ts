import { columnMoments, transposed } from '@lethe/core';
import { expect } from 'chai';

describe('transposed', () => {
  it('swaps rows and columns, whatever their numbers', () => {
    for (const [rows, columns] of [[1, 1], [1, 40], [3, 5], [16, 16], [33, 47]] as const) {
      const { shape, data } = transposed({ shape: [rows, columns], data: Float32Array.from({ length: rows * columns }, (_, i) => i) });
      expect(shape).to.deep.equal([columns, rows]);
      data.forEach((value, i) => expect(value).to.equal((i % rows) * columns + Math.floor(i / rows)));
    }
  });
});

describe('columnMoments', () => {
  it('gives means, then deviations, of every column', () => {
    const { shape, data } = columnMoments({ shape: [4, 2], data: Float32Array.of(1, 5, 3, 5, 1, 5, 3, 5) });
    expect(shape).to.deep.equal([2, 2]);
    expect([...data]).to.deep.equal([2, 5, 1, 0]);
  });
});
