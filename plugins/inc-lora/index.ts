import type { Adapter, Arrays, Learner, LearnerState, Method, MethodHost, Scope, Site, TaskView } from '@lethe/core';
import { type Start, loraArrays, loraBeside, loraSum, loraSumAdapter, startAdapter } from '@lethe/core/tensor';
import type * as tf from '@tensorflow/tfjs';

interface Options {
  readonly start: Start;
}

const OLD = 'old';

/**
 * IncLoRA: a fresh adapter a task, the earlier ones frozen, all of them added in training and at inference,
 *   h = W x + scale * sum_{s <= t} B_s A_s x
 * With A (in, rank) and x as rows, the adapters stand side by side: A (in, t * rank), B (t * rank, out).
 */
class IncLora implements Learner {
  trainable: Arrays = {};
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

const method: Method = { create: (host, options) => new IncLora(host, options as unknown as Options) };
export default method;
