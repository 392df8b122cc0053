import {
  type Adapter, type Arrays, type Learner, type LearnerState, type Method, type MethodHost, type NdArray, type Scope, type Site, type TaskView, clone, zeros,
} from '@lethe/core';
import { type Start, linear, loraAdapter, loraArrays, loraDelta, loraNames, loraProduct, startAdapter } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';

interface Options {
  readonly lambda: number;
  readonly gamma: number;
  readonly rows: number;
  readonly fisher: 'relative' | 'absolute';
  readonly penalties: 'online' | 'separate';
  readonly on: 'factors' | 'product';
  readonly start: Start;
}

const ANCHOR = 'anchor.';
const changeOf = (site: Site) => `change.${site.name}`;

/**
 * EWC (Kirkpatrick et al. 2017, arXiv 1612.00796, equation 3) on one adapter,
 *   L = L_task + lambda / 2 * sum_i F_i (theta_i - theta*_i)^2,   F_t = mean over rows of g_i^2,
 * with F_t divided by its mean over all theta (`fisher: relative`) or as it is (`fisher: absolute`), and theta the adapter's A and B or
 * (`on: product`) the change of the weights scale A B, (in, out) at each site.
 *
 * `penalties: online` is online EWC (Schwarz et al. 2018, arXiv 1805.06370): F <- gamma F + F_t and theta* is the end of the last
 * task. `penalties: separate` holds every task to its own end, sum_t F_t (theta - theta*_t)^2, which is the same quadratic plus a
 * constant (Huszar 2018, arXiv 1712.03847) and takes no more room:
 *   F <- gamma F + F_t,   theta* <- (gamma F theta* + F_t theta_t) / (gamma F + F_t).
 */
class Ewc implements Learner {
  trainable: Arrays;
  /** `fisher.*` and `anchor.*` for every theta, once a task has ended. */
  frozen: Arrays = {};

  constructor(
    private readonly host: MethodHost,
    private readonly options: Options,
  ) {
    this.trainable = loraArrays(host.sites, host.rank, host.random.fork('init'));
  }

  async begin(task: TaskView): Promise<void> {
    if (task.index === 1) this.trainable = await startAdapter(this.host, task, this.options.start, this.trainable);
  }

  adapt(site: Site, x: tf.Tensor3D, { params }: Scope): tf.Tensor3D {
    const { a, b } = loraNames(site);
    const delta = loraDelta(x, params[a]!, params[b]!, this.host.scale);
    const change = params[changeOf(site)];
    return change ? delta.add(linear(x, change)) : delta;
  }

  penalty({ params }: Scope): tf.Scalar | null {
    const anchored = Object.keys(this.frozen).filter((name) => name.startsWith(ANCHOR));
    if (anchored.length === 0) return null;
    const theta = this.options.on === 'factors' ? params : this.products(params);
    const terms = anchored.map((anchor) => {
      const name = anchor.slice(ANCHOR.length);
      return params[`fisher.${name}`]!.mul(theta[name]!.sub(params[anchor]!).square()).sum();
    });
    return tf.addN(terms).mul(this.options.lambda / 2);
  }

  async end(task: TaskView): Promise<void> {
    const theta = this.held();
    const fisher = await this.fisher(task, theta);
    const { gamma, penalties } = this.options;
    const frozen: Record<string, NdArray> = {};
    for (const [name, array] of Object.entries(theta)) {
      const [earlier, before] = [this.frozen[`fisher.${name}`]?.data, this.frozen[ANCHOR + name]?.data];
      const [f, anchor] = [fisher[name]!, clone(array)];
      if (earlier && before) {
        for (let i = 0; i < earlier.length; i++) {
          const [kept, own] = [gamma * earlier[i]!, f.data[i]!];
          if (penalties === 'separate' && kept > 0) anchor.data[i] = (kept * before[i]! + own * anchor.data[i]!) / (kept + own);
          f.data[i]! += kept;
        }
      }
      frozen[`fisher.${name}`] = f;
      frozen[ANCHOR + name] = anchor;
    }
    this.frozen = frozen;
  }

  adapter(): Adapter {
    return loraAdapter(this.host.sites, this.trainable, this.host.scale);
  }

  /** Between tasks the anchors of `online` are what theta is, and are not kept twice. */
  save(): LearnerState {
    const kept = Object.entries(this.frozen).filter(([name]) => this.options.penalties === 'separate' || !name.startsWith(ANCHOR));
    return { trainable: this.trainable, frozen: Object.fromEntries(kept), stored: {}, json: null };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
    const began = Object.keys(state.frozen).length > 0;
    this.frozen = this.options.penalties === 'online' && began ? { ...state.frozen, ...anchors(this.held()) } : state.frozen;
  }

  /** The arrays theta that the penalty holds, as they are now. */
  private held(): Arrays {
    return this.options.on === 'factors' ? this.trainable : this.productArrays();
  }

  /** F_t, divided by its mean where that is asked for. */
  private async fisher(task: TaskView, theta: Arrays): Promise<Record<string, NdArray>> {
    const fisher = await this.squares(task, theta);
    return this.options.fisher === 'relative' ? overMean(fisher) : fisher;
  }

  /** Squares of each example's gradient, not of a batch's mean, hence batch 1; the mean over rows. */
  private async squares(task: TaskView, theta: Arrays): Promise<Record<string, NdArray>> {
    const fisher = silent(theta);
    const before = this.frozen;
    // the gradient by a change beside the adapter, itself silent, is the gradient by the product
    if (this.options.on === 'product') this.frozen = { ...before, ...silent(theta) };
    const rows = Math.min(this.options.rows, task.rows);
    for await (const gradients of this.host.gradients(task, { names: Object.keys(theta), rows, batch: 1 })) {
      for (const [name, { data }] of Object.entries(gradients)) {
        const f = fisher[name]!.data;
        for (let i = 0; i < f.length; i++) f[i]! += data[i]! ** 2 / rows;
      }
    }
    this.frozen = before;
    return fisher;
  }

  /** Traced. scale A B at every site, (in, out). */
  private products(params: Scope['params']): Record<string, tf.Tensor> {
    return Object.fromEntries(this.host.sites.map((site) => {
      const { a, b } = loraNames(site);
      return [changeOf(site), tf.matMul(params[a] as tf.Tensor2D, params[b] as tf.Tensor2D).mul(this.host.scale)];
    }));
  }

  private productArrays(): Arrays {
    return Object.fromEntries(this.host.sites.map((site) => {
      const { a, b } = loraNames(site);
      return [changeOf(site), loraProduct(this.trainable[a]!, this.trainable[b]!, this.host.scale)];
    }));
  }
}

/** Copies of theta*, by the names of anchors. */
const anchors = (theta: Arrays) => Object.fromEntries(Object.entries(theta).map(([name, array]) => [ANCHOR + name, clone(array)]));

/** Arrays divided by the mean of all that they hold; as they are where that is 0. */
function overMean(arrays: Record<string, NdArray>): Record<string, NdArray> {
  const all = Object.values(arrays);
  const size = all.reduce((sum, { data }) => sum + data.length, 0);
  const mean = all.reduce((sum, { data }) => data.reduce((part, v) => part + v, sum), 0) / size;
  if (mean === 0) return arrays;
  return Object.fromEntries(Object.entries(arrays).map(([name, { shape, data }]) => [name, { shape, data: data.map((v) => v / mean) }]));
}

/** Zeros in the shapes of these arrays. */
const silent = (arrays: Arrays) => Object.fromEntries(Object.entries(arrays).map(([name, { shape }]) => [name, zeros(shape)]));

const method: Method = { create: (host, options) => new Ewc(host, options as unknown as Options) };
export default method;
