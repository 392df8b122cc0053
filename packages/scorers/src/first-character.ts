import type { Scorer } from '@lethe/core';

/** The first character (code point), or undefined. */
const firstOf = (text: string): string | undefined => [...text.trimStart().slice(0, 2)][0];

/**
 * Whether the first characters are the same, white space before them aside: the answers of ScienceQA in TRACE are a letter and, on the next
 * line, its reasons, of which TRACE's accuracy counts the letter.
 */
export const firstCharacter: Scorer = {
  id: 'first-character',
  needs: 'text',
  needsSource: false,
  score: (prediction, references) => {
    const first = firstOf(prediction);
    return first !== undefined && references.some((reference) => firstOf(reference) === first) ? 1 : 0;
  },
};
