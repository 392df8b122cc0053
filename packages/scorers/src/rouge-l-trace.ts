import type { Scorer } from '@lethe/core';
import { best, wordsOf } from './text.js';

/** The words of each sentence, sentences being what stands between points. One of white space alone counts as an empty word. */
const sentencesOf = (text: string): string[][] => text.split('.').filter((sentence) => sentence !== '').map((sentence) => {
  const words = wordsOf(sentence);
  return words.length === 0 ? [''] : words;
});

/** The words of one longest common subsequence; of several the one that is found from the end, leaving out words of `y` first. */
function commonWords(x: readonly string[], y: readonly string[]): string[] {
  const width = y.length + 1;
  const table = new Uint32Array((x.length + 1) * width);
  for (let i = 1; i <= x.length; i++) {
    for (let j = 1; j <= y.length; j++) {
      table[i * width + j] = x[i - 1] === y[j - 1]
        ? table[(i - 1) * width + j - 1]! + 1 : Math.max(table[(i - 1) * width + j]!, table[i * width + j - 1]!);
    }
  }
  const words: string[] = [];
  for (let [i, j] = [x.length, y.length]; i > 0 && j > 0;) {
    if (x[i - 1] === y[j - 1]) {
      words.push(x[--i]!);
      j -= 1;
    } else if (table[(i - 1) * width + j]! > table[i * width + j - 1]!) i -= 1;
    else j -= 1;
  }
  return words;
}

/** Different words in the common subsequences of any two sentences, against the different words of each text. */
function overlap(prediction: readonly string[][], reference: readonly string[][]): number {
  if (prediction.length === 0 || reference.length === 0) return 0;
  const common = new Set(prediction.flatMap((own) => reference.flatMap((other) => commonWords(own, other)))).size;
  const [recall, precision] = [common / new Set(prediction.flat()).size, common / new Set(reference.flat()).size];
  // the small term is the package's, which divides by it where nothing is common
  return (2 * precision * recall) / (precision + recall + 1e-8);
}

/**
 * ROUGE-L as TRACE's own script computes it: by the Python package rouge, which keeps case and punctuation, takes sentences by their
 * points, and counts a word once however often it occurs. Its values are not those of `rouge-l`; it is here to stand beside
 * TRACE's published numbers.
 */
export const rougeLTrace: Scorer = {
  id: 'rouge-l-trace',
  needs: 'text',
  needsSource: false,
  score: (prediction, references) => {
    const own = sentencesOf(prediction);
    return best(references, (reference) => overlap(own, sentencesOf(reference)));
  },
};
