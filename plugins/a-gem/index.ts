import {
  type Adapter, type Arrays, type Learner, type LearnerState, type Method, type MethodHost, type Row, type Scope, type Site, type StepGradients, type TaskView,
  type Tensors, divideBudget, withKept,
} from '@lethe/core';
import { type Start, loraAdapter, loraArrays, loraDelta, loraNames, startAdapter } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';

interface Options {
  readonly budget: number;
  readonly share: number;
  readonly start: Start;
}

/** A square of a gradient that is none, in 32 bits. */
const NOTHING = 1e-30;

/** (a, b) over all arrays. */
const inner = (a: Tensors, b: Tensors): tf.Scalar => tf.addN(Object.keys(a).map((name) => a[name]!.mul(b[name]!).sum<tf.Scalar>()));

/**
 * Averaged gradient episodic memory (Chaudhry et al. 2019, arXiv 1812.00420, algorithm 2) for one adapter: of every task some rows are kept, and a
 * step may not raise the mean loss of rows drawn from all that are kept. With g the gradient on rows of the task and r that on kept rows, the
 * optimizer takes (equation 11)
 *   g  where (g, r) >= 0,      else  g - (g, r) / (r, r) r.
 * A step is as large as that of any other method: kept rows take places of new ones.
 */
class AGem implements Learner {
  readonly frozen = {};
  trainable: Arrays;
  rows: readonly Row[] = [];
  /** How many rows of each task are kept, in the order of the rows. */
  private kept: readonly number[] = [];
  /** The present task. */
  private index = 0;

  constructor(private readonly host: MethodHost, private readonly options: Options) {
    this.trainable = loraArrays(host.sites, host.rank, host.random.fork('init'));
  }

  async begin(task: TaskView): Promise<void> {
    this.index = task.index;
    if (task.index === 1) this.trainable = await startAdapter(this.host, task, this.options.start, this.trainable);
  }

  adapt(site: Site, x: tf.Tensor3D, { params }: Scope): tf.Tensor3D {
    const { a, b } = loraNames(site);
    return loraDelta(x, params[a]!, params[b]!, this.host.scale);
  }

  /** Kept rows, each at most once, in the last places of the rows drawn. */
  batch(drawn: readonly Row[], step: number): readonly Row[] {
    return withKept(drawn, this.rows, this.options.share, this.host.random.fork('rehearsal', this.index, step), 1);
  }

  /** Equation 11, on all arrays as one vector. */
  transformGradients({ loss, of, kept }: StepGradients, { batch }: Scope): Tensors {
    if (this.rows.length === 0) return loss;
    const old = kept(); // (batch)
    const count = old.sum();
    const g = of(tf.sub(1, old).div(tf.sub(batch, count)));
    const r = of(old.div(tf.maximum(count, 1))); // no row at all where a step has one place
    const share = tf.minimum(inner(g, r), 0).div(tf.maximum(inner(r, r), NOTHING));
    return Object.fromEntries(Object.keys(g).map((name) => [name, g[name]!.sub(r[name]!.mul(share))]));
  }

  end(task: TaskView): void {
    const fresh = this.host.random.fork('memory', task.index).shuffle(this.host.rows(task));
    ({ rows: this.rows, counts: this.kept } = divideBudget({ rows: this.rows, counts: this.kept }, fresh, this.options.budget));
  }

  adapter(): Adapter {
    return loraAdapter(this.host.sites, this.trainable, this.host.scale);
  }

  save(): LearnerState {
    return { trainable: this.trainable, frozen: {}, stored: {}, json: this.kept, rows: this.rows };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
    this.rows = state.rows ?? [];
    this.kept = state.json as readonly number[];
  }
}

const method: Method = { create: (host, options) => new AGem(host, options as unknown as Options) };
export default method;
