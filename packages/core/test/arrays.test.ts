import { columnMoments, createRandom, product, transposed } from '@lethe/core';
import { expect } from 'chai';
import fc from 'fast-check';

describe('transposed', () => {
  it('swaps rows and columns, whatever their numbers', () => {
    for (const [rows, columns] of [[1, 1], [1, 40], [3, 5], [16, 16], [33, 47]] as const) {
      const { shape, data } = transposed({ shape: [rows, columns], data: Float32Array.from({ length: rows * columns }, (_, i) => i) });
      expect(shape).to.deep.equal([columns, rows]);
      data.forEach((value, i) => expect(value).to.equal((i % rows) * columns + Math.floor(i / rows)));
    }
  });
});

describe('product', () => {
  const random = (rows: number, columns: number) => ({ shape: [rows, columns], data: createRandom(rows, 'product', columns).normals(rows * columns, 1) });

  it('is what adding up in float64 gives, to the last bit and whatever the sizes', () => {
    const size = fc.integer({ min: 0, max: 13 });
    fc.assert(fc.property(size, size, size, (n, k, m) => {
      const [left, right] = [random(n, k), random(k, m)];
      const { shape, data } = product(left, right);
      expect(shape).to.deep.equal([n, m]);
      const sums = Float32Array.from({ length: n * m }, (_, at) => {
        let sum = 0;
        for (let i = 0; i < k; i++) sum += left.data[Math.floor(at / m) * k + i]! * right.data[i * m + (at % m)]!;
        return sum;
      });
      expect([...data]).to.deep.equal([...sums]);
    }));
  });
});

describe('columnMoments', () => {
  it('gives means, then deviations, of every column', () => {
    const { shape, data } = columnMoments({ shape: [4, 2], data: Float32Array.of(1, 5, 3, 5, 1, 5, 3, 5) });
    expect(shape).to.deep.equal([2, 2]);
    expect([...data]).to.deep.equal([2, 5, 1, 0]);
  });
});
