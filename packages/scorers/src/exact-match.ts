import type { Scorer } from '@lethe/core';

/** What Python calls `string.punctuation`: the punctuation of ASCII. */
const PUNCTUATION = /[!-/:-@[-`{-~]/g;

/**
 * Text as exact match compares it: lower case, without the punctuation of ASCII, white space as single spaces. Articles stay.
 * It is the normalisation of Super-NaturalInstructions, which O-LoRA and SAPT took over.
 */
export const normalised = (text: string): string => text.toLowerCase().replace(PUNCTUATION, '').trim().replace(/\s+/gu, ' ');

/** Whether the text is one of the references once both are {@link normalised}. */
export const exactMatch: Scorer = {
  id: 'exact-match',
  needs: 'text',
  needsSource: false,
  score: (prediction, references) => (references.some((right) => normalised(right) === normalised(prediction)) ? 1 : 0),
};
