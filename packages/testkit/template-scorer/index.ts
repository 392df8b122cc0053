import type { Scorer } from '@lethe/core';

/** Words in lower case, without punctuation and articles. */
const words = (text: string): string[] =>
  text.toLowerCase().replaceAll(/[^\p{L}\p{N}\s]/gu, '').replaceAll(/\b(a|an|the)\b/g, ' ').split(/\s+/).filter((word) => word !== '');

/** How often each word occurs. */
function counts(list: readonly string[]): Map<string, number> {
  const result = new Map<string, number>();
  for (const word of list) result.set(word, (result.get(word) ?? 0) + 1);
  return result;
}

/** Harmonic mean of the shares of words that are in the other text too; 1 for two texts without words. */
function f1(prediction: readonly string[], reference: readonly string[]): number {
  if (prediction.length === 0 || reference.length === 0) return prediction.length === reference.length ? 1 : 0;
  const wanted = counts(reference);
  const shared = [...counts(prediction)].reduce((sum, [word, count]) => sum + Math.min(count, wanted.get(word) ?? 0), 0);
  return (2 * shared) / (prediction.length + reference.length);
}

/** The F1 of SQuAD (Rajpurkar et al. 2016, arXiv 1606.05250, section 6.1): overlap of words as bags, of several references the best one. */
const scorer: Scorer = {
  id: 'template-scorer',
  needs: 'text',
  needsSource: false,
  score: (prediction, references) => Math.max(...references.map((reference) => f1(words(prediction), words(reference)))),
};
export default scorer;
