import { type Adapter, type Arrays, clone, type Learner, type LearnerState, type Method, type MethodHost, type Scope, type Site, type TaskView } from '@lethe/core';
import { type Start, loraAdapter, loraArrays, loraDelta, loraNames, startAdapter } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';

interface Options {
  readonly lambda: number;
  readonly temperature: number;
  readonly start: Start;
}

const TEACHER = 'teacher.';

/**
 * Learning without forgetting (Li and Hoiem 2016, arXiv 1606.09282) for one adapter. The model as it was before the task, the
 * teacher, reads the rows of the new task, and what it would have answered is held on to (figure 3 of the paper):
 *   L = L_task + lambda * L_old
 *   L_old = sum_n w_n sum_v y'_n(v) (log y'_n(v) - log z'_n(v))                                (equation 2)
 *   y'(v) = y(v)^(1/T) / sum_u y(u)^(1/T), z' likewise                                         (equation 3)
 * over the places n where answer tokens are predicted and the whole vocabulary v, with y of the teacher, z of the model and w
 * the shares of the places in the task loss. The paper has the cross-entropy; the entropy of y', which is taken from it here,
 * has no gradient.
 */
class Lwf implements Learner {
  trainable: Arrays;
  /** The teacher's adapter while a task after the first is learned. */
  frozen: Arrays = {};

  constructor(private readonly host: MethodHost, private readonly options: Options) {
    this.trainable = loraArrays(host.sites, host.rank, host.random.fork('init'));
  }

  async begin(task: TaskView): Promise<void> {
    if (task.index === 1) this.trainable = await startAdapter(this.host, task, this.options.start, this.trainable);
    else this.frozen = Object.fromEntries(Object.entries(this.trainable).map(([name, array]) => [TEACHER + name, clone(array)]));
  }

  adapt(site: Site, x: tf.Tensor3D, { params }: Scope): tf.Tensor3D {
    const { a, b } = loraNames(site);
    return loraDelta(x, params[a]!, params[b]!, this.host.scale);
  }

  penalty(scope: Scope): tf.Scalar | null {
    const names = Object.keys(this.trainable);
    if (!names.every((name) => TEACHER + name in this.frozen)) return null;
    const { lambda, temperature } = this.options;
    const own = scope.predictions();
    const teacher = scope.predictions(Object.fromEntries(names.map((name) => [name, scope.params[TEACHER + name]!])));
    const student = tf.logSoftmax(own.logp.div(temperature)); // log z' (n, vocabulary)
    const target = tf.logSoftmax(teacher.logp.div(temperature)); // log y' (n, vocabulary)
    const divergence = tf.exp(target).mul(target.sub(student)).sum(1); // (n)
    return divergence.mul(own.weights).sum<tf.Scalar>().mul(lambda);
  }

  /** The teacher is the model before the next task, so that nothing of it outlives this one. */
  end(): void {
    this.frozen = {};
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
}

const method: Method = { create: (host, options) => new Lwf(host, options as unknown as Options) };
export default method;
