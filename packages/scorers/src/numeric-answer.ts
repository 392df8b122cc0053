import type { Scorer } from '@lethe/core';

/** A number with a sign, a currency sign, commas between digits, or decimals. */
const NUMBER = /-?\$?(?:\d(?:,?\d)*(?:\.\d+)?|\.\d+)/g;

/** The last number of a text, or null. */
function lastNumber(text: string): number | null {
  const found = text.match(NUMBER)?.at(-1);
  return found === undefined ? null : Number(found.replace(/[$,]/g, ''));
}

/**
 * Whether the last number of the text is the last number of a reference: `72`, `$72.00` and `so it is 72.` are one answer. This is the
 * flexible filter that lm-evaluation-harness has for GSM8K (`flexible-extract`), but for numbers and not for strings, so that
 * trailing zeros do not count. A reference without a number is right for no text.
 */
export const numericAnswer: Scorer = {
  id: 'numeric-answer',
  needs: 'text',
  needsSource: false,
  score: (prediction, references) => {
    const answer = lastNumber(prediction);
    return answer !== null && references.some((reference) => lastNumber(reference) === answer) ? 1 : 0;
  },
};
