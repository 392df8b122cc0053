import { LetheError, type Split } from '@lethe/core';
import type { Placed } from './rows.js';
import { Places, Seen } from './seen.js';

/** Rows of one split of a task or probe. */
export interface Part {
  /** Such as `task "agnews"`. */
  readonly owner: string;
  readonly split: Split;
}

/** Rows of a part that ask what an earlier row of it asks. */
interface Repeats {
  count: number;
  /** The places of the first such row and of that earlier one. */
  readonly first: readonly [earlier: string, later: string];
}

/**
 * Refuses a suite in which a prompt stands in two different splits, of one task or of two: what is scored must not have
 * been trained on or tuned with. Of rows that stand in one part more than once, with the same options, it tells. It sees every row, whether it is in a sample or not.
 */
export class Prompts {
  private readonly seen = new Seen();
  /** Rows by their part, prompt and options; null where nobody asks which stand more than once. */
  private readonly asked: Seen | null;
  private readonly places = new Places();
  private readonly parts: Part[] = [];
  private readonly repeats = new Map<Part, Repeats>();
  private first: { readonly message: string; readonly where: string } | undefined;
  private others = 0;

  /** @param repeats whether {@link notes} are wanted: they take another hash of every row */
  constructor(repeats: boolean) {
    this.asked = repeats ? new Seen() : null;
  }

  /**
   * A part of the suite, as what takes its rows.
   *
   * @param name the place of a row
   */
  part(part: Part, name: (at: number) => string): (row: Placed) => void {
    const own = this.parts.push(part) - 1;
    const place = this.places.part(name);
    return ({ at, example: { prompt, options } }) => {
      const here = place(at);
      const earlier = this.asked?.claim([own, prompt, ...options].join('\n'), here) ?? here;
      if (earlier !== here) this.repeat(part, this.places.name(earlier), name(at));
      const claimed = this.seen.claim(prompt, here);
      const other = this.parts[Places.partOf(claimed)]!;
      if (other.split === part.split) return;
      if (this.first) this.others++;
      this.first ??= {
        message: `the same prompt stands in ${other.split} of ${other.owner} and in ${part.split} of ${part.owner}`, where: `${this.places.name(claimed)} and ${name(at)}`,
      };
    };
  }

  private repeat(part: Part, earlier: string, later: string): void {
    const known = this.repeats.get(part);
    if (known) known.count++;
    else this.repeats.set(part, { count: 1, first: [earlier, later] });
  }

  /** What is said of parts in which rows stand more than once. */
  notes(): string[] {
    return [...this.repeats].map(([{ owner, split }, { count, first }]) => {
      const [rows, ask] = count === 1 ? ['row', 'asks what an earlier one asks'] : ['rows', 'ask what earlier ones ask'];
      return `${count} ${split} ${rows} of ${owner} ${ask} (${first.join(' and ')})`;
    });
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
