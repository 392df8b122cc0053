import type { Adapter, Arrays, Learner, LearnerState, Method, MethodHost, NdArray, Scope, Site, TaskView } from '@lethe/core';
import { loraAdapter, loraArrays, loraDelta, loraNames } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';

interface Options {
  readonly lambda1: number;
  readonly lambda2: number;
}

const OLD = 'old';

/**
 * O-LoRA (Wang et al. 2023, arXiv 2310.14152): one adapter a task, the earlier ones frozen and summed at inference,
 *   L = L_task + lambda1 * sum_sites sum |A_old^T A| + lambda2 * ||A, B||_2           (equations 6 to 8)
 * with A (in, rank): the columns of A_old span the input subspaces of all earlier tasks. The absolute values, not the
 * squares, are summed, as the authors' code does.
 */
class OLora implements Learner {
  trainable: Arrays = {};
  /** Earlier adapters side by side: A (in, rank * tasks), B (rank * tasks, out) for each site. */
  frozen: Arrays = {};

  constructor(
    private readonly host: MethodHost,
    private readonly options: Options,
  ) {}

  begin(task: TaskView): void {
    if (task.index > 1) this.frozen = this.merged();
    this.trainable = loraArrays(this.host.sites, this.host.rank, this.host.random.fork('init', task.index));
  }

  adapt(site: Site, x: tf.Tensor3D, { params }: Scope): tf.Tensor3D {
    const [now, old] = [loraNames(site), loraNames(site, OLD)];
    if (!this.frozen[old.a]) return loraDelta(x, params[now.a]!, params[now.b]!, this.host.scale);
    const a = tf.concat([params[old.a]!, params[now.a]!], 1); // (in, rank * t)
    const b = tf.concat([params[old.b]!, params[now.b]!], 0); // (rank * t, out)
    return loraDelta(x, a, b, this.host.scale);
  }

  penalty({ params }: Scope): tf.Scalar | null {
    const { lambda1, lambda2 } = this.options;
    const terms: tf.Scalar[] = [];
    for (const site of this.host.sites) {
      const [now, old] = [loraNames(site), loraNames(site, OLD)];
      if (lambda1 > 0 && this.frozen[old.a]) {
        const overlap = tf.matMul(params[old.a] as tf.Tensor2D, params[now.a] as tf.Tensor2D, true, false); // (rank * (t-1), rank)
        terms.push(overlap.abs().sum<tf.Scalar>().mul(lambda1));
      }
      if (lambda2 > 0) {
        for (const name of [now.a, now.b]) terms.push(params[name]!.square().sum<tf.Scalar>().add(1e-12).sqrt().mul(lambda2));
      }
    }
    return terms.length > 0 ? tf.addN(terms) : null;
  }

  end(): void {}

  /** All adapters side by side: a sum of products of rank r is one product of rank r * tasks. */
  adapter(): Adapter {
    return loraAdapter(this.host.sites, this.merged(), this.host.scale, OLD);
  }

  save(): LearnerState {
    return { trainable: this.trainable, frozen: this.frozen, stored: {}, json: null };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
    this.frozen = state.frozen;
  }

  /** The frozen adapters with the one just trained appended. */
  private merged(): Arrays {
    const result: Record<string, NdArray> = {};
    for (const site of this.host.sites) {
      const [now, old] = [loraNames(site), loraNames(site, OLD)];
      result[old.a] = beside(this.frozen[old.a], this.trainable[now.a]!);
      result[old.b] = below(this.frozen[old.b], this.trainable[now.b]!);
    }
    return result;
  }
}

/** Two matrices side by side, (n, p) and (n, q) to (n, p + q). */
function beside(left: NdArray | undefined, right: NdArray): NdArray {
  if (!left) return right;
  const [n, p, q] = [right.shape[0]!, left.shape[1]!, right.shape[1]!];
  const data = new Float32Array(n * (p + q));
  for (let row = 0; row < n; row++) {
    data.set(left.data.subarray(row * p, (row + 1) * p), row * (p + q));
    data.set(right.data.subarray(row * q, (row + 1) * q), row * (p + q) + p);
  }
  return { shape: [n, p + q], data };
}

/** One matrix below the other, (p, n) and (q, n) to (p + q, n). */
function below(top: NdArray | undefined, bottom: NdArray): NdArray {
  if (!top) return bottom;
  const data = new Float32Array(top.data.length + bottom.data.length);
  data.set(top.data);
  data.set(bottom.data, top.data.length);
  return { shape: [top.shape[0]! + bottom.shape[0]!, bottom.shape[1]!], data };
}

const method: Method = { create: (host, options) => new OLora(host, options as unknown as Options) };
export default method;
