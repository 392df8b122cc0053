import type { Scorer } from '@lethe/core';
import { stemOf } from './porter.js';
import { best, commonLength } from './text.js';

/** Runs of the 26 letters and ten digits in lower case. Nothing else is a token: umlauts split words, and Chinese text has none. */
const tokensOf = (text: string): readonly string[] => text.toLowerCase().match(/[a-z0-9]+/g) ?? [];

/** Words of up to three characters stay as they are. */
const stemmed = (text: string): readonly string[] => tokensOf(text).map((token) => (token.length > 3 ? stemOf(token) : token));

/** F1 of the longest common subsequence of tokens: precision over those of the prediction, recall over those of the reference. */
function overlap(prediction: readonly string[], reference: readonly string[]): number {
  const common = commonLength(reference, prediction);
  if (common === 0) return 0;
  const [precision, recall] = [common / prediction.length, common / reference.length];
  return (2 * precision * recall) / (precision + recall);
}

const rouge = (id: string, tokens: (text: string) => readonly string[]): Scorer => ({
  id,
  needs: 'text',
  needsSource: false,
  score: (prediction, references) => {
    const own = tokens(prediction);
    return best(references, (reference) => overlap(own, tokens(reference)));
  },
});

/** ROUGE-L (Lin 2004), F1, without stemming, the largest over references: `rougeL` of the Python package rouge_score. */
export const rougeL = rouge('rouge-l', tokensOf);

/** The same with stemmed words (`use_stemmer=True`), as Super-NaturalInstructions and SAPT score. For English text only. */
export const rougeLStemmed = rouge('rouge-l-stemmed', stemmed);
