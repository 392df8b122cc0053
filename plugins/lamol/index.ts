import type { Adapter, Arrays, Learner, LearnerState, Method, MethodHost, ReportTable, Row, Scope, Site, TaskView } from '@lethe/core';
import { withKept } from '@lethe/core';
import { type Start, loraAdapter, loraArrays, loraDelta, loraNames, startAdapter } from '@lethe/core/tensor';
import type { Tensor3D } from '@tensorflow/tfjs';

interface Options {
  readonly ratio: number;
  readonly share: number;
  readonly text: number;
  readonly topK: number;
  readonly start: Start;
}

/** How many texts were written before a task, and how many of them became rows. */
interface Count {
  readonly written: number;
  readonly used: number;
}

/** What outlives a task besides the adapter. */
interface Memory {
  /** Tokens of the longest answer so far. */
  readonly longest: number;
  readonly counts: readonly Count[];
}

/**
 * LAMOL (Sun et al. 2020, arXiv 1909.03329, section 3) for one adapter: what solves the tasks learns to write their prompts too,
 *   L = L_QA + lambda L_LM,
 * and before a new task of n rows it writes gamma n rows of those before, which it is trained on beside the new ones. The step is as large as that of any
 * other method: both losses are of rows that share its places.
 */
class Lamol implements Learner {
  readonly frozen = {};
  trainable: Arrays;
  private memory: Memory = { longest: 1, counts: [] };
  /** Rows written before the present task, which no other one sees. */
  private written: readonly Row[] = [];
  /** The present task. */
  private index = 0;

  constructor(private readonly host: MethodHost, private readonly options: Options) {
    this.trainable = loraArrays(host.sites, host.rank, host.random.fork('init'));
  }

  async begin(task: TaskView): Promise<void> {
    this.index = task.index;
    if (task.index === 1) this.trainable = await startAdapter(this.host, task, this.options.start, this.trainable);
    else await this.write(task);
  }

  /** Section 3.2: prompts are drawn from the model itself, behind the token [GEN]; then it answers them. What does not come to an end is left out. */
  private async write(task: TaskView): Promise<void> {
    const { host, options: { ratio, topK }, memory: { longest, counts } } = this;
    const count = Math.round(ratio * task.rows);
    const begun = Array.from({ length: count }, () => [host.endOfText]);
    const texts = await host.generate(task, begun, { maxTokens: host.room - longest - 1, draw: { random: host.random.fork('write', task.index), topK } });
    const prompts = texts.filter(({ tokens, ended }) => ended && tokens.length > 0).map(({ tokens }) => tokens);
    // one more than the longest: that it ended is seen by what stands behind it
    const answers = await host.generate(task, prompts, { maxTokens: longest + 1 });
    this.written = prompts.flatMap((prompt, i) => {
      const { tokens: answer, ended } = answers[i]!;
      return ended && answer.length > 0 ? [{ prompt, answer }] : [];
    });
    this.memory = { longest, counts: [...counts, { written: count, used: this.written.length }] };
  }

  adapt(site: Site, x: Tensor3D, { params }: Scope): Tensor3D {
    const { a, b } = loraNames(site);
    return loraDelta(x, params[a]!, params[b]!, this.host.scale);
  }

  /** Written rows in the last places of those drawn, and of all of these some as texts (L_LM), the others with their answers (L_QA). */
  batch(drawn: readonly Row[], step: number): readonly Row[] {
    const { share, text } = this.options;
    const random = this.host.random.fork('batch', this.index, step);
    const longest = Math.max(this.memory.longest, ...drawn.map(({ answer }) => answer.length));
    this.memory = { ...this.memory, longest };
    const rows = withKept(drawn, this.written, share, random.fork('written'));
    const places = random.fork('text').shuffle(rows.map((_, place) => place)).slice(0, Math.round(text * rows.length));
    return rows.map((row, place) => (places.includes(place) ? this.asText(row) : row));
  }

  /** A prompt behind [GEN], and the end of text behind it. */
  private asText({ prompt }: Row): Row {
    return { prompt: [this.host.endOfText], answer: prompt.slice(0, this.host.room - 1) };
  }

  end(): void {
    this.written = [];
  }

  adapter(): Adapter {
    return loraAdapter(this.host.sites, this.trainable, this.host.scale);
  }

  report(): readonly ReportTable[] {
    const { counts } = this.memory;
    if (counts.length === 0) return [];
    return [{
      title: 'rows written before each task', rows: { title: 'task', names: counts.map((_, i) => String(i + 2)) }, columns: { title: 'texts', names: ['drawn', 'used'] },
      cells: counts.map(({ written, used }) => [written, used]),
    }];
  }

  save(): LearnerState {
    return { trainable: this.trainable, frozen: {}, stored: {}, json: this.memory };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
    this.memory = state.json as Memory;
  }
}

const method: Method = { create: (host, options) => new Lamol(host, options as unknown as Options) };
export default method;
