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
  private first: { readonly message: string; readonly where: string } | undefined;
  private others = 0;

  /**
   * A part of the suite, as what takes its rows.
   *
   * @param name the place of a row
   */
  part(part: Part, name: (at: number) => string): (row: Placed) => void {
    this.parts.push(part);
    const place = this.places.part(name);
    return ({ at, example: { prompt } }) => {
      const claimed = this.seen.claim(prompt, place(at));
      const other = this.parts[Places.partOf(claimed)]!;
      if (other.split === part.split) return;
      if (this.first) this.others++;
      this.first ??= {
        message: `the same prompt stands in ${other.split} of ${other.owner} and in ${part.split} of ${part.owner}`, where: `${this.places.name(claimed)} and ${name(at)}`,
      };
    };
  }

  /**
   * To be called once all rows were taken, so that the error says of how many it is.
   *
   * @throws LetheError LETHE_SUITE_INVALID for the first row that stands in another split too, naming both places
   */
  refuse(): void {
    if (!this.first) return;
    const { message, where } = this.first;
    const more = this.others === 0 ? '' : this.others === 1 ? ', and one more in two splits' : `, and ${this.others} more in two splits`;
    throw new LetheError('LETHE_SUITE_INVALID', `${message}${more}`, {
      where, remedy: `remove ${this.others === 0 ? 'the row' : 'each row'} from one of them`,
    });
  }
}
