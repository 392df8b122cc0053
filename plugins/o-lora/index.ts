import type { Adapter, Arrays, Learner, LearnerState, Method, MethodHost, Scope, Site, TaskView } from '@lethe/core';
import { type Start, loraArrays, loraBeside, loraNames, loraOverlap, loraSum, loraSumAdapter, startAdapter } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';

interface Options {
  readonly lambda1: number;
  readonly lambda2: number;
  readonly start: Start;
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

  async begin(task: TaskView): Promise<void> {
    if (task.index > 1) this.frozen = loraBeside(this.host.sites, this.frozen, this.trainable, OLD);
    this.trainable = loraArrays(this.host.sites, this.host.rank, this.host.random.fork('init', task.index));
    this.trainable = await startAdapter(this.host, task, this.options.start, this.trainable);
  }

  adapt(site: Site, x: tf.Tensor3D, { params }: Scope): tf.Tensor3D {
    return loraSum(site, x, params, OLD, this.host.scale);
  }

  penalty({ params }: Scope): tf.Scalar | null {
    const { lambda1, lambda2 } = this.options;
    const terms: tf.Scalar[] = [];
    for (const site of this.host.sites) {
      const overlap = lambda1 > 0 ? loraOverlap(site, params, OLD) : null;
      if (overlap) terms.push(overlap.mul(lambda1));
      if (lambda2 > 0) {
        for (const name of Object.values(loraNames(site))) terms.push(params[name]!.square().sum<tf.Scalar>().add(1e-12).sqrt().mul(lambda2));
      }
    }
    return terms.length > 0 ? tf.addN(terms) : null;
  }

  end(): void {}

  adapter(): Adapter {
    return loraSumAdapter(this.host.sites, this.frozen, this.trainable, this.host.scale, OLD);
  }

  save(): LearnerState {
    return { trainable: this.trainable, frozen: this.frozen, stored: {}, json: null };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
    this.frozen = state.frozen;
  }
}

const method: Method = { create: (host, options) => new OLora(host, options as unknown as Options) };
export default method;
