import { type Random, createRandom, LetheError } from '@lethe/core';
import { expect } from 'chai';
import fc from 'fast-check';
import { type Sampling, chooseToken } from '../src/generation/sampling.js';

/** Shares of many draws among tokens. */
function shares(logits: readonly number[], sampling: Sampling, draws = 20_000): number[] {
  const random = createRandom(1, 'shares');
  const counts = logits.map(() => 0);
  for (let i = 0; i < draws; i++) counts[chooseToken(Float32Array.from(logits), sampling, random)]!++;
  return counts.map((count) => count / draws);
}
/** Always gives this. */
const fixed = (value: number): Random => ({ ...createRandom(1), uniform: () => value });

describe('the choice of a token', () => {
  const logits = [1, 3, 2, 3 - 1e-3].map((p) => Math.log(p)); // probabilities 1/9, 3/9, 2/9, almost 3/9

  it('takes the most likely one without a temperature, the first of equals, and asks for no randomness', () => {
    const none: Random = { ...createRandom(1), uniform: () => expect.fail('it drew') };
    expect(chooseToken(Float32Array.from(logits), { temperature: 0, topP: 1 }, none)).to.equal(1);
    expect(chooseToken(Float32Array.of(2, 5, 5), { temperature: 0, topP: 0.5 }, none)).to.equal(1);
  });

  it('draws by the softmax of the scores divided by the temperature', () => {
    shares(logits, { temperature: 1, topP: 1 }).forEach((share, i) => expect(share).to.be.closeTo([1, 3, 2, 3][i]! / 9, 0.015));
    // probabilities to the power of 1 / temperature
    shares(logits, { temperature: 0.5, topP: 1 }).forEach((share, i) => expect(share).to.be.closeTo([1, 9, 4, 9][i]! / 23, 0.015));
  });

  it('draws from the fewest tokens that reach the share', () => {
    const drawn = (topP: number) => shares(logits, { temperature: 1, topP }, 4000).flatMap((share, i) => (share > 0 ? [i] : []));
    expect(drawn(0.01)).to.deep.equal([1]);
    expect(drawn(0.5)).to.deep.equal([1, 3]);
    expect(drawn(0.7)).to.deep.equal([1, 2, 3]);
    expect(drawn(0.95)).to.deep.equal([0, 1, 2, 3]);
    shares(logits, { temperature: 1, topP: 0.7 }).forEach((share, i) => expect(share).to.be.closeTo([0, 3, 2, 3][i]! / 8, 0.015));
  });

  it('draws from so many of the most likely tokens, and from the nucleus of these', () => {
    const drawn = (topK: number, topP = 1) => shares(logits, { temperature: 1, topP, topK }, 4000).flatMap((share, i) => (share > 0 ? [i] : []));
    expect([1, 2, 3, 4, 9].map((topK) => drawn(topK))).to.deep.equal([[1], [1, 3], [1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3]]);
    expect(drawn(3, 0.7), '6/8 of the three reach it, 6/9 of all do not').to.deep.equal([1, 3]);
    shares(logits, { temperature: 1, topP: 1, topK: 3 }).forEach((share, i) => expect(share).to.be.closeTo([0, 3, 2, 3][i]! / 8, 0.015));
    const alike = shares([2, 1, 1], { temperature: 1, topP: 1, topK: 2 }, 4000);
    expect(alike.every((share) => share > 0), 'what is as likely as the last').to.equal(true);
  });

  it('draws what sorting all tokens would draw', () => {
    fc.assert(fc.property(
      fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 40 }), fc.double({ min: 0.01, max: 0.999, noNaN: true }),
      fc.double({ min: 0, max: 0.999, noNaN: true }), (scores, topP, u) => {
        const top = Math.max(...scores);
        const all = scores.map((score, token) => ({ token, weight: Math.exp(score - top) })).sort((a, b) => b.weight - a.weight || a.token - b.token);
        const total = all.reduce((sum, { weight }) => sum + weight, 0);
        let sum = 0;
        const kept = all.slice(0, all.findIndex(({ weight }) => (sum += weight) >= topP * total * (1 - 1e-12)) + 1);
        let left = u * kept.reduce((share, { weight }) => share + weight, 0);
        const expected = kept.find(({ weight }) => (left -= weight) < 0) ?? kept.at(-1)!;
        const drawn = chooseToken(Float32Array.from(scores), { temperature: 1, topP }, fixed(u));
        // apart from draws within rounding of the border between two tokens
        if (Math.abs(left) > 1e-9 && Math.abs(sum - topP * total) > 1e-9) expect(drawn).to.equal(expected.token);
      }));
  });

  it('never draws what cannot be, nor falls off the end', () => {
    const scores = Float32Array.of(-Infinity, 0, -Infinity);
    for (const u of [0, 0.5, 1 - 2 ** -53]) for (const topP of [0.5, 1]) expect(chooseToken(scores, { temperature: 1, topP }, fixed(u))).to.equal(1);
  });

  it('refuses scores that are not numbers', () => {
    for (const scores of [[NaN, NaN], [-Infinity, -Infinity], [Infinity, 0], [0, NaN, 1], [NaN, 1]]) {
      expect(() => chooseToken(Float32Array.from(scores), { temperature: 1, topP: 1 }, createRandom(1)))
        .to.throw(LetheError).with.property('code', 'LETHE_ENGINE_NUMBERS');
    }
  });
});
