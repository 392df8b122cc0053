import { SCORERS } from '@lethe/scorers';
import { SCORER_RULES, judgeScorer } from '@lethe/testkit';
import { expect } from 'chai';

describe('scorers of Lethe', () => {
  for (const scorer of SCORERS) {
    it(`${scorer.id} keeps the rules of scorers`, () => {
      for (const rule of SCORER_RULES) expect(judgeScorer(rule, scorer), rule.id).to.equal(null);
    });
  }
});
