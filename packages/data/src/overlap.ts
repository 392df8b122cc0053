import { LetheError, type Split } from '@lethe/core';
import type { Placed } from './rows.js';
import { Places, Seen } from './seen.js';

/** Rows of one split of a task or probe. */
export interface Part {
  /** Such as `task "agnews"`. */
  readonly owner: string;
  readonly split: Split;
}

/**
 * Refuses a suite in which a prompt stands in two different splits, of one task or of two: what is scored must not have
 * been trained on or tuned with. It sees every row, whether it is in a sample or not.
 */
export class Prompts {
  private readonly seen = new Seen();
  private readonly places = new Places();
  private readonly parts: Part[] = [];

  /**
   * A part of the suite, as what takes its rows.
   *
   * @param name the place of a row
   * @returns throws LetheError LETHE_SUITE_INVALID for a row that stands in another split too, naming both places
   */
  part(part: Part, name: (at: number) => string): (row: Placed) => void {
    this.parts.push(part);
    const place = this.places.part(name);
    return ({ at, example: { prompt } }) => {
      const first = this.seen.claim(prompt, place(at));
      const other = this.parts[Places.partOf(first)]!;
      if (other.split === part.split) return;
      throw new LetheError('LETHE_SUITE_INVALID',
        `the same prompt stands in ${other.split} of ${other.owner} and in ${part.split} of ${part.owner}`, {
          where: `${this.places.name(first)} and ${name(at)}`, remedy: 'remove the row from one of them',
        });
    };
  }
}
