import { type Interval, intervalOf } from '@lethe/metrics';
import { expect } from 'chai';
import { groupsOf } from '../src/groups.js';
import { placeLabels } from '../src/labels.js';
import { bestOf, ranksOf } from '../src/ranking.js';
import { type Given, completed, failed, stream } from './fixture.js';

const between = (low: number, high: number): Interval => ({ mean: (low + high) / 2, low, high, n: 3, level: 0.95 });
const contenders = (...intervals: (Interval | null)[]) => intervals.map((interval) => ({ interval, failed: 0 }));

describe('ranks', () => {
  it('are shared where intervals overlap', () => {
    expect(ranksOf(contenders(between(0.8, 0.9), between(0.6, 0.7), between(0.65, 0.75), between(0.1, 0.2)), 1)).to.deep.equal([1, 2, 2, 4]);
    expect(ranksOf(contenders(between(0.8, 0.9), between(0.1, 0.2)), -1)).to.deep.equal([2, 1]);
  });

  it('are not given to one run or to none, which outrank nobody', () => {
    expect(ranksOf(contenders(intervalOf([0.99]), null, between(0.1, 0.2)), 1)).to.deep.equal([null, null, 1]);
  });
});

describe('the best', () => {
  it('is marked only where its interval lies beyond all others', () => {
    expect(bestOf(contenders(between(0.5, 0.6), between(0.7, 0.8)), 1)).to.equal(1);
    expect(bestOf(contenders(between(0.5, 0.6), between(0.7, 0.8)), -1)).to.equal(0);
    expect(bestOf(contenders(between(0.5, 0.71), between(0.7, 0.8)), 1)).to.equal(-1);
    expect(bestOf(contenders(between(0.5, 0.5), between(0.5, 0.5)), 1)).to.equal(-1);
  });

  it('is beyond the value of a rival that ran once, and is no such rival', () => {
    expect(bestOf(contenders(intervalOf([0.69]), between(0.7, 0.8)), 1)).to.equal(1);
    expect(bestOf(contenders(intervalOf([0.75]), between(0.7, 0.8)), 1)).to.equal(-1);
    expect(bestOf(contenders(intervalOf([0.9]), between(0.7, 0.8)), 1)).to.equal(-1);
  });

  it('has rivals, and no failed trial that could change it', () => {
    expect(bestOf(contenders(between(0.7, 0.8), null), 1)).to.equal(-1);
    expect(bestOf([{ interval: between(0.7, 0.8), failed: 1 }, { interval: between(0.1, 0.2), failed: 0 }], 1)).to.equal(-1);
  });
});

describe('comparisons', () => {
  const published = (...lists: Given[][]) => lists.map((list, i) => {
    const runs = list.map((given) => completed(given, given.tasks?.length === 2 ? [[0, 0], [1, 0], [1, 1]] : stream(0.9, 0.1)));
    const results = { schema: 'lethe.results/1' as const, sha256: '', runs };
    return { file: `${i}.json`, entry: { schema: 'lethe.entry/1' as const, commands: [''], methods: {}, results } };
  });

  it('keep apart versions, sizes, models, budgets, tasks and rows', () => {
    const others: Given[] = [
      { suite: { version: '1.0.1' } }, { suite: { size: 'full' } }, { model: 'other' }, { training: { epochs: 3 } }, { tasks: ['law', 'news'] },
      { environment: { dataSha256: { law: '0'.repeat(64) } } },
    ];
    expect(groupsOf(published([{}, { seed: 2 }, { method: 'ewc' }]))).to.have.length(1);
    for (const other of others) expect(groupsOf(published([{}], [other])), JSON.stringify(other)).to.have.length(2);
  });

  it('keep apart methods by version of options, and count one outcome once however often it is published', () => {
    const [group] = groupsOf(published([{}, { options: { x: 1 } }], [{}, { seed: 2 }]));
    expect(group!.rows.map((row) => row.trials.length).sort()).to.deep.equal([1, 2]);
    expect(group!.rows.flatMap((row) => row.trials.flatMap((trial) => trial.outcomes.map(({ files }) => files.length))).sort()).to.deep.equal([1, 1, 2]);
  });

  it('count a trial once that was made again with another outcome, by its mean', () => {
    const [a, b] = published([{}], [{}]);
    const again = { ...b!, entry: { ...b!.entry, results: { ...b!.entry.results, runs: [completed({}, stream(0.7, 0.1))] } } };
    const [row] = groupsOf([a!, again])[0]!.rows;
    expect(row!.intervals.averageAccuracy).to.include({ n: 1, low: null });
    expect(row!.intervals.averageAccuracy!.mean).to.be.closeTo(0.7, 1e-9);
  });

  it('have failed runs among those of their entry, and no mean over what a metric is not defined for', () => {
    const [entry] = published([{}]);
    const joint = completed({ method: 'joint' }, [[0.2, 0.2, 0.2], [null, null, null], [null, null, null], [0.9, 0.9, 0.9]]);
    const runs = [...entry!.entry.results.runs, failed({ seed: 2 }), joint];
    const groups = groupsOf([{ ...entry!, entry: { ...entry!.entry, results: { ...entry!.entry.results, runs } } }]);
    expect(groups).to.have.length(1);
    expect(groups[0]!.rows.map((row) => [row.method.id, row.failed, row.intervals.forgetting === null])).to.deep.equal([['joint', 0, true], ['lora', 1, false]]);
  });
});

describe('labels', () => {
  it('do not cover each other where there is room', () => {
    const frame = { left: 0, top: 0, right: 400, bottom: 300 };
    const places = placeLabels([{ x: 200, y: 150, width: 80 }, { x: 210, y: 152, width: 80 }, { x: 390, y: 40, width: 80 }], frame);
    expect(places[0]).not.to.deep.equal(places[1]);
    expect(places[2]!.side).to.equal('left');
  });
});
