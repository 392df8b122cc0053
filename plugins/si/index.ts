import {
  type Adapter, type Arrays, type Learner, type LearnerState, type Method, type MethodHost, type NdArray, type Scope, type Site, type StepGradients, type TaskView,
  type Tensors, clone, zeros,
} from '@lethe/core';
import { type Start, loraAdapter, loraArrays, loraDelta, loraNames, startAdapter } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';

interface Options {
  readonly c: number;
  readonly xi: number;
  readonly start: Start;
}

/** Names of what is kept of a trained array: theta*, its importance, and while a task is learned the path so far, where the last step began, and the slope there. */
const [ANCHOR, OMEGA, PATH, AT, SLOPE] = ['anchor.', 'omega.', 'path.', 'at.', 'slope.'] as const;

/** The arrays under another name, each made so. */
const named = (prefix: string, arrays: Arrays, make: (array: NdArray, name: string) => NdArray): Arrays =>
  Object.fromEntries(Object.entries(arrays).map(([name, array]) => [prefix + name, make(array, name)]));

/**
 * Synaptic intelligence (Zenke et al. 2017, arXiv 1703.04200) for one adapter. On the way through a task every parameter sums up by how much it lowered the task's loss
 * (equation 3), g being the gradient of the task loss alone,
 *   w_k = - sum_steps g_k (change of theta_k in the step),
 * and that over how far it came is its importance (equation 5), which holds it in later tasks (equation 4):
 *   Omega_k <- max(0, Omega_k + w_k / ((theta_k - theta*_k)^2 + xi)),      L = L_task + c sum_k Omega_k (theta_k - theta*_k)^2.
 */
class SynapticIntelligence implements Learner {
  trainable: Arrays;
  /** theta* and Omega, once a task has ended. */
  frozen: Arrays = {};
  running: Arrays = {};
  /** Where the task began. */
  private begun: Arrays = {};

  constructor(private readonly host: MethodHost, private readonly options: Options) {
    this.trainable = loraArrays(host.sites, host.rank, host.random.fork('init'));
  }

  async begin(task: TaskView): Promise<void> {
    if (task.index === 1) this.trainable = await startAdapter(this.host, task, this.options.start, this.trainable);
    this.begun = named('', this.trainable, clone);
    this.running = {
      ...named(PATH, this.trainable, ({ shape }) => zeros(shape)), ...named(AT, this.trainable, clone),
      ...named(SLOPE, this.trainable, ({ shape }) => zeros(shape)),
    };
  }

  adapt(site: Site, x: tf.Tensor3D, { params }: Scope): tf.Tensor3D {
    const { a, b } = loraNames(site);
    return loraDelta(x, params[a]!, params[b]!, this.host.scale);
  }

  /** Equation 4. */
  penalty({ params }: Scope): tf.Scalar | null {
    if (Object.keys(this.frozen).length === 0) return null;
    const terms = Object.keys(this.trainable).map((name) => params[OMEGA + name]!.mul(params[name]!.sub(params[ANCHOR + name]!).square()).sum<tf.Scalar>());
    return tf.addN(terms).mul(this.options.c);
  }

  /** Adds what the last step lowered the loss by, which is known now that theta is where it led. */
  track({ loss }: StepGradients, { params }: Scope): Tensors {
    return Object.fromEntries(Object.keys(this.trainable).flatMap((name): [string, tf.Tensor][] => {
      const theta = params[name]!;
      const moved = theta.sub(params[AT + name]!);
      // the penalty's own slope is not the task's
      const pull = this.frozen[OMEGA + name] && params[OMEGA + name]!.mul(theta.sub(params[ANCHOR + name]!)).mul(2 * this.options.c);
      return [
        [PATH + name, params[PATH + name]!.sub(params[SLOPE + name]!.mul(moved))], [AT + name, theta],
        [SLOPE + name, pull ? loss[name]!.sub(pull) : loss[name]!],
      ];
    }));
  }

  /** Equation 5, and the last step of equation 3. */
  end(): void {
    const omega = (theta: NdArray, name: string): NdArray => {
      const [path, at, slope] = [PATH, AT, SLOPE].map((prefix) => this.running[prefix + name]!.data) as [Float32Array, Float32Array, Float32Array];
      const [before, begun] = [this.frozen[OMEGA + name]?.data, this.begun[name]!.data];
      return {
        shape: theta.shape,
        data: theta.data.map((value, i) => {
          const lowered = path[i]! - slope[i]! * (value - at[i]!);
          return Math.max(0, (before?.[i] ?? 0) + lowered / ((value - begun[i]!) ** 2 + this.options.xi));
        }),
      };
    };
    this.frozen = { ...named(OMEGA, this.trainable, omega), ...named(ANCHOR, this.trainable, clone) };
    this.running = {};
  }

  adapter(): Adapter {
    return loraAdapter(this.host.sites, this.trainable, this.host.scale);
  }

  save(): LearnerState {
    return { trainable: this.trainable, frozen: this.frozen, stored: {}, json: null };
  }

  restore({ trainable, frozen }: LearnerState): void {
    this.trainable = trainable;
    this.frozen = frozen;
  }
}

const method: Method = { create: (host, options) => new SynapticIntelligence(host, options as unknown as Options) };
export default method;
