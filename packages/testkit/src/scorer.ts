import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Scorer, loadScorer } from '@lethe/core';
import { watchAmbient } from './ambient.js';
import { thrown } from './rule.js';
import { manifestOf } from './tested.js';

/** Texts as models write them, and as they should not. */
const TEXTS = [
  '', ' ', 'yes', 'Yes.', 'no', 'the cat sat on the mat', 'The cat, on a mat!', '42', 'The answer is 42.', '-3.5', 'first\nsecond', 'über 日本語 😀', 'word '.repeat(500),
];

type Answered = readonly [prediction: string, references: readonly string[], source: string];

/** Every text beside every other, alone and with a third one. */
const ANSWERED: readonly Answered[] = TEXTS.flatMap((prediction, i) =>
  TEXTS.flatMap((reference, k): Answered[] => [
    [prediction, [reference], TEXTS[(i + k) % TEXTS.length]!], [prediction, [reference, TEXTS[(k + 1) % TEXTS.length]!], reference],
  ]));

const scoreOf = ({ needsSource, score }: Scorer, [prediction, references, source]: Answered): number =>
  (needsSource ? score(prediction, references, source) : score(prediction, references));

const shown = ([prediction, references]: Answered): string =>
  `${JSON.stringify(prediction.slice(0, 40))} beside ${JSON.stringify(references.map((text) => text.slice(0, 40)))}`;

/** One thing that every scorer must keep. */
export interface ScorerRule {
  /** Stable name. */
  readonly id: string;
  /** What a scorer does that keeps it, as it would end a sentence. */
  readonly title: string;
  /** How a scorer that breaks it is mended. */
  readonly remedy: string;
  /** What was seen where it is broken; null where it is kept. */
  readonly check: (scorer: Scorer) => string | null;
}

/** Every rule of scorers, in the order in which they are checked. */
export const SCORER_RULES: readonly ScorerRule[] = [
  {
    id: 'range', title: 'gives a number from 0 to 1, whatever the texts', remedy: 'Return a finite number from 0 (nothing is right) to 1.',
    check: (scorer) => {
      for (const answered of ANSWERED) {
        const score = scoreOf(scorer, answered);
        if (!(score >= 0 && score <= 1)) return `${shown(answered)} scores ${score}`;
      }
      return null;
    },
  },
  {
    id: 'same-score', title: 'gives the same score for the same texts, whatever was scored before', remedy: 'Keep nothing between calls, such as a global regular expression with its lastIndex.',
    check: (scorer) => {
      const before = ANSWERED.map((answered) => scoreOf(scorer, answered));
      const after = ANSWERED.toReversed().map((answered) => scoreOf(scorer, answered)).toReversed();
      const at = before.findIndex((score, i) => !Object.is(score, after[i]));
      return at < 0 ? null : `${shown(ANSWERED[at]!)} scores ${before[at]}, then ${after[at]}`;
    },
  },
  {
    id: 'tells-apart', title: 'tells answers apart', remedy: 'Let the score depend on the prediction.',
    check: (scorer) => {
      const scores = new Set(ANSWERED.map((answered) => scoreOf(scorer, answered)));
      return scores.size > 1 ? null : `every answer scores ${[...scores].join()}`;
    },
  },
  {
    id: 'no-ambient', title: 'reads no clock and no randomness', remedy: 'Let the score depend on the texts alone: it is recomputed from them elsewhere.',
    check: (scorer) => {
      const read = new Set<string>();
      watchAmbient(() => ANSWERED.forEach((answered) => scoreOf(scorer, answered)), (what) => read.add(what));
      return read.size === 0 ? null : `it reads ${[...read].join(', ')}`;
    },
  },
  {
    id: 'inputs-untouched', title: 'leaves the references as they are', remedy: 'Copy the list before it is sorted or changed: toSorted, slice.',
    check: (scorer) => {
      for (const answered of ANSWERED) {
        const references = [...answered[1]];
        scoreOf(scorer, [answered[0], references, answered[2]]);
        if (references.length !== answered[1].length || references.some((text, i) => text !== answered[1][i])) return `${shown(answered)}: the references are ${JSON.stringify(references)} afterwards`;
      }
      return null;
    },
  },
];

/** What was seen of one rule. What the scorer throws counts as seen. */
export function judgeScorer({ check }: ScorerRule, scorer: Scorer): string | null {
  try {
    return check(scorer);
  } catch (error) {
    return thrown(error);
  }
}

/**
 * Describes, for mocha, that the scorer of a plugin keeps every rule: a test a rule. One line in the plugin's own test:
 * `describeScorer(import.meta.url);`
 *
 * @param url `import.meta.url` of the test, which lies in the folder of the plugin
 * @throws LetheError the errors of `manifestOf`
 */
export function describeScorer(url: string): void {
  const folder = dirname(fileURLToPath(url));
  describe(`conformance of ${basename(dirname(manifestOf(folder)))}`, () => {
    let scorer: Scorer;
    before(async () => { scorer = await loadScorer(join(folder, 'index.js')); });
    for (const rule of SCORER_RULES) {
      it(`${rule.id}: ${rule.title}`, () => {
        const seen = judgeScorer(rule, scorer);
        if (seen !== null) throw new Error(`${seen}. ${rule.remedy} (rule "${rule.id}")`);
      });
    }
  });
}
