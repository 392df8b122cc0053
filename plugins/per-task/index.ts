import type { Arrays, Learner, LearnerState, Method, MethodHost, Scope, Site, TaskView } from '@lethe/core';
import { type Start, linear, loraArrays, loraBeside, loraDelta, loraNames, startAdapter } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';

interface Options {
  readonly start: Start;
}

const LEARNED = 'learned';

/**
 * One adapter a task (Hu et al. 2021, arXiv 2106.09685), never touched again, and an oracle that says whose turn it is:
 *   h = W x + scale * sum_t [task(x) = t] B_t A_t x
 * With A (in, rank) and x as rows, the adapters stand side by side, A (in, T * rank) and B (T * rank, out), and the oracle
 * silences all inner values but those of the row's own task.
 */
class PerTask implements Learner {
  /** The adapter of the present task. */
  trainable: Arrays = {};
  /** The adapters of all learned tasks, side by side at each site. */
  frozen: Arrays = {};
  private tasks = 0;

  constructor(
    private readonly host: MethodHost,
    private readonly options: Options,
  ) {}

  async begin(task: TaskView): Promise<void> {
    this.trainable = loraArrays(this.host.sites, this.host.rank, this.host.random.fork('init', task.index));
    this.trainable = await startAdapter(this.host, task, this.options.start, this.trainable);
  }

  adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D | null {
    const { params } = scope;
    const [own, learned] = [loraNames(site), loraNames(site, LEARNED)];
    if (scope.training) return loraDelta(x, params[own.a]!, params[own.b]!, this.host.scale);
    if (this.tasks === 0) return null;
    const { rank, scale } = this.host;
    const [batch, tokens] = x.shape;
    const inner = linear(x, params[learned.a]!).mul(scale).reshape([batch, tokens, this.tasks, rank]); // (batch, tokens, T, rank)
    const gated = inner.mul(this.oracle(scope)).reshape([batch, tokens, this.tasks * rank]) as tf.Tensor3D;
    return linear(gated, params[learned.b]!); // (batch, tokens, out)
  }

  end(): void {
    this.frozen = loraBeside(this.host.sites, this.frozen, this.trainable, LEARNED);
    this.trainable = {};
    this.tasks++;
  }

  save(): LearnerState {
    return { trainable: this.trainable, frozen: this.frozen, stored: {}, json: this.tasks };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
    this.frozen = state.frozen;
    this.tasks = state.json as number;
  }

  /** 1 for the task of each row and 0 for the others, (batch, 1, T, 1); all 0 for a task that was not learned. */
  private oracle(scope: Scope): tf.Tensor {
    return scope.once('oracle', () => {
      const all = tf.tensor1d(Array.from({ length: this.tasks }, (_, t) => t + 1), 'int32');
      const own = tf.equal(scope.task().reshape([scope.batch, 1]), all.reshape([1, this.tasks]));
      return tf.cast(own, 'float32').reshape([scope.batch, 1, this.tasks, 1]);
    });
  }
}

const method: Method = { create: (host, options) => new PerTask(host, options as unknown as Options) };
export default method;
