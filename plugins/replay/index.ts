import {
  type Adapter, type Arrays, type Learner, type LearnerState, type Method, type MethodHost, type Random, type Row, type Scope, type Site, type TaskView, divideBudget, withKept,
} from '@lethe/core';
import { type Start, loraAdapter, loraArrays, loraDelta, loraNames, startAdapter } from '@lethe/core/tensor';
import type { Tensor3D } from '@tensorflow/tfjs';

interface Options {
  readonly budget: number;
  readonly policy: 'reservoir' | 'per-task';
  readonly share: number;
  readonly start: Start;
}

/** What outlives a task besides arrays and rows. */
interface Memory {
  /** Rows that were offered to the memory so far. */
  readonly seen: number;
  /** How many rows of each task are kept, in the order of the rows (`per-task`). */
  readonly kept: readonly number[];
}

/**
 * Algorithm R (Vitter 1985, https://doi.org/10.1145/3147.3165): of a stream of rows every one is in the memory with the same
 * probability budget / seen. The n-th row takes the place k = below(n) if that is a place of the memory.
 */
function reservoir(memory: readonly Row[], seen: number, rows: readonly Row[], budget: number, random: Random): Row[] {
  const kept = [...memory];
  rows.forEach((row, i) => {
    if (kept.length < budget) kept.push(row);
    else {
      const place = random.below(seen + i + 1);
      if (place < budget) kept[place] = row;
    }
  });
  return kept;
}

/**
 * Experience replay (Chaudhry et al. 2019, arXiv 1902.10486, algorithm 1) for one adapter: every step after the first task
 * trains on rows of the present task and rows drawn from a memory M of earlier ones,
 *   theta <- theta - rate * gradient of L(B_n + B_M).
 * The step is as large as that of any other method: B_M takes places of B_n.
 */
class Replay implements Learner {
  readonly frozen = {};
  trainable: Arrays;
  rows: readonly Row[] = [];
  private memory: Memory = { seen: 0, kept: [] };
  /** The present task. */
  private index = 0;

  constructor(private readonly host: MethodHost, private readonly options: Options) {
    this.trainable = loraArrays(host.sites, host.rank, host.random.fork('init'));
  }

  async begin(task: TaskView): Promise<void> {
    this.index = task.index;
    if (task.index === 1) this.trainable = await startAdapter(this.host, task, this.options.start, this.trainable);
  }

  adapt(site: Site, x: Tensor3D, { params }: Scope): Tensor3D {
    const { a, b } = loraNames(site);
    return loraDelta(x, params[a]!, params[b]!, this.host.scale);
  }

  /** B_n + B_M: kept rows, each at most once, in the last places of the rows drawn. */
  batch(drawn: readonly Row[], step: number): readonly Row[] {
    return withKept(drawn, this.rows, this.options.share, this.host.random.fork('rehearsal', this.index, step));
  }

  end(task: TaskView): void {
    const random = this.host.random.fork('memory', task.index);
    const offered = random.shuffle(this.host.rows(task));
    const { budget, policy } = this.options;
    const { rows, counts } = policy === 'per-task'
      ? divideBudget({ rows: this.rows, counts: this.memory.kept }, offered, budget)
      : { rows: reservoir(this.rows, this.memory.seen, offered, budget, random), counts: [] };
    this.rows = rows;
    this.memory = { seen: this.memory.seen + offered.length, kept: counts };
  }

  adapter(): Adapter {
    return loraAdapter(this.host.sites, this.trainable, this.host.scale);
  }

  save(): LearnerState {
    return { trainable: this.trainable, frozen: {}, stored: {}, json: this.memory, rows: this.rows };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
    this.rows = state.rows ?? [];
    this.memory = state.json as Memory;
  }
}

const method: Method = { create: (host, options) => new Replay(host, options as unknown as Options) };
export default method;
