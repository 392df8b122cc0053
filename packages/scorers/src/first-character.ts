import type { Scorer } from '@lethe/core';

/**
 * Whether the first characters are the same, white space before them aside: the answers of ScienceQA in TRACE are a letter and, on the next
 * line, its reasons, of which TRACE's accuracy counts the letter.
 */
export const firstCharacter: Scorer = {
  id: 'first-character',
  needs: 'text',
  needsSource: false,
  score: (prediction, references) => {
    const [first] = prediction.trimStart();
    return first !== undefined && references.some((reference) => reference.trimStart()[0] === first) ? 1 : 0;
  },
};
