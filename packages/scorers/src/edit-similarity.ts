import type { Scorer } from '@lethe/core';
import { best, commonLength } from './text.js';

/** Rounds to whole numbers, halves to the even one, as Python does. */
function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest === 0.5 ? below + (below % 2) : Math.round(value);
}

/** 2 M / (a + b) in whole percent, M the longest common subsequence of characters (code points). */
function ratio(prediction: string, reference: string): number {
  if (prediction === reference) return 1;
  const [a, b] = [[...prediction], [...reference]];
  if (a.length === 0 || b.length === 0) return 0;
  return roundHalfEven((200 * commonLength(a, b)) / (a.length + b.length)) / 100;
}

/**
 * Edit similarity: `fuzz.ratio` of fuzzywuzzy with python-Levenshtein, over 100, the largest over references. Code completion (CodeXGLUE,
 * Py150 in TRACE) is scored by it. It is in whole percent, as the reference is. Without python-Levenshtein, fuzzywuzzy falls back on difflib,
 * which finds other matches and can give lower values.
 */
export const editSimilarity: Scorer = {
  id: 'edit-similarity',
  needs: 'text',
  needsSource: false,
  score: (prediction, references) => best(references, (reference) => ratio(prediction, reference)),
};

/** Code with what stands for its literals put back: `<NUM_LIT:3>` is 3, `<STR_LIT>` an empty text, `<NUM_LIT>` a zero. */
const withLiterals = (code: string): string => code.replaceAll('<NUM_LIT>', '0').replaceAll(/<(?:STR|CHAR)_LIT>/g, '')
  .replaceAll(/<(?:STR|NUM|CHAR)_LIT:(.*?)>/gs, '$1');

/** Edit similarity as CodeXGLUE's script for Py150, and TRACE's, computes it: after literals are put back in both texts. */
export const editSimilarityPy150: Scorer = {
  ...editSimilarity,
  id: 'edit-similarity-py150',
  score: (prediction, references) => editSimilarity.score(withLiterals(prediction), references.map(withLiterals)),
};
