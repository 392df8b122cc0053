import type { Learner, LearnerState, Method, MethodHost, Row, TaskView } from '@lethe/core';

interface Options {
  readonly examples: number;
}

/**
 * Examples in context (Brown et al. 2020, arXiv 2005.14165, section 2): nothing is trained; k training rows of the task stand
 * before each prompt with their answers,
 *   prompt_1 answer_1 <end> ... prompt_k answer_k <end> prompt
 * and an oracle says which task a row belongs to.
 */
class InContext implements Learner {
  readonly trainable = {};
  readonly frozen = {};
  rows: readonly Row[] = [];
  /** How many rows each task has, in the order of the rows. */
  private counts: readonly number[] = [];

  constructor(private readonly host: MethodHost, private readonly options: Options) {}

  begin(): void {}

  adapt(): null {
    return null;
  }

  /** As many examples as fit, the one that was drawn first always nearest to the prompt. */
  prompt(prompt: readonly number[], room: number, task: number): readonly number[] {
    let whole = prompt;
    for (const example of this.examplesOf(task)) {
      const longer = [...example.prompt, ...example.answer, this.host.endOfText, ...whole];
      if (longer.length > room) return whole;
      whole = longer;
    }
    return whole;
  }

  end(task: TaskView): void {
    const drawn = this.host.random.fork('examples', task.index).shuffle(this.host.rows(task)).slice(0, this.options.examples);
    this.rows = [...this.rows, ...drawn];
    this.counts = [...this.counts, drawn.length];
  }

  save(): LearnerState {
    return { trainable: {}, frozen: {}, stored: {}, json: this.counts, rows: this.rows };
  }

  restore(state: LearnerState): void {
    this.rows = state.rows ?? [];
    this.counts = state.json as readonly number[];
  }

  /** The rows of a task; none for one that was not learned. */
  private examplesOf(task: number): readonly Row[] {
    if (task === 0) return [];
    const start = this.counts.slice(0, task - 1).reduce((sum, count) => sum + count, 0);
    return this.rows.slice(start, start + this.counts[task - 1]!);
  }
}

const method: Method = { create: (host, options) => new InContext(host, options as unknown as Options) };
export default method;
