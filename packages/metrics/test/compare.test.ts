import { type CompletedRun, type Run, createRandom } from '@lethe/core';
import { expect } from 'chai';
import fc from 'fast-check';
import { METRICS, comparableRuns, compareRuns, holdsElsewhere } from '../src/index.js';
import { ROWS, completed, failed, seeds } from './runs.js';

const metric = (id: string) => METRICS.find((known) => known.id === id)!;
const accuracy = { metrics: [metric('averageAccuracy')] };
const only = (runs: readonly Run[], request: Parameters<typeof compareRuns>[1] = accuracy) => {
  const [comparison, ...rest] = compareRuns(runs, request);
  expect(rest).to.have.length(0);
  return { ...comparison!, ...comparison!.metrics[0]! };
};

describe('a comparison', () => {
  it('shows what eight pairs can show, and ranks by it', () => {
    const { methods, standings, pairs } = only([...seeds(8, { method: 'weak', skill: 0.2 }), ...seeds(8, { method: 'strong', skill: 0.9 })]);
    expect(methods.map(({ method }) => method.id)).to.deep.equal(['strong', 'weak']);
    expect(pairs).to.have.length(1);
    expect(pairs[0]!.better).to.equal(0);
    expect(pairs[0]!.test.p).to.equal(2 / 256);
    expect(pairs[0]!.difference.low).to.be.above(0);
    expect(pairs[0]!.overRows![0]).to.be.above(0);
    expect(standings.map(({ ranks }) => ranks)).to.deep.equal([[1, 1], [2, 2]]);
  });

  it('shows nothing by five, however large the difference, and says how many it takes', () => {
    const { standings, pairs } = only([...seeds(5, { method: 'weak', skill: 0 }), ...seeds(5, { method: 'strong', skill: 1 })]);
    expect(pairs[0]).to.include({ better: null, adjusted: 0.0625, pairsNeeded: 6 });
    expect(pairs[0]!.difference).to.include({ mean: 1, low: 1, high: 1 });
    expect(standings.map(({ ranks }) => ranks)).to.deep.equal([[1, 2], [1, 2]]);
    const needed = (count: number) => only([...seeds(count, { method: 'weak', skill: 0 }), ...seeds(count, { method: 'strong', skill: 1 })]).pairs[0]!.pairsNeeded;
    expect([needed(1), needed(2)], 'one pair says nothing of how much differences vary').to.deep.equal([null, 6]);
  });

  it('says of every pair by how much, and judges it by its own p, in these orders and seeds and elsewhere', () => {
    const scored = (method: string, score: (seed: number) => number) => ['1', '2'].flatMap((order) => [1, 2, 3, 4].map((seed) =>
      ({ ...completed({ method, order, seed }), matrix: [[0, 0], [score(seed), 0], [score(seed), score(seed)]] })));
    const { pairs, standings } = only([...scored('a', () => 0.75), ...scored('b', () => 0.5), ...scored('c', (seed) => (seed % 2 ? 0.375 : 0.625))]);
    expect(pairs.map(({ a, b, difference }) => [a, b, difference.mean])).to.deep.equal([[0, 1, 0.25], [0, 2, 0.25], [1, 2, 0]]);
    // the means of a - c vary over four seeds alone: scipy's t.ppf(0.975, 3) is 3.182446, the standard error 0.125 / sqrt(3)
    expect(pairs[1]!.difference.high! - 0.25).to.be.closeTo(3.182446 * 0.125 / Math.sqrt(3), 1e-6);
    // 2 of 256 patterns of signs, twice, and all: by Holm three times the first, no less for the second, 1
    expect(pairs.map(({ adjusted }) => adjusted)).to.deep.equal([6 / 256, 6 / 256, 1]);
    // the t test of the second has a p of 0.040519 (scipy: 2 t.sf(sqrt(12), 3)), twice which is too much
    [0, 2 * 0.040519, 1].forEach((p, i) => expect(pairs[i]!.elsewhere).to.be.closeTo(p, 1e-5));
    expect(pairs.map(({ better }) => better)).to.deep.equal([0, 0, null]);
    expect(pairs.map(holdsElsewhere)).to.deep.equal([true, false, false]);
    expect(standings.map(({ ranks }) => ranks)).to.deep.equal([[1, 1], [2, 3], [2, 3]]);
  });

  it('gives what other test rows would leave of means and of differences, on the same rows for both', () => {
    const all = Array.from({ length: ROWS }, (_, row) => row);
    /** What is right on some of its rows, at every point of the stream, and on the rows of a probe in the end. */
    const right = (method: string, isRight: (row: number) => boolean, probe?: string): CompletedRun => {
      const run = completed({ method });
      const half = all.map((row) => (isRight(row) ? 0 : 1));
      const answers = all.map(() => 0);
      const task = { answers, chosen: [half, half, half] };
      const general = probe === undefined ? { base: {}, final: {} } : { base: { [probe]: 0.5 }, final: { [probe]: 1 } };
      return {
        ...run, general, matrix: run.matrix.map(() => [0.5, 0.5]),
        predictions: { x: task, y: task, ...(probe !== undefined && { [probe]: { answers, chosen: [half, answers, answers] } }) },
      };
    };
    const runs = [right('a', (row) => row < ROWS / 2, 'p'), right('b', (row) => row >= ROWS / 2)];
    const { standings, pairs } = only(runs);
    // scipy's binom(40, 0.5).ppf([0.025, 0.975]) is 14 and 26 of 40; where one is right the other is wrong. A row more or less is within the draws
    const bounds = ([low, high]: readonly [number, number], expected: [number, number], row: number) => {
      expect(low).to.be.closeTo(expected[0], row + 1e-9);
      expect(high).to.be.closeTo(expected[1], row + 1e-9);
    };
    for (const { overRows } of standings) bounds(overRows!, [14 / 40, 26 / 40], 1 / 40);
    bounds(pairs[0]!.overRows!, [-12 / 40, 12 / 40], 2 / 40);
    // binom(20, 0.5).ppf: 6 and 14 of the 20 rows of the probe, which the other run lacks
    const general = only(runs, { metrics: [metric('generalDelta')] });
    bounds(general.standings[0]!.overRows!, [1 - 14 / 20, 1 - 6 / 20], 1 / 20);
    expect(general.standings[1]).to.include({ missing: 'not defined', overRows: null });
  });

  it('refuses a variant with the name of another method', () => {
    const own = seeds(2, { method: 'own', skill: 0.2 });
    const labelled = (label: string) => seeds(2, { method: 'other', skill: 0.9 }).map((run) => ({ ...run, method: { ...run.method, label } }));
    expect(comparableRuns([...own, ...labelled('mine')])).to.have.length(1);
    expect(() => compareRuns([...own, ...labelled('own')], accuracy)).to.throw('A variant of other is labelled "own"').with.property('where').that.contains('other, order');
  });

  it('knows that less forgetting is better', () => {
    const forgetful = seeds(8, { method: 'forgetful', skill: 0.5 }).map((run) => ({ ...run, matrix: [[0, 0], [1, 0], [0, 1]] }));
    const steady = seeds(8, { method: 'steady', skill: 0.5 }).map((run, i) => ({ ...run, matrix: [[0, 0], [1, 0], [0.9 + i / 100, 1]] }));
    const { pairs } = only([...forgetful, ...steady], { metrics: [metric('forgetting')] });
    expect(pairs[0]!.better).to.equal(1);
  });

  it('pairs runs of the same order and seed alone', () => {
    const runs = [...seeds(4, { method: 'a' }), ...seeds(2, { method: 'b' }), completed({ method: 'b', order: '2', tasks: ['y', 'x'], seed: 3 })];
    const { pairs, orders } = only(runs);
    expect(orders).to.deep.equal(['1', '2']);
    expect(pairs[0]!.test.pairs).to.equal(2);
    expect(pairs[0]!.overRows).to.equal(null);
    expect(only(runs.slice(0, -1)).pairs[0]!.overRows, 'where one has runs that the other lacks').to.equal(null);
  });

  it('corrects for all pairs of all metrics', () => {
    const runs = ['a', 'b', 'c'].flatMap((method, i) => seeds(8, { method, skill: 0.3 * i + 0.1 }));
    expect(only(runs).tests).to.equal(3);
    const both = only(runs, { metrics: [metric('averageAccuracy'), metric('learningAccuracy')] });
    expect(both.tests).to.equal(6);
    expect(both.pairs[0]!.adjusted).to.be.above(only(runs).pairs[0]!.adjusted);
  });

  it('is with one method where one is named, and ranks nobody then', () => {
    const runs = ['a', 'b', 'c'].flatMap((method) => seeds(3, { method })).concat(seeds(3, { method: 'j', bound: true }));
    const { pairs, methods, standings } = only(runs, { ...accuracy, against: 'b' });
    expect(pairs.map(({ a, b }) => [methods[a]!.method.id, methods[b]!.method.id])).to.deep.equal([['a', 'b'], ['c', 'b']]);
    expect(standings.map(({ ranks }) => ranks)).to.deep.equal([null, null, null, null]);
    expect(only(runs, { ...accuracy, against: 'j' }).pairs).to.have.length(3);
  });

  it('goes by labels, which have no part in what a run is', () => {
    const labelled = (run: CompletedRun, label: string): CompletedRun => ({ ...run, method: { ...run.method, label } });
    const variant = seeds(3, { method: 'a', skill: 0.9 }).map((run) => labelled({ ...run, method: { ...run.method, options: { x: 2 } } }, 'a-bare'));
    const runs = [...seeds(3, { method: 'a' }), ...variant];
    const { pairs, methods } = only(runs, { ...accuracy, against: 'a-bare' });
    expect(pairs.map(({ a, b }) => [a, b].map((i) => methods[i]!.method.label))).to.deep.equal([[undefined, 'a-bare']]);
    const renamed = runs.map((run) => labelled(run, 'other'));
    expect(only([...runs, ...renamed]).methods.map(({ completed }) => completed)).to.deep.equal([3, 3]);
  });

  it('neither tests nor ranks bounds', () => {
    const { pairs, standings } = only([...seeds(3, { method: 'a' }), ...seeds(3, { method: 'joint', bound: true, joint: true })]);
    expect(pairs).to.have.length(0);
    expect(standings.map(({ ranks }) => ranks)).to.deep.equal([null, null]);
  });

  it('has no mean over runs of which one failed, or has no such metric', () => {
    const { standings, pairs } = only([...seeds(3, { method: 'a' }), failed({ method: 'a', seed: 4 }), ...seeds(4, { method: 'b' })]);
    expect(standings[0]).to.include({ overRuns: null, overRows: null, ranks: null });
    expect(standings[0]!.missing).to.equal('1 of 4 values of average accuracy of a are missing: there is no mean over the others.');
    expect(pairs).to.have.length(0);
    const joint = only([...seeds(3, { method: 'a' }), ...seeds(3, { method: 'joint', joint: true })], { metrics: [metric('forgetting')] });
    expect(joint.standings[1]!.missing).to.equal('not defined');
  });

  it('corrects for the tests that a failed run made impossible too', () => {
    const rivals = [...seeds(6, { method: 'b', skill: 0.9 }), ...seeds(6, { method: 'c', skill: 0.1 })];
    const two = { metrics: [metric('averageAccuracy'), metric('generalDelta')] };
    const whole = only([...seeds(6, { method: 'a' }), ...rivals], two);
    const broken = only([...seeds(5, { method: 'a' }), failed({ method: 'a', seed: 6 }), ...rivals], two);
    expect([whole.tests, whole.pairs.length]).to.deep.equal([3, 3]);
    expect([broken.tests, broken.pairs.length]).to.deep.equal([3, 1]);
    expect(broken.pairs[0]!.adjusted).to.be.closeTo(3 * broken.pairs[0]!.test.p, 1e-12);
    expect(only([...seeds(3, { method: 'a' }), failed({ method: 'a', seed: 4 }), ...seeds(4, { method: 'b' })]).tests).to.equal(0);
  });

  it('says nothing of other orders where all runs are of one, nor of other seeds', () => {
    const both = (order: string, seed: number) => [completed({ method: 'a', order, seed }), completed({ method: 'b', skill: 0.9, order, seed })];
    const said = (...runs: CompletedRun[][]) => only(runs.flat()).pairs[0]!.elsewhere;
    expect(said(both('1', 1), both('1', 2))).to.equal(null);
    expect(said(both('1', 1), both('2', 1))).to.equal(null);
    expect(said(both('1', 1), both('1', 2), both('2', 1), both('2', 2))).to.be.within(0, 1);
  });

  it('is refused with a method that has no mean', () => {
    const runs = [...seeds(3, { method: 'a' }), failed({ method: 'a', seed: 4 }), ...seeds(4, { method: 'b' })];
    expect(() => compareRuns(runs, { ...accuracy, against: 'a' })).to.throw('a in average accuracy').with.property('code', 'LETHE_STATISTICS_MISSING');
  });

  it('counts a run once that is given twice, and refuses one with two outcomes', () => {
    const runs = seeds(3, { method: 'a' });
    expect(only([...runs, ...runs]).methods[0]!.completed).to.equal(3);
    const other = { ...completed({ method: 'a', skill: 1 }) };
    expect(() => compareRuns([...runs, other], accuracy)).to.throw('a, order 1, seed 1').with.property('code', 'LETHE_RUN_AMBIGUOUS');
  });

  it('takes the mean of a run\'s outcomes where that is asked for, and knows nothing of its rows then', () => {
    const runs = seeds(3, { method: 'a' });
    const better = { ...runs[0]!, matrix: [[0, 0], [0.5, 0.5], [1, 1]] };
    const { methods, standings } = only([...runs, better, ...seeds(3, { method: 'b' })], { ...accuracy, repeated: 'mean' });
    const [first, ...rest] = runs.map(({ metrics }) => metrics.averageAccuracy!);
    expect(methods[0]!.completed).to.equal(3);
    expect(standings[0]!.overRuns!.mean).to.be.closeTo(((first! + 1) / 2 + rest[0]! + rest[1]!) / 3, 1e-12);
    expect(standings.map(({ overRows }) => overRows === null)).to.deep.equal([true, false]);
    expect(only(runs, { ...accuracy, overRows: false }).standings[0]).to.deep.equal({ ...only(runs).standings[0], overRows: null });
    expect(only([...runs, failed({ method: 'a', seed: 3 })], { ...accuracy, repeated: 'mean' }).methods[0]).to.include({ completed: 3, failed: 0 });
  });

  it('keeps versions of a suite apart, and refuses runs on other rows', () => {
    expect(compareRuns([completed({}), completed({ version: '1.0.1' })], accuracy)).to.have.length(2);
    const other = completed({ method: 'b' });
    const longer = { ...other, predictions: { ...other.predictions, x: { answers: [0], chosen: [[0], [0], [0]] } } };
    expect(() => compareRuns([completed({}), longer], accuracy)).to.throw('other rows of x').with.property('code', 'LETHE_RESULTS_INVALID');
    const changed = { ...other, environment: { ...other.environment, dataSha256: { x: 'f'.repeat(64) } } };
    expect(() => compareRuns([completed({}), changed], accuracy)).to.throw('other rows of x');
    // what makes tables and figures of them compares as well
    expect(() => comparableRuns([completed({}), changed])).to.throw('other rows of x');
  });

  it('does not change with the names of tasks or the order of the runs', () => {
    const make = (x: string, y: string) => ['a', 'b'].flatMap((method) => seeds(4, { method, tasks: [x, y], skill: method === 'a' ? 0.4 : 0.6 }));
    const numbers = (runs: readonly Run[]) => {
      const { standings, pairs, methods } = only(runs);
      const name = (place: number) => methods[place]!.method.id;
      return { standings: Object.fromEntries(standings.map(({ method, ...rest }) => [name(method), rest])), p: pairs[0]!.adjusted };
    };
    const known = numbers(make('x', 'y'));
    fc.assert(fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 2 }), fc.integer(), ([x, y], seed) => {
      expect(numbers(createRandom(seed, 'order').shuffle(make(x!, y!)))).to.deep.equal(known);
    }), { numRuns: 10 });
  });
});
