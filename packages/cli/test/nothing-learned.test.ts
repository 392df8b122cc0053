import type { CompletedRun, Run } from '@lethe/core';
import { expect } from 'chai';
import { nothingLearned } from '../src/nothing-learned.js';

/** A run over two tasks that start at a half and come to these accuracies when each has just been learned. */
const run = (id: string, first: number | null, last: number, trainTokens = 100): Run => ({
  status: 'completed', method: { id, version: '1.0.0', options: {} }, order: { id: '1', tasks: ['a', 'b'] },
  matrix: first === null ? [[0.5, 0.5], [null, null], [last, last]] : [[0.5, 0.5], [first, 0.5], [0.5, last]], cost: { trainTokens },
} as unknown as CompletedRun);

describe('runs in which nothing was learned', () => {
  it('are said to be such, by what tasks gained when they were learned', () => {
    expect(nothingLearned({ runs: [run('a', 0.5, 0.52), run('b', 0.5, 0.4)] })).to.contain('at most 1.0 points above').and.contain('--training');
    expect(nothingLearned({ runs: [run('a', 0.3, 0.4)] })).to.contain('at most 0.0 points');
    expect(nothingLearned({ runs: [run('joint', null, 0.54)] })).to.contain('at most 4.0 points');
  });

  it('are not those of which one method learned, though it forgot, nor those in which none trained', () => {
    expect(nothingLearned({ runs: [run('a', 0.5, 0.5), run('b', 0.9, 0.6)] })).to.equal(null);
    expect(nothingLearned({ runs: [run('a', 0.5, 0.5), run('joint', null, 0.8)] })).to.equal(null);
    expect(nothingLearned({ runs: [run('zero-shot', 0.5, 0.5, 0)] })).to.equal(null);
    expect(nothingLearned({ runs: [] })).to.equal(null);
  });
});
