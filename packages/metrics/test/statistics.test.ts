import { readFileSync } from 'node:fs';
import { createRandom } from '@lethe/core';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  completeMean, differenceRange, fewestPairs, holm, leastP, pairedPower, pairsNeeded, permutationPower, permutationTest, proportionInterval, quantileOf, ranksOf, runInterval,
  runProbability, studentQuantile, withinRange,
} from '../src/index.js';

/** What scipy and statsmodels say; see the README beside it. */
const expected = JSON.parse(readFileSync(new URL('../../../../test/fixtures/statistics/expected.json', import.meta.url), 'utf8')) as {
  permutation: { differences: number[]; p: number }[];
  holm: { p: number[]; holm: number[] }[];
  power: { effect: number; alpha: number; power: Record<string, number>; pairs: number }[];
  permutationPower: { pairs: number; effect: number; alpha: number; power: number }[];
  crossed: { grid: number[][]; bounds: [number, number] }[];
  student: { degrees: number; probability: number; quantile: number }[];
  interval: { values: number[]; bounds: [number, number] }[];
  wilson: { hits: number; rows: number; bounds: [number, number] }[];
};
const random = () => createRandom(1, 'test');
const oneOrder = (values: readonly number[]) => values.map((value, i) => ({ order: '1', seed: i + 1, value }));
const numbers = (min: number, max: number) => fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: min, maxLength: max });

describe('the paired permutation test', () => {
  it('gives the exact p values of scipy, and close ones where it draws', () => {
    for (const { differences, p } of expected.permutation) {
      const test = permutationTest(differences, random());
      expect(test.exact).to.equal(true);
      expect(test.p, JSON.stringify(differences)).to.be.closeTo(p, 1e-12);
      // pairs without a difference change nothing, but that there are too many then to count
      const drawn = permutationTest([...differences, ...Array<number>(40).fill(0)], random());
      expect(drawn.exact).to.equal(false);
      // three standard errors of 50 000 draws
      expect(drawn.p, JSON.stringify(differences)).to.be.closeTo(p, 1 / 50_000 + 3 * Math.sqrt((p * (1 - p)) / 50_000));
    }
  });

  it('knows the smallest p of so many pairs: five can never show a difference at 0.05', () => {
    for (const pairs of [2, 5, 6, 10, 25, 40]) {
      const test = permutationTest(Array.from({ length: pairs }, (_, i) => 1 + i / 10), random());
      expect(test.p).to.equal(test.least);
      expect(test.least).to.equal(2 ** (1 - pairs));
    }
    expect(leastP(5)).to.be.above(0.05);
    expect(leastP(6)).to.be.below(0.05);
    expect([fewestPairs(1, 0.05), fewestPairs(36, 0.05)]).to.deep.equal([6, 11]); // 36 * 2^-10 is 0.035
    expect([fewestPairs(1, 1 / 16), fewestPairs(2, 1 / 16)], 'a p as large as the level is enough').to.deep.equal([5, 6]);
  });

  it('gives no p of 0 where it draws: the pattern that was seen is one of them', () => {
    // two of the 2^41 patterns are as extreme, and none of the 50 000 that are drawn
    const { p, least, exact } = permutationTest(Array.from({ length: 41 }, (_, i) => 1 + i), random());
    expect({ p, least, exact }).to.deep.equal({ p: 1 / 50_001, least: 1 / 50_001, exact: false });
  });

  it('gives 1 where nothing differs', () => expect(permutationTest([0, 0, 0], random()).p).to.equal(1));

  it('has p values that are uniform under the null', () => {
    // eight pairs have 128 equally likely p values; the chi-square statistic of eight bins has 7 degrees of freedom
    const normal = createRandom(7, 'null');
    const bins = Array.from({ length: 8 }, () => 0);
    const trials = 4000;
    for (let k = 0; k < trials; k++) {
      const { p } = permutationTest(Array.from({ length: 8 }, () => normal.normal()), normal);
      bins[Math.ceil(p * 8 - 1e-9) - 1]! += 1;
    }
    const chi = bins.reduce((sum, count) => sum + (count - trials / 8) ** 2 / (trials / 8), 0);
    expect(chi, bins.join(' ')).to.be.below(24.3); // its 99.9 % quantile
  });

  it('does not depend on the order of the pairs, nor on which method comes first', () => {
    fc.assert(fc.property(numbers(1, 10), (values) => {
      const { p } = permutationTest(values, random());
      expect(permutationTest([...values].reverse(), random()).p).to.equal(p);
      expect(permutationTest(values.map((value) => -value), random()).p).to.equal(p);
    }));
  });
});

describe('the correction for many tests', () => {
  it('is that of statsmodels', () => {
    for (const { p, holm: adjusted } of expected.holm) {
      holm(p).forEach((value, i) => expect(value).to.be.closeTo(adjusted[i]!, 1e-12));
    }
  });
  it('makes no p smaller, keeps their order, and does nothing to one', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }), (ps) => {
      const adjusted = holm(ps);
      adjusted.forEach((value, i) => {
        expect(value).to.be.at.least(ps[i]!).and.at.most(1);
        adjusted.forEach((other, j) => { if (ps[i]! < ps[j]!) expect(value).to.be.at.most(other); });
      });
    }));
    expect(holm([0.3])).to.deep.equal([0.3]);
  });
});

describe('power', () => {
  it('is that of statsmodels', () => {
    for (const { effect, alpha, power } of expected.power) {
      for (const [pairs, value] of Object.entries(power)) expect(pairedPower(effect, Number(pairs), alpha)).to.be.closeTo(value, 1e-6);
    }
  });
  it('of permutation tests is that of a simulation in numpy', () => {
    for (const { pairs, effect, alpha, power } of expected.permutationPower) {
      expect(permutationPower(effect, pairs, alpha), `${pairs} ${effect} ${alpha}`).to.be.closeTo(power, 0.04); // over four standard errors
    }
  });
  it('of six pairs is that all have one sign, and of five is none', () => {
    for (const [effect, below] of [[1, 0.8413447], [1.5, 0.9331928], [2, 0.9772499]] as const) {
      expect(permutationPower(effect, 6, 0.05)).to.be.closeTo(below ** 6 + (1 - below) ** 6, 0.04);
      expect(permutationPower(effect, 5, 0.05)).to.equal(0);
    }
  });
  it('needs as many pairs as statsmodels says where there are many, and more where there are few', () => {
    for (const { effect, alpha, pairs } of expected.power) {
      const needed = pairsNeeded(effect, 1, alpha)!;
      if (pairs > 12) expect(needed, `${effect} ${alpha}`).to.equal(Math.ceil(pairs));
      else expect(needed, `${effect} ${alpha}`).to.be.at.least(Math.ceil(pairs));
    }
    expect(pairsNeeded(1.5, 1, 0.05)).to.equal(7); // a t test is content with six
    expect(pairsNeeded(0.5, 0, 0.05)).to.equal(6);
    expect(pairsNeeded(-0.7, 1, 0.05)).to.equal(pairsNeeded(0.7, 1, 0.05));
  });
  it('needs more than can be run for next to no difference', () => {
    expect(pairsNeeded(0, 1, 0.05)).to.equal(null);
    expect(pairsNeeded(1e-6, 1, 0.05)).to.equal(null);
  });
});

describe('intervals over runs', () => {
  it('are t intervals over the seeds of one order, or the orders of one seed', () => {
    for (const { values, bounds } of expected.interval) {
      for (const runs of [oneOrder(values), values.map((value, i) => ({ order: String(i), seed: 1, value }))]) {
        const { low, high } = runInterval(runs);
        expect(low).to.be.closeTo(bounds[0], 1e-7);
        expect(high).to.be.closeTo(bounds[1], 1e-7);
      }
    }
    for (const { degrees, probability, quantile } of expected.student) expect(studentQuantile(degrees, probability)).to.be.closeTo(quantile, 1e-6 * quantile);
  });

  it('over orders and seeds are those of an analysis of variance', () => {
    for (const { grid, bounds } of expected.crossed) {
      const { low, high } = runInterval(grid.flatMap((row, order) => row.map((value, seed) => ({ order: String(order), seed, value }))));
      expect(low).to.be.closeTo(bounds[0], 1e-7);
      expect(high).to.be.closeTo(bounds[1], 1e-7);
    }
  });

  it('are not given for one run, and are a point where nothing differs', () => {
    expect(runInterval(oneOrder([0.1]))).to.deep.equal({ mean: 0.1, low: null, high: null, n: 1, level: 0.95 });
    expect(runInterval(oneOrder([0.5, 0.5, 0.5]))).to.deep.equal({ mean: 0.5, low: 0.5, high: 0.5, n: 3, level: 0.95 });
  });

  it('have a width where runs differ and the means of orders and of seeds do not, with the freedom that these leave', () => {
    const balanced = [0, 1, 1, 0].map((value, i) => ({ order: String(i % 2), seed: Math.floor(i / 2), value }));
    const { low, high } = runInterval(balanced);
    const alone = runInterval(oneOrder([0, 1, 1, 0]));
    expect((high! - low!) / (alone.high! - alone.low!)).to.be.closeTo(studentQuantile(1) / studentQuantile(3), 1e-9);
    // a Latin square, whose means differ by rounding alone: t with 4 degrees of freedom (2.776445, of any table) times the deviation over the root of 9
    for (const scale of [1, 1e-3]) {
      const latin = [0.1, 0.2, 0.3, 0.2, 0.3, 0.1, 0.3, 0.1, 0.2].map((value, i) => ({ order: String(i % 3), seed: Math.floor(i / 3), value: value * scale }));
      const interval = runInterval(latin);
      expect(interval.high! - interval.mean).to.be.closeTo(scale * 2.776445 * Math.sqrt(0.06 / 8 / 9), scale * 1e-6);
      expect(runProbability(latin)).to.be.within(0.001, 0.01);
    }
  });

  it('end where the test that belongs to them has a p of 0.05', () => {
    for (const { grid } of expected.crossed) {
      const values = grid.flatMap((row, order) => row.map((value, seed) => ({ order: String(order), seed, value })));
      const { low, high } = runInterval(values);
      for (const end of [low!, high!]) expect(runProbability(values.map((one) => ({ ...one, value: one.value - end })))).to.be.closeTo(0.05, 1e-6);
    }
    expect([[0.3], [0.5, 0.5], [0, 0]].map((values) => runProbability(oneOrder(values)))).to.deep.equal([1, 0, 1]);
  });

  it('count what orders have in common once and not once a seed', () => {
    // two orders that differ, ten seeds that do not: seeds alone would give next to no width, two orders give that of two values
    const values = Array.from({ length: 20 }, (_, i) => ({ order: i < 10 ? 'a' : 'b', seed: i % 10, value: i < 10 ? 0 : 1 }));
    const { low, high } = runInterval(values);
    const two = runInterval(oneOrder([0, 1]));
    expect([low, high]).to.deep.equal([two.low, two.high]);
  });

  it('take grids with holes, where a seed did not run in every order', () => {
    const values = [...oneOrder([0.4, 0.5, 0.6]), { order: '2', seed: 1, value: 0.7 }];
    const { mean, low, high } = runInterval(values);
    expect(mean).to.be.closeTo(0.55, 1e-12);
    expect(low).to.be.below(mean);
    expect(high).to.be.above(mean);
  });

  it('hold the mean of the distribution about as often as they say, whatever orders and seeds have in common', () => {
    for (const [byOrder, bySeed] of [[0, 0], [0.6, 0], [0, 0.6], [0.4, 0.4], [0.9, 0]] as const) {
      const draws = createRandom(11, 'cover', String(byOrder), String(bySeed));
      const left = Math.sqrt(1 - byOrder ** 2 - bySeed ** 2);
      const simulations = 2000;
      let held = 0;
      for (let k = 0; k < simulations; k++) {
        const [orders, seeds] = [[0, 1, 2].map(() => byOrder * draws.normal()), [0, 1, 2, 3].map(() => bySeed * draws.normal())];
        const { low, high } = runInterval(orders.flatMap((o, i) => seeds.map((s, seed) => ({ order: String(i), seed, value: o + s + left * draws.normal() }))));
        if (low! <= 0 && high! >= 0) held += 1;
      }
      expect(held / simulations, `${byOrder} ${bySeed}`).to.be.within(0.925, 0.995);
    }
  });

  it('shift with a constant, scale with a factor, and do not depend on the order of the runs', () => {
    fc.assert(fc.property(numbers(3, 8), fc.double({ min: -5, max: 5, noNaN: true }), (values, constant) => {
      const own = runInterval(oneOrder(values));
      const moved = runInterval(oneOrder(values.map((value) => value + constant)));
      const halved = runInterval(oneOrder(values.map((value) => value / 2)));
      for (const end of ['mean', 'low', 'high'] as const) {
        expect(moved[end]).to.be.closeTo(own[end]! + constant, 1e-9);
        expect(halved[end]).to.be.closeTo(own[end]! / 2, 1e-9);
      }
      expect(runInterval(oneOrder(values).reverse())).to.deep.equal(own);
    }), { numRuns: 50 });
  });

  it('are cut where scores end, and differences of scores', () => {
    const interval = { mean: 0.5, low: -0.25, high: 1.25, n: 2, level: 0.95 } as const;
    expect(withinRange(interval, [0, 1])).to.deep.equal({ ...interval, low: 0, high: 1 });
    expect(withinRange(interval, [-1, 2])).to.deep.equal(interval);
    expect(withinRange({ ...interval, low: null, high: null }, [0, 1])).to.include({ low: null, high: null });
    expect([differenceRange([0, 1]), differenceRange([-1, 0]), differenceRange([-1, 1])]).to.deep.equal([[-1, 1], [-1, 1], [-2, 2]]);
  });

  it('of a proportion are those of Wilson', () => {
    for (const { hits, rows, bounds } of expected.wilson) {
      const { low, high } = proportionInterval(hits / rows, rows);
      expect(low).to.be.closeTo(bounds[0], 1e-9);
      expect(high).to.be.closeTo(bounds[1], 1e-9);
    }
  });
});

describe('a quantile', () => {
  it('is that of numpy, between the values next to it', () => {
    // numpy.quantile([1, 2, 4, 8], [0, 0.3, 0.5, 1])
    [[0, 1], [0.3, 1.9], [0.5, 3], [1, 8]].forEach(([probability, value]) => expect(quantileOf([1, 2, 4, 8], probability!)).to.be.closeTo(value!, 1e-12));
  });
});

describe('a mean', () => {
  it('is refused where a value is missing, or none is there', () => {
    expect(completeMean([1, 2], 'x')).to.equal(1.5);
    for (const values of [[1, null], [undefined, 1], [NaN], []]) {
      expect(() => completeMean(values, 'forgetting of ewc')).to.throw('forgetting of ewc').with.property('code', 'LETHE_STATISTICS_MISSING');
    }
  });
});

describe('ranks', () => {
  it('are the places that those may have that cannot be told apart', () => {
    const better = new Set(['0>2', '0>3', '1>3']);
    expect(ranksOf(4, (a, b) => better.has(`${a}>${b}`))).to.deep.equal([[1, 2], [1, 3], [2, 4], [3, 4]]);
    expect(ranksOf(3, () => false)).to.deep.equal([[1, 3], [1, 3], [1, 3]]);
    expect(ranksOf(3, (a, b) => a < b)).to.deep.equal([[1, 1], [2, 2], [3, 3]]);
  });

  it('hold the true place, and do not depend on the order, whatever part of the truth was shown', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.nat(50), { minLength: 1, maxLength: 8 }), fc.func(fc.boolean()), (skills, shown) => {
      const better = (a: number, b: number) => skills[a]! > skills[b]! && shown(skills[a], skills[b]);
      const ranks = ranksOf(skills.length, better);
      ranks.forEach(([best, worst], i) => {
        const place = 1 + skills.filter((other) => other > skills[i]!).length;
        expect(place).to.be.within(best, worst);
      });
      const turned = skills.map((_, i) => skills.length - 1 - i);
      expect(ranksOf(skills.length, (a, b) => better(turned[a]!, turned[b]!)).reverse()).to.deep.equal(ranks);
    }));
  });
});
