import type { CompletedRun } from '@lethe/core';
import { expect } from 'chai';
import { alikeSeeds } from '../src/index.js';
import { completed } from './runs.js';

describe('seeds that make no difference', () => {
  const run = (seed: number, tasks = ['x', 'y']): CompletedRun => ({ ...completed({ tasks }), seed });
  const changed = (one: CompletedRun): CompletedRun => {
    const other = structuredClone(one);
    const { chosen } = other.predictions['x'] as { chosen: number[][]; answers: number[] };
    chosen[1]![0] = 1 - chosen[1]![0]!;
    return other;
  };

  it('are found among the runs of a method in one order, and one other answer is a difference', () => {
    const [found, ...others] = alikeSeeds([run(3), run(1), changed(run(2))]);
    expect(others).to.deep.equal([]);
    expect(found!.seeds).to.deep.equal([1, 3]);
    expect(found!.method.id).to.equal(run(1).method.id);
    expect(alikeSeeds([run(1), changed(run(2))])).to.deep.equal([]);
    expect(alikeSeeds([run(1), { ...run(1) }]), 'one run, published twice').to.deep.equal([]);
    expect(alikeSeeds([run(1), { ...run(2), order: { ...run(2).order, id: 'other' } }])).to.deep.equal([]);
  });

  it('say nothing of a method that learns nothing, or all there is', () => {
    const still = (one: CompletedRun): CompletedRun => ({
      ...one, predictions: Object.fromEntries(Object.entries(one.predictions).map(([task, own]) => {
        const { chosen, ...rest } = own as { chosen: (number[] | null)[]; answers: number[] };
        return [task, { ...rest, chosen: chosen.map(() => chosen[0]!) }];
      })) as CompletedRun['predictions'],
    });
    expect(alikeSeeds([still(run(1)), still(run(2))])).to.deep.equal([]);
    const back = (one: CompletedRun): CompletedRun => ({
      ...one, predictions: Object.fromEntries(Object.entries(one.predictions).map(([task, own]) => {
        const { chosen, answers } = own as { chosen: (number[] | null)[]; answers: number[] };
        return [task, { answers, chosen: [chosen[0]!, chosen[1]!, chosen[0]!] }];
      })),
    });
    expect(alikeSeeds([back(run(1)), back(run(2))]), 'what is as it was in the end').to.deep.equal([]);
    const perfect = (one: CompletedRun): CompletedRun => ({ ...one, matrix: one.matrix.map((row) => row.map(() => 1)) });
    expect(alikeSeeds([perfect(run(1)), perfect(run(2))])).to.deep.equal([]);
  });
});
