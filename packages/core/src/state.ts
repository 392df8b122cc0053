import { bytesOf } from './arrays.js';
import type { LearnerState } from './method.js';

/** Bytes of all that a learner keeps: its arrays as float32, and four bytes for every token id of its rows. */
export function bytesOfState({ trainable, frozen, stored, rows = [] }: LearnerState): number {
  const tokens = rows.reduce((sum, { prompt, answer }) => sum + prompt.length + answer.length, 0);
  return bytesOf(trainable) + bytesOf(frozen) + bytesOf(stored) + 4 * tokens;
}
