import { describeScorer } from '@lethe/testkit';
import { expect } from 'chai';
import scorer from './index.js';

// What every scorer must keep, a test for each rule.
describeScorer(import.meta.url);

// What is this scorer's own, by hand.
describe('template-scorer', () => {
  it('counts the words that are shared, not their order', () => {
    expect(scorer.score('sat the cat', ['The cat sat.'])).to.equal(1);
    expect(scorer.score('a dog sat', ['the cat sat'])).to.be.closeTo(0.5, 1e-12); // one of two words on both sides
    expect(scorer.score('cat cat cat', ['cat'])).to.be.closeTo(0.5, 1e-12); // 2 * 1 / (3 + 1)
    expect(scorer.score('', ['cat'])).to.equal(0);
  });

  it('takes the best of several references', () => {
    expect(scorer.score('forty two', ['42', 'forty-two', 'forty two'])).to.equal(1);
  });
});
