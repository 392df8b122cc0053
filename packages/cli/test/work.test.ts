import type { RunEvent, SuiteData, TaskData } from '@lethe/core';
import type { Job } from '@lethe/harness';
import { expect } from 'chai';
import { Remaining } from '../src/run/work.js';

const task = (id: string): TaskData => {
  const rows = (n: number) => Array.from({ length: n }, (_, i) => ({ id: `${i}`, prompt: '', options: [], answer: 0 }));
  return { id, title: id, train: rows(24), validation: [], test: rows(4), sha256: id };
};
const training = {
  epochs: 1, batch: 2, learningRate: 1, warmup: 0, weightDecay: 0, clip: 1, rank: 1, alpha: 1, sites: ['q' as const], maxTokens: 16,
};
const suite: SuiteData = {
  id: 's', version: '1.0.0', kind: 'domain', title: 's', size: 'full', tasks: [task('x'), task('y')], probes: [], orders: [], training,
};
const job = (id: string): Job => ({
  identity: {
    suite: { id: 's', version: '1.0.0', size: 'full' }, model: { id: 'm', sha256: '' }, order: { id: '1', tasks: ['x', 'y'] }, seed: 1, training,
    method: { id, version: '1.0.0', options: {}, capabilities: { rehearsal: false, taskIdentity: false, growth: 'none', bound: false } },
  },
  codePath: '', stream: 'continual', suite: { reference: '', suitesDir: '', builtDir: '' }, modelDir: '', device: 'cpu', threads: 1, outDir: '',
  origin: { lethe: '', git: null },
});

describe('the time left', () => {
  it('is not known before scoring and training have been seen, then falls to nothing', () => {
    const remaining = new Remaining([job('a'), job('b')], suite, 1);
    let now = 0;
    const hear = (event: RunEvent, seconds: number) => {
      now += seconds * 1000;
      remaining.hear(event, 0, now);
    };
    const step = (index: number, train: boolean) => {
      hear({ type: 'step-started', run: 'a', step: index, task: null }, 0);
      // compiling for 3 s, then 12 optimizer steps of 1 s; compiling for 1 s, then two batches of 0.5 s, two rows each
      if (train) for (let done = 1; done <= 12; done++) hear({ type: 'train-progress', run: 'a', step: index, done, total: 12, loss: 0 }, done === 1 ? 3 : 1);
      hear({ type: 'score-progress', run: 'a', step: index, done: 4, total: 8 }, 1);
      hear({ type: 'score-progress', run: 'a', step: index, done: 8, total: 8 }, 1);
      hear({ type: 'step-finished', run: 'a', step: index, scores: [], reused: false }, 0);
    };
    step(0, false);
    expect(remaining.seconds()).to.equal(null);
    step(1, true);
    // a step takes 12 x 1 s of training, 8 x 0.25 s of scoring and 4 s of the rest; a has one left, b two
    expect(remaining.seconds()).to.be.closeTo(3 * (12 + 2 + 4), 1e-9);
    step(2, true);
    expect(remaining.seconds()).to.be.closeTo(2 * 18, 1e-9);
    remaining.ended(0);
    remaining.ended(1);
    expect(remaining.seconds()).to.equal(0);
  });

  it('counts nothing for other seeds of a method that trains nothing', () => {
    const remaining = new Remaining([job('idle'), job('idle')], suite, 1);
    const hear = (event: RunEvent, now: number) => remaining.hear(event, 0, now);
    hear({ type: 'step-started', run: 'a', step: 1, task: 'x' }, 0);
    hear({ type: 'step-finished', run: 'a', step: 1, scores: [], reused: true }, 1);
    expect(remaining.seconds()).to.equal(null);
    hear({ type: 'step-started', run: 'a', step: 2, task: 'y' }, 1);
    hear({ type: 'step-finished', run: 'a', step: 2, scores: [], reused: false }, 2);
    expect(remaining.seconds()).to.equal(0);
  });
});
