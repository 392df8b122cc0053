import type { Scorer } from '@lethe/core';
import { expect } from 'chai';
import { SCORER_RULES, judgeScorer } from '../src/index.js';

const scorer = (score: Scorer['score']): Scorer => ({ id: 'planted', needs: 'text', needsSource: false, score });
const same = (prediction: string, references: readonly string[]) => (references.includes(prediction) ? 1 : 0);
const word = /\w+/g;
let last = '';

/** Faults by the rule that must find them, with what it says. */
const PLANTED: readonly (readonly [rule: string, score: Scorer['score'], seen: RegExp])[] = [
  ['range', (prediction) => prediction.length / 10, /scores 2\.2$/],
  ['range', (prediction, [reference]) => prediction.length / reference!.length, /scores NaN/],
  ['same-score', (prediction) => (word.test(prediction) ? 1 : 0), /scores [01], then [01]/],
  ['same-score', (prediction) => {
    const score = prediction === last ? 1 : 0;
    last = prediction;
    return score;
  }, /then/],
  ['tells-apart', () => 0.5, /every answer scores 0\.5/],
  ['no-ambient', (prediction, references) => same(prediction, references) * (Math.random() < 2 ? 1 : 0), /Math\.random/],
  ['inputs-untouched', (prediction, references) => ((references as string[]).sort()[0] === prediction ? 1 : 0), /the references are/],
  ['range', (prediction) => (JSON.parse(prediction) as number) * 0, /it throws SyntaxError/],
];

describe('the rules of scorers', () => {
  for (const [id, score, expected] of PLANTED) {
    it(`find a planted fault: ${id}, ${expected.source}`, () => {
      const rule = SCORER_RULES.find((each) => each.id === id)!;
      expect(judgeScorer(rule, scorer(score))).to.match(expected);
    });
  }
});
