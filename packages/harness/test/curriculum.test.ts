import { expect } from 'chai';
import type { TaskData, TrainingBudget } from '@lethe/core';
import { curriculumOf } from '../src/index.js';

const task = (id: string): TaskData => ({ id, title: id, train: [], validation: [], test: [], sha256: id });
const [law, news] = [task('law'), task('news')];
const BUDGET: TrainingBudget = {
  epochs: 3, batch: 8, learningRate: 0.001, warmup: 0, weightDecay: 0, clip: 1, rank: 4, alpha: 8, sites: ['q'], maxTokens: 64,
};
const idsOf = (tasks: readonly TaskData[]) => tasks.map(({ id }) => id);

describe('what a stage trains on', () => {
  it('is its tasks, as often as the budget says', () => {
    expect(curriculumOf({ name: 'all', tasks: [law, news] }, BUDGET)).to.deep.equal({ tasks: [law, news], epochs: 3 });
  });

  it('is a task as often as that has epochs of its own', () => {
    const budget = { ...BUDGET, epochsOf: { news: 5 } };
    expect(curriculumOf({ name: 'news', tasks: [news] }, budget)).to.deep.equal({ tasks: [news], epochs: 5 });
    expect(curriculumOf({ name: 'law', tasks: [law] }, budget).epochs).to.equal(3);
  });

  it('is every row of tasks together as often as when they are apart', () => {
    const { tasks, epochs } = curriculumOf({ name: 'all', tasks: [law, news] }, { ...BUDGET, epochsOf: { news: 5 } });
    expect(epochs).to.equal(1);
    expect(idsOf(tasks)).to.deep.equal(['law', 'law', 'law', 'news', 'news', 'news', 'news', 'news']);
  });
});
