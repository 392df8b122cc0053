import { LetheError, type Split } from '@lethe/core';
import type { Placed } from './rows.js';

/** Rows of one split of a task or probe. */
export interface Part {
  /** Such as `task "agnews"`. */
  readonly owner: string;
  readonly split: Split;
  readonly rows: readonly Placed[];
}

/**
 * Refuses a suite in which a prompt stands in two different splits, of one task or of two: what is scored must not have
 * been trained on or tuned with.
 *
 * @throws LetheError LETHE_SUITE_INVALID naming both places
 */
export function refuseOverlap(parts: readonly Part[]): void {
  const seen = new Map<string, { part: Part; where: string }>();
  for (const part of parts) {
    for (const { example: { prompt }, where } of part.rows) {
      const other = seen.get(prompt);
      if (other === undefined) seen.set(prompt, { part, where });
      else if (other.part.split !== part.split) {
        throw new LetheError('LETHE_SUITE_INVALID',
          `the same prompt stands in ${other.part.split} of ${other.part.owner} and in ${part.split} of ${part.owner}`, {
            where: `${other.where} and ${where}`, remedy: 'remove the row from one of them',
          });
      }
    }
  }
}
