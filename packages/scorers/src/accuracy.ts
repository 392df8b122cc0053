import type { Scorer } from '@lethe/core';

/** Whether the chosen option is a right one: their texts are the same, character by character. */
export const accuracy: Scorer = {
  id: 'accuracy',
  needs: 'options',
  needsSource: false,
  score: (prediction, references) => (references.includes(prediction) ? 1 : 0),
};
