import { expect } from 'chai';
import fc from 'fast-check';
import { METRICS, type Measured, metricsOf, proportionInterval, studentQuantile } from '../src/index.js';

const none = { base: {}, final: {} };

/** A matrix of which only the diagonal and the last row are known, as published tables have it. */
function published(diagonal: number[], final: number[]): (number | null)[][] {
  const count = diagonal.length;
  return Array.from({ length: count + 1 }, (_, i) =>
    i === count ? final : diagonal.map((value, j) => (i === j + 1 ? value : null)));
}

describe('metricsOf', () => {
  it('matches a stream worked out by hand', () => {
    const metrics = metricsOf(
      [[0.1, 0.2, 0.3], [0.9, 0.3, 0.3], [0.7, 0.8, 0.5], [0.5, 0.6, 0.7]],
      { base: { a: 0.5, b: 0.7 }, final: { a: 0.4, b: 0.6 } },
    );
    expect(metrics.averageAccuracy).to.be.closeTo(0.6, 1e-12);
    expect(metrics.backwardTransfer).to.be.closeTo((-0.4 - 0.2) / 2, 1e-12);
    expect(metrics.forgetting).to.be.closeTo((0.4 + 0.2) / 2, 1e-12);
    expect(metrics.forwardTransfer).to.be.closeTo((0.1 + 0.2) / 2, 1e-12);
    expect(metrics.learningAccuracy).to.be.closeTo(0.8, 1e-12);
    expect(metrics.averageIncrementalAccuracy).to.be.closeTo((0.9 + 0.75 + 0.6) / 3, 1e-12);
    expect(metrics.generalDelta).to.be.closeTo(-0.1, 1e-12);
  });

  it('gives the backward transfer that TRACE prints for LLaMA-2-7B-chat', () => {
    const full = published(
      [0.5, 0.735, 0.523, 0.58, 0.764, 0.383, 0.582, 0.408], [0.454, 0.609, 0.457, 0.512, 0.637, 0.272, 0.548, 0.408]);
    const lora = published(
      [0.511, 0.713, 0.51, 0.578, 0.68, 0.37, 0.486, 0.37], [0.277, 0.24, 0.121, 0.004, 0, 0, 0, 0.37]);
    expect(metricsOf(full, none).averageAccuracy).to.be.closeTo(0.487, 5e-4);
    expect(metricsOf(full, none).backwardTransfer).to.be.closeTo(-0.083, 5e-4);
    expect(metricsOf(lora, none).backwardTransfer).to.be.closeTo(-0.457, 2e-3);
    expect(metricsOf(full, none).forwardTransfer).to.equal(null);
  });

  it('is null where a joint run passes no point', () => {
    const metrics = metricsOf([[0.1, 0.2], [null, null], [0.8, 0.6]], none);
    expect(metrics.averageAccuracy).to.be.closeTo(0.7, 1e-12);
    expect(metrics.backwardTransfer).to.equal(null);
    expect(metrics.forgetting).to.equal(null);
    expect(metrics.forwardTransfer).to.equal(null);
    expect(metrics.learningAccuracy).to.equal(null);
    expect(metrics.generalDelta).to.equal(null);
  });

  it('has no transfer in a stream of one task', () => {
    const metrics = metricsOf([[0.1], [0.9]], none);
    expect(metrics.learningAccuracy).to.equal(0.9);
    expect(metrics.backwardTransfer).to.equal(null);
  });
});

describe('published tables', () => {
  /** Final scores of TRACE's eight tasks, LLaMA-2-7B-chat (Wang et al. 2023), with the mean that the paper prints. */
  const FINALS: readonly (readonly [name: string, printed: number, finals: readonly number[]])[] = [
    ['in-context learning', 0.389, [0.4, 0.483, 0.198, 0.522, 0.628, 0.284, 0.203, 0.395]],
    ['all parameters in sequence', 0.487, [0.454, 0.609, 0.457, 0.512, 0.637, 0.272, 0.548, 0.408]],
    ['LoRA in sequence', 0.127, [0.277, 0.24, 0.121, 0.004, 0, 0, 0, 0.37]],
    ['replay', 0.555, [0.5, 0.8, 0.51, 0.55, 0.785, 0.37, 0.52, 0.406]],
    ['O-LoRA, 500 rows', 0.413, [0.482, 0.336, 0.409, 0.53, 0.582, 0.235, 0.455, 0.264]],
    ['all tasks at once, 500 rows', 0.523, [0.44, 0.68, 0.44, 0.6, 0.72, 0.33, 0.57, 0.39]],
  ];
  for (const [name, printed, finals] of FINALS) {
    it(`TRACE: average accuracy of ${name}`, () => {
      const matrix = [...finals.map(() => finals.map(() => null)), [...finals]];
      expect(metricsOf(matrix, none).averageAccuracy).to.be.closeTo(printed, 2.5e-3);
    });
  }

  it('TRACE: change of general ability', () => {
    const probes = (...scores: number[]) => Object.fromEntries(['MMLU', 'GSM', 'BBH', 'TydiQA', 'BoolQ', 'PIQA'].map((probe, i) => [probe, scores[i]! / 100]));
    const base = probes(46.56, 26.08, 40.23, 23.47, 70.55, 76.22);
    for (const [printed, final] of [
      [-2.58, probes(46.43, 3.49, 30.11, 33.23, 77.89, 76.5)], [-7.03, probes(42.28, 14.71, 33.61, 21.72, 53.43, 75.19)],
      [-2.31, probes(47.04, 3.03, 36.61, 31.57, 75.75, 75.3)],
    ] as const) expect(metricsOf([[0], [0]], { base, final }).generalDelta).to.be.closeTo(printed / 100, 1e-4);
  });

  it('O-LoRA: average accuracy of order 1 in its released logs', () => {
    const finals = [0.977, 0.561, 0.71, 0.886];
    expect(metricsOf([...finals.map(() => finals.map(() => null)), finals], none).averageAccuracy).to.be.closeTo(0.7837, 5e-4);
  });
});

describe('the catalogue', () => {
  const matrix = [[0.1, 0.2, 0.3], [0.9, 0.3, 0.3], [0.7, 0.8, 0.5], [0.5, 0.9, 0.7]];
  const measured: Measured = { matrix, general: none, rows: [100, 300, 600] };
  const value = (id: string, run = measured) => METRICS.find((metric) => metric.id === id)!.of(run);

  it('gives what results hold under their names', () => {
    const metrics = metricsOf(matrix, none);
    expect(METRICS.slice(0, 7).map(({ id }) => id).sort()).to.deep.equal(Object.keys(metrics).sort());
    for (const [id, stated] of Object.entries(metrics)) expect(value(id)).to.equal(stated);
  });

  it('gives the variants of other code under names of their own', () => {
    // the first task falls by 0.4, the second gains 0.1
    expect(value('backwardTransfer')).to.be.closeTo(-0.3 / 2, 1e-12);
    expect(value('backwardTransferOverAllTasks')).to.be.closeTo(-0.3 / 3, 1e-12);
    expect(value('negativeBackwardTransfer')).to.be.closeTo(-0.4 / 3, 1e-12);
    expect(value('dropSinceLearned')).to.be.closeTo(0.3 / 2, 1e-12);
    expect(value('rowWeightedAccuracy')).to.be.closeTo(0.05 + 0.27 + 0.42, 1e-12);
    // the second task is best at the end, and falls by nothing
    expect(value('dropFromPeak')).to.be.closeTo(0.4 / 2, 1e-12);
    expect(value('forgetting')).to.be.closeTo((0.4 - 0.1) / 2, 1e-12);
    expect(value('triangularAccuracy')).to.be.closeTo((0.9 + 0.7 + 0.8 + 0.5 + 0.9 + 0.7) / 6, 1e-12);
    expect(value('triangularBackwardTransfer')).to.be.closeTo((-0.2 - 0.4 + 0.1) / 3, 1e-12);
    expect(value('triangularForwardTransfer')).to.be.closeTo((0.3 + 0.3 + 0.5) / 3, 1e-12);
  });

  it('has nothing for one task, and for cells that are missing', () => {
    const one: Measured = { matrix: [[0.1], [0.9]], general: none, rows: [10] };
    const joint: Measured = { ...measured, matrix: [matrix[0]!, [null, null, null], [null, null, null], matrix[3]!] };
    for (const id of ['backwardTransfer', 'forgetting', 'forwardTransfer', 'backwardTransferOverAllTasks', 'negativeBackwardTransfer', 'dropSinceLearned', 'dropFromPeak',
      'triangularBackwardTransfer', 'triangularForwardTransfer']) {
      expect(value(id, one), id).to.equal(null);
      expect(value(id, joint), id).to.equal(null);
    }
    expect(value('rowWeightedAccuracy', one)).to.equal(0.9);
    expect(value('rowWeightedAccuracy', joint)).to.be.closeTo(0.74, 1e-12);
    expect(value('rowWeightedAccuracy', { ...measured, matrix: [...matrix.slice(0, 3), [0.5, null, 0.7]] })).to.equal(null);
    expect(value('averageAccuracy', { ...measured, matrix: [...matrix.slice(0, 3), [0.5, null, 0.7]] })).to.equal(null);
  });

  it('shifts as it should: levels by a constant, differences not at all; and does not know the order of the probes', () => {
    fc.assert(fc.property(fc.double({ min: -0.05, max: 0.05, noNaN: true }), (constant) => {
      const moved: Measured = { ...measured, matrix: matrix.map((row) => row.map((score) => score + constant)) };
      const levels = ['averageAccuracy', 'learningAccuracy', 'averageIncrementalAccuracy', 'rowWeightedAccuracy', 'triangularAccuracy', 'triangularForwardTransfer'];
      for (const { id } of METRICS.filter((metric) => metric.id !== 'generalDelta')) {
        expect(value(id, moved), id).to.be.closeTo(value(id)! + (levels.includes(id) ? constant : 0), 1e-9);
      }
    }));
  });

  it('gives zero-sum trades no drop where losses alone count', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 }), ([a, b, c, d]) => {
      const run: Measured = { matrix: [[0, 0], [a!, b!], [c!, d!]], general: none, rows: [1, 1] };
      expect(value('negativeBackwardTransfer', run)).to.be.at.most(0);
      expect(value('dropSinceLearned', run)).to.be.closeTo(value('forgetting', run)!, 1e-12); // of two tasks they are one
      expect(value('dropSinceLearned', run)).to.be.closeTo(-value('backwardTransfer', run)!, 1e-12);
    }));
  });
});

describe('quantiles of t', () => {
  it('are those of tables', () => {
    expect(studentQuantile(11)).to.be.closeTo(2.201, 1e-3);
    expect(studentQuantile(30)).to.be.closeTo(2.0423, 1e-4);
  });
});

describe('proportionInterval', () => {
  it('is the score interval, and stays within the range of a proportion', () => {
    // Newcombe 1998, table I, method 3: 81 of 263, 15 of 148, 0 of 20
    for (const [hits, rows, low, high] of [[81, 263, 0.2553, 0.3662], [15, 148, 0.0624, 0.1605], [0, 20, 0, 0.1611]] as const) {
      const interval = proportionInterval(hits / rows, rows);
      expect(interval.low).to.be.closeTo(low, 5e-5);
      expect(interval.high).to.be.closeTo(high, 5e-5);
    }
  });
});
