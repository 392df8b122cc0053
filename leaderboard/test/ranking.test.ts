import { METRICS, compareRuns } from '@lethe/metrics';
import { expect } from 'chai';
import { placeLabels } from '../src/charts/labels.js';
import { groupsOf } from '../src/groups.js';
import { type Given, completed, failed, stream } from './fixture.js';

describe('comparisons', () => {
  const published = (...lists: Given[][]) => lists.map((list, i) => {
    const runs = list.map((given) => completed(given, given.tasks?.length === 2 ? [[0, 0], [1, 0], [1, 1]] : stream(0.9, 0.1)));
    const results = { schema: 'lethe.results/1' as const, sha256: '', runs };
    return { file: `${i}.json`, entry: { schema: 'lethe.entry/1' as const, commands: [''], methods: {}, results } };
  });

  it('keep apart versions, sizes, models, budgets, tasks and rows', () => {
    const others: Given[] = [
      { suite: { version: '1.0.1' } }, { suite: { size: 'full' } }, { model: 'other' }, { training: { epochs: 3 } }, { tasks: ['law', 'news'] },
      { environment: { dataSha256: Object.fromEntries(['law', 'news', 'med', 'facts'].map((task) => [task, '0'.repeat(64)])) } },
    ];
    expect(groupsOf(published([{}, { seed: 2 }, { method: 'ewc' }]))).to.have.length(1);
    for (const other of others) expect(groupsOf(published([{}], [other])), JSON.stringify(other)).to.have.length(2);
  });

  it('keep apart methods by version of options, and count one outcome once however often it is published', () => {
    const [group] = groupsOf(published([{}, { options: { x: 1 } }], [{}, { seed: 2 }]));
    expect(group!.rows.map((row) => row.cells.length).sort()).to.deep.equal([1, 2]);
    expect(group!.rows.flatMap((row) => row.cells.flatMap((cell) => cell.outcomes.map(({ files }) => files.length))).sort()).to.deep.equal([1, 1, 2]);
  });

  it('count one order with one seed once, though it was made again with another outcome, by its mean', () => {
    const [a, b] = published([{}], [{}]);
    const again = { ...b!, entry: { ...b!.entry, results: { ...b!.entry.results, runs: [completed({}, stream(0.7, 0.1))] } } };
    const [row] = groupsOf([a!, again])[0]!.rows;
    expect(row!.intervals.averageAccuracy).to.include({ n: 1, low: null });
    expect(row!.intervals.averageAccuracy!.mean).to.be.closeTo(0.7, 1e-9);
  });

  it('are of methods that no entry can rename: neither another method as its own variant, nor the runs of others that it repeats', () => {
    const labelled = (given: Given, label: string) => {
      const [one] = published([given]);
      const runs = one!.entry.results.runs.map((run) => ({ ...run, method: { ...run.method, label } }));
      return { ...one!, entry: { ...one!.entry, results: { ...one!.entry.results, runs } } };
    };
    const [honest] = published([{}, { method: 'best' }]);
    expect(() => groupsOf([labelled({ options: { x: 1 } }, 'best'), honest!])).to.throw('A variant of lora is labelled "best"');
    for (const entries of [[labelled({}, 'better'), honest!], [honest!, labelled({}, 'better')]]) {
      expect(groupsOf(entries)[0]!.rows.map(({ method }) => method.label ?? method.id).sort()).to.deep.equal(['best', 'lora']);
    }
  });

  it('have failed runs among those of their entry, and no mean over what a metric is not defined for', () => {
    const [entry] = published([{}]);
    const joint = completed({ method: 'joint' }, [[0.25, 0.25, 0.25], [null, null, null], [null, null, null], [0.9, 0.9, 0.9]]);
    const runs = [...entry!.entry.results.runs, failed({ seed: 2 }), joint];
    const groups = groupsOf([{ ...entry!, entry: { ...entry!.entry, results: { ...entry!.entry.results, runs } } }]);
    expect(groups).to.have.length(1);
    expect(groups[0]!.rows.map((row) => [row.method.id, row.failed, row.intervals.averageAccuracy === null])).to.deep.equal([['joint', 0, false], ['lora', 1, true]]);
    expect(groups[0]!.rows.map(({ intervals }) => intervals.forgetting)).to.deep.equal([null, null]);
  });

  const seeds = (count: number, method: string, learned: number) =>
    Array.from({ length: count }, (_, i) => completed({ method, seed: i + 1 }, stream(learned + i / 40, 0.1)));
  const entryOf = (runs: ReturnType<typeof seeds>) => ({
    file: 'e.json', entry: { schema: 'lethe.entry/1' as const, commands: [''], methods: {}, results: { schema: 'lethe.results/1' as const, sha256: '', runs } },
  });

  it('rank by paired tests with correction, as `lethe compare` does, and give its intervals', () => {
    for (const count of [3, 8]) {
      const runs = [...seeds(count, 'weak', 0.4), ...seeds(count, 'strong', 0.7)];
      const [{ rows }] = groupsOf([entryOf(runs)]) as [ReturnType<typeof groupsOf>[number]];
      const [{ methods, metrics: [accuracy] }] = compareRuns(runs, { metrics: METRICS.slice(0, 1) }) as [ReturnType<typeof compareRuns>[number]];
      for (const row of rows) {
        const standing = accuracy!.standings[methods.findIndex(({ method }) => method.id === row.method.id)]!;
        expect(row.intervals.averageAccuracy).to.deep.equal(standing.overRuns);
        expect(row.ranks).to.deep.equal(standing.ranks);
      }
      // three pairs show nothing, eight do: 2^-7 is below 0.05
      expect(rows.map(({ method, ranks }) => [method.id, ...ranks!])).to.deep.equal(count === 3 ? [['strong', 1, 2], ['weak', 1, 2]] : [['strong', 1, 1], ['weak', 2, 2]]);
    }
  });

  it('rank no bound, and none of which a run failed', () => {
    const bound = seeds(3, 'joint', 0.9).map((run) => ({ ...run, method: { ...run.method, capabilities: { ...run.method.capabilities, bound: true } } }));
    const runs = [...seeds(3, 'strong', 0.7), ...seeds(3, 'weak', 0.4), failed({ method: 'weak', seed: 4 }), ...bound];
    const [{ rows }] = groupsOf([entryOf(runs as ReturnType<typeof seeds>)]) as [ReturnType<typeof groupsOf>[number]];
    expect(rows.map(({ method, ranks }) => [method.id, ranks])).to.deep.equal([['joint', null], ['strong', null], ['weak', null]]);
  });
});

describe('labels of a chart', () => {
  it('do not cover each other where there is room', () => {
    const frame = { left: 0, top: 0, right: 400, bottom: 300 };
    const places = placeLabels([{ x: 200, y: 150, width: 80 }, { x: 210, y: 152, width: 80 }, { x: 390, y: 40, width: 80 }], frame);
    expect(places[0]).not.to.deep.equal(places[1]);
    expect(places[2]!.side).to.equal('left');
  });
});
