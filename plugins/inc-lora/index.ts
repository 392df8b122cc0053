import type { Arrays, Learner, LearnerState, Method, MethodHost, Scope, Site, TaskView } from '@lethe/core';
import { loraArrays, loraBeside, loraDelta, loraNames } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';

const OLD = 'old';

/**
 * IncLoRA: a fresh adapter a task, the earlier ones frozen, all of them added in training and at inference,
 *   h = W x + scale * sum_{s <= t} B_s A_s x
 * With A (in, rank) and x as rows, the adapters stand side by side: A (in, t * rank), B (t * rank, out).
 */
class IncLora implements Learner {
  trainable: Arrays = {};
  frozen: Arrays = {};

  constructor(private readonly host: MethodHost) {}

  begin(task: TaskView): void {
    if (task.index > 1) this.frozen = loraBeside(this.host.sites, this.frozen, this.trainable, OLD);
    this.trainable = loraArrays(this.host.sites, this.host.rank, this.host.random.fork('init', task.index));
  }

  adapt(site: Site, x: tf.Tensor3D, { params }: Scope): tf.Tensor3D {
    const [now, old] = [loraNames(site), loraNames(site, OLD)];
    if (!this.frozen[old.a]) return loraDelta(x, params[now.a]!, params[now.b]!, this.host.scale);
    const a = tf.concat([params[old.a]!, params[now.a]!], 1); // (in, rank * t)
    const b = tf.concat([params[old.b]!, params[now.b]!], 0); // (rank * t, out)
    return loraDelta(x, a, b, this.host.scale);
  }

  end(): void {}

  save(): LearnerState {
    return { trainable: this.trainable, frozen: this.frozen, stored: {}, json: null };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
    this.frozen = state.frozen;
  }
}

const method: Method = { create: (host) => new IncLora(host) };
export default method;
