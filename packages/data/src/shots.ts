import { LetheError } from '@lethe/core';
import type { FileTask } from './definition.js';
import { readLines } from './records.js';
import { type Placed, RowReader } from './rows.js';

/** A row that stands, answered, before the rows of its group. */
export interface Shot extends Pick<Placed, 'where' | 'text' | 'group'> {
  /** Its prompt, without rows before it. */
  readonly prompt: string;
  /** Its answer, with the space before it. */
  readonly written: string;
}

/** What stands before the prompts of a task: the first rows of each group in its few-shot file. */
export class Shots {
  private constructor(private readonly groups: ReadonlyMap<string, { readonly shots: readonly Shot[]; readonly before: string }>) {}

  /**
   * Reads the few-shot file of a task. Groups with fewer rows than are wanted have none.
   *
   * @throws LetheError LETHE_DATA_ROW, LETHE_DATA_MISSING
   */
  static async read(task: FileTask, file: string, count: number): Promise<Shots> {
    const reader = new RowReader(task);
    const groups = new Map<string, Shot[]>();
    for await (const lines of readLines(file)) {
      for (const line of lines) {
        const shot = reader.shot(line, file);
        groups.set(shot.group, [...(groups.get(shot.group) ?? []), shot].slice(0, count));
      }
    }
    const whole = [...groups].filter(([, shots]) => shots.length === count);
    return new Shots(new Map(whole.map(([group, shots]) =>
      [group, { shots, before: shots.map(({ prompt, written }) => `${prompt}${written}\n\n`).join('') }])));
  }

  /** What stands before the prompt of a row of a group; undefined where there are not enough rows. */
  before(group: string): string | undefined {
    return this.groups.get(group)?.before;
  }

  all(): Shot[] {
    return [...this.groups.values()].flatMap(({ shots }) => shots);
  }

  /** Refuses a row that stands, with its answer, before itself: throws LETHE_SUITE_INVALID with both places. */
  check({ group, where, example: { prompt } }: Placed, owner: string): void {
    const { shots, before } = this.groups.get(group)!;
    const same = shots.find((shot) => prompt === before + shot.prompt);
    if (!same) return;
    throw new LetheError('LETHE_SUITE_INVALID', `a test row of ${owner} is one of its few-shot rows: it stands answered in its own prompt`, {
      where: `${same.where} and ${where}`, remedy: 'remove the row from one of them',
    });
  }
}
