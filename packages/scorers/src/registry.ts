import { LetheError, type Scorer, didYouMean } from '@lethe/core';
import { accuracy } from './accuracy.js';
import { editSimilarity, editSimilarityPy150 } from './edit-similarity.js';
import { exactMatch, verbatim } from './exact-match.js';
import { firstCharacter } from './first-character.js';
import { numericAnswer } from './numeric-answer.js';
import { rougeL, rougeLStemmed } from './rouge-l.js';
import { rougeLTrace } from './rouge-l-trace.js';
import { sari } from './sari.js';

/** Every scorer there is. */
export const SCORERS: readonly Scorer[] = [
  accuracy, exactMatch, verbatim, firstCharacter, numericAnswer, rougeL, rougeLStemmed, rougeLTrace, sari, editSimilarity, editSimilarityPy150,
];

/** The scorer of this id, or undefined. */
export const findScorer = (id: string): Scorer | undefined => SCORERS.find((scorer) => scorer.id === id);

/**
 * The scorer of this id.
 *
 * @param where what asks for it, `file:line`
 * @throws LETHE_SCORER_UNKNOWN with the ids there are
 */
export function scorerOf(id: string, where?: string): Scorer {
  const scorer = findScorer(id);
  if (scorer) return scorer;
  const ids = SCORERS.map((known) => known.id);
  throw new LetheError('LETHE_SCORER_UNKNOWN', `There is no scorer "${id}".${didYouMean(id, ids)}`, {
    ...(where === undefined ? {} : { where }), remedy: `Choose one of: ${ids.join(', ')}.`,
  });
}
