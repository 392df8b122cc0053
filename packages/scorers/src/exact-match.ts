import type { Scorer } from '@lethe/core';
import { wordsOf } from './text.js';

/** What Python calls `string.punctuation`: the punctuation of ASCII. */
const PUNCTUATION = /[!-/:-@[-`{-~]/g;

/**
 * Text as exact match compares it: lower case, without the punctuation of ASCII, white space as single spaces. Articles stay.
 * It is the normalisation of Super-NaturalInstructions (Wang et al. 2022, arXiv 2204.07705), which O-LoRA and SAPT took over.
 */
export const normalised = (text: string): string => wordsOf(text.toLowerCase().replace(PUNCTUATION, '')).join(' ');

/** Whether the text is one of the references once both are {@link normalised}. */
export const exactMatch: Scorer = {
  id: 'exact-match',
  needs: 'text',
  needsSource: false,
  score: (prediction, references) => (references.some((right) => normalised(right) === normalised(prediction)) ? 1 : 0),
};

/** Whether the text is one of the references, character by character but for white space at its ends. TRACE scores so. */
export const verbatim: Scorer = {
  id: 'verbatim',
  needs: 'text',
  needsSource: false,
  score: (prediction, references) => (references.some((right) => right.trim() === prediction.trim()) ? 1 : 0),
};
