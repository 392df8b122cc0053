import { expect } from 'chai';
import { intervalOf, metricsOf, proportionInterval, studentQuantile } from '../src/index.js';

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

describe('intervalOf', () => {
  it('is the t interval', () => {
    const interval = intervalOf([1, 2, 3]);
    expect(interval?.mean).to.equal(2);
    expect(interval?.high).to.be.closeTo(2 + 4.302653 / Math.sqrt(3), 1e-6);
  });
  it('has no bounds for one value and no value for none', () => {
    expect(intervalOf([5])).to.deep.equal({ mean: 5, low: null, high: null, n: 1, level: 0.95 });
    expect(intervalOf([])).to.equal(null);
  });
  it('knows the tabulated quantiles', () => {
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
