import {
  type Adapter, type Arrays, clone, type Learner, type LearnerState, type Method, type MethodHost, type NdArray, type Scope, type Site, type TaskView, zeros,
} from '@lethe/core';
import { loraAdapter, loraArrays, loraDelta, loraNames } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';

interface Options {
  readonly lambda: number;
  readonly gamma: number;
  readonly rows: number;
}

/**
 * Online EWC (Kirkpatrick et al. 2017, arXiv 1612.00796, equation 3; online form: Schwarz et al. 2018, arXiv
 * 1805.06370) on the matrices A and B of one adapter:
 *   L = L_task + lambda / 2 * sum_i F_i (theta_i - theta*_i)^2,   F <- gamma F + F_t,   F_t = mean over rows of g_i^2.
 */
class Ewc implements Learner {
  trainable: Arrays;
  /** `fisher.*` and `anchor.*` for every trainable array, once a task has ended. */
  frozen: Arrays = {};

  constructor(
    private readonly host: MethodHost,
    private readonly options: Options,
  ) {
    this.trainable = loraArrays(host.sites, host.rank, host.random.fork('init'));
  }

  begin(): void {}

  adapt(site: Site, x: tf.Tensor3D, { params }: Scope): tf.Tensor3D {
    const { a, b } = loraNames(site);
    return loraDelta(x, params[a]!, params[b]!, this.host.scale);
  }

  penalty({ params }: Scope): tf.Scalar | null {
    if (!this.consolidated) return null;
    const terms = Object.keys(this.trainable).map((name) =>
      params[`fisher.${name}`]!.mul(params[name]!.sub(params[`anchor.${name}`]!).square()).sum(),
    );
    return tf.addN(terms).mul(this.options.lambda / 2);
  }

  async end(task: TaskView): Promise<void> {
    const fisher: Record<string, NdArray> = {};
    for (const [name, array] of Object.entries(this.trainable)) fisher[name] = zeros(array.shape);
    const rows = Math.min(this.options.rows, task.rows);
    // The diagonal Fisher needs the square of each example's gradient, not of a batch's mean: batch 1.
    const request = { names: Object.keys(this.trainable), rows, batch: 1 };
    for await (const gradients of this.host.gradients(task, request)) {
      for (const [name, { data }] of Object.entries(gradients)) {
        const f = fisher[name]!.data;
        for (let i = 0; i < f.length; i++) f[i]! += data[i]! ** 2 / rows;
      }
    }
    const frozen: Record<string, NdArray> = {};
    for (const [name, array] of Object.entries(this.trainable)) {
      const earlier = this.frozen[`fisher.${name}`]?.data;
      const f = fisher[name]!.data;
      if (earlier) for (let i = 0; i < f.length; i++) f[i]! += this.options.gamma * earlier[i]!;
      frozen[`fisher.${name}`] = fisher[name]!;
      frozen[`anchor.${name}`] = clone(array);
    }
    this.frozen = frozen;
  }

  adapter(): Adapter {
    return loraAdapter(this.host.sites, this.trainable, this.host.scale);
  }

  save(): LearnerState {
    return { trainable: this.trainable, frozen: this.frozen, stored: {}, json: null };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
    this.frozen = state.frozen;
  }

  private get consolidated(): boolean {
    return Object.keys(this.frozen).length > 0;
  }
}

const method: Method = { create: (host, options) => new Ewc(host, options as unknown as Options) };
export default method;
