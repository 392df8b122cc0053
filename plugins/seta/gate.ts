import type { Arrays, LearnerState, MethodHost, NdArray, Scope, TaskView } from '@lethe/core';
import * as tf from '@tensorflow/tfjs';

export interface GateOptions {
  readonly routing: number;
  readonly pseudo: number;
  readonly sharpness: number;
  readonly radius: number;
  readonly oracle: boolean;
}

/** Smallest deviation of a feature, as a share of the mean deviation: features that the first task never varies must not rule. */
const FLOOR = 0.1;

/** Most pseudo-features of all earlier tasks together: a training step costs no more after fifty tasks than after sixteen. */
const MOST_PSEUDO = 1024;

/**
 * The unified gate. For pooled prompt features z, standardised by the first task, it keeps a key k_t a task, a metric m that
 * all tasks share, and a radius r_t:
 *   d_t(z) = mean_i exp(m_i) (z_i - k_ti)^2,   p(z) = softmax(0, s (r_1 - d_1), …, s (r_T - d_T))
 * p_0 is the null route, the untouched base model: it takes prompts that lie outside of every radius. A linear discriminant
 * with one covariance, in other words, whose keys start as the means of their tasks and are trained from there; a new task adds
 * a key. Of earlier tasks it keeps the mean and the deviation of every feature: no text, no rows.
 */
export class Gate {
  /** (tasks, size) and (size): what trains. */
  private keys: NdArray;
  private metric: NdArray;
  /** (2, size): mean and reciprocal deviation of the first task's raw features. */
  private centre: NdArray | null = null;
  /** Of every task the means, then the deviations of its standardised features, (2 * size); none where no term needs them. */
  private moments: Float32Array[] = [];
  private radii: number[] = [];

  constructor(private readonly host: MethodHost, private readonly options: GateOptions) {
    this.keys = { shape: [0, host.featureSize], data: new Float32Array(0) };
    this.metric = { shape: [host.featureSize], data: new Float32Array(host.featureSize) };
  }

  /** Meets a task: keeps the moments of its features and adds a key. */
  async expand(task: TaskView): Promise<void> {
    const size = this.host.featureSize;
    const { data } = await this.host.features(task, task.rows);
    this.centre ??= centreOf(data, size);
    const [mean, reciprocal] = [this.centre.data.subarray(0, size), this.centre.data.subarray(size)];
    const rows = data.map((x, n) => (x - mean[n % size]!) * reciprocal[n % size]!);
    const moments = momentsOf(rows, size);
    const keys = new Float32Array(this.keys.data.length + size);
    keys.set(this.keys.data);
    keys.set(moments.subarray(0, size), this.keys.data.length);
    this.keys = { shape: [this.radii.length + 1, size], data: keys };
    if (this.options.routing > 0) this.moments.push(moments);
    const distances = momentsOf(distancesOf(rows, moments, this.metric.data), 1);
    this.radii.push(distances[0]! + this.options.radius * distances[1]!);
  }

  /** What trains: `gate.keys`, `gate.metric`. The same arrays at every call, so that training changes them. */
  get trainable(): Arrays {
    return { 'gate.keys': this.keys, 'gate.metric': this.metric };
  }

  /** What is read beside it: the standardisation, the radii, and pseudo-features of earlier tasks, anew for every task. */
  frozen(): Arrays {
    const earlier = this.moments.slice(0, -1);
    if (earlier.length === 0) return this.fixed();
    const [size, n] = [this.host.featureSize, this.pseudoRows(earlier.length)];
    const z = new Float32Array(earlier.length * n * size);
    earlier.forEach((moments, t) => {
      const random = this.host.random.fork('pseudo', this.moments.length, t + 1);
      for (let at = t * n * size; at < (t + 1) * n * size; at++) {
        z[at] = moments[at % size]! + random.normal() * moments[size + (at % size)]!;
      }
    });
    return { ...this.fixed(), 'gate.pseudo': { shape: [earlier.length * n, size], data: z } };
  }

  /** Traced. Probability of every task's route for the rows of a batch, without the null route: (batch, tasks). An oracle knows it. */
  routes(scope: Scope): tf.Tensor2D {
    return scope.once('routes', () => {
      const routes = this.options.oracle ? tf.oneHot(scope.task(), this.radii.length + 1, 1, 0, 'float32')
        : tf.exp(this.logRoutes(this.standardised(scope), scope));
      return routes.slice([0, 1]) as tf.Tensor2D;
    });
  }

  /**
   * Traced. Cross-entropy of the route of the task at hand on its rows, plus `routing` times that of the earlier tasks' routes
   * on their pseudo-features: the routing-aware term.
   */
  loss(scope: Scope): tf.Scalar {
    const task = this.radii.length;
    const own = tf.neg(tf.mean(this.logRoutes(this.standardised(scope), scope).slice([0, task], [-1, 1]))) as tf.Scalar;
    const pseudo = scope.params['gate.pseudo'];
    if (!pseudo) return own;
    const routes = tf.range(1, task, 1, 'int32').expandDims(1).tile([1, this.pseudoRows(task - 1)]).reshape([-1]); // (rows)
    const chosen = tf.oneHot(routes.cast('int32'), task + 1).mul(this.logRoutes(pseudo as tf.Tensor2D, scope)).sum(1);
    return own.sub(chosen.mean().mul(this.options.routing));
  }

  /** What predictions read beside `trainable`: the standardisation and the radii. */
  fixed(): Arrays {
    return { 'gate.centre': this.centre!, 'gate.radius': { shape: [this.radii.length], data: Float32Array.from(this.radii) } };
  }

  /** What later tasks need: the moments of every task. */
  statistics(): Arrays {
    return Object.fromEntries(this.moments.map((data, t): [string, NdArray] => [`gate.moments.${t + 1}`, { shape: [2, this.host.featureSize], data }]));
  }

  /** Number of values after so many tasks: a key and a radius each, metric and standardisation; beside them moments for later tasks. */
  values(tasks: number): { predicting: number; later: number } {
    const size = this.host.featureSize;
    return { predicting: tasks * (size + 1) + 3 * size, later: this.options.routing > 0 ? 2 * size * tasks : 0 };
  }

  restore({ trainable, frozen, stored }: Pick<LearnerState, 'trainable' | 'frozen' | 'stored'>): void {
    this.keys = trainable['gate.keys']!;
    this.metric = trainable['gate.metric']!;
    this.centre = frozen['gate.centre']!;
    this.radii = [...frozen['gate.radius']!.data];
    this.moments = this.options.routing > 0 ? this.radii.map((_, t) => stored[`gate.moments.${t + 1}`]!.data) : [];
  }

  /** Pseudo-features of each of so many earlier tasks. */
  private pseudoRows(earlier: number): number {
    return Math.max(1, Math.min(this.options.pseudo, Math.floor(MOST_PSEUDO / earlier)));
  }

  private standardised(scope: Scope): tf.Tensor2D {
    const [mean, reciprocal] = tf.unstack(scope.params['gate.centre'] as tf.Tensor2D);
    return scope.features().sub(mean!).mul(reciprocal!);
  }

  /** Log-probabilities of the null route and of every task's, (rows, 1 + tasks). */
  private logRoutes(z: tf.Tensor2D, { params }: Scope): tf.Tensor2D {
    const keys = params['gate.keys'] as tf.Tensor2D;
    const metric = tf.exp(params['gate.metric']!); // (size)
    const weighted = keys.mul(metric) as tf.Tensor2D; // (tasks, size)
    // mean m (z - k)^2 = mean m z^2 - 2 mean m z k + mean m k^2
    const distance = z.square().mul(metric).sum(1, true)
      .sub(tf.matMul(z, weighted, false, true).mul(2))
      .add(weighted.mul(keys).sum(1))
      .div(this.host.featureSize); // (rows, tasks)
    const logits = tf.sub(params['gate.radius']!, distance).mul(this.options.sharpness) as tf.Tensor2D;
    return tf.logSoftmax(logits.pad([[0, 0], [1, 0]])) as tf.Tensor2D;
  }
}

/** Mean and reciprocal deviation of raw features (rows, size): (2, size). */
function centreOf(data: Float32Array, size: number): NdArray {
  const moments = momentsOf(data, size);
  const deviations = moments.subarray(size);
  const floor = FLOOR * (deviations.reduce((sum, d) => sum + d, 0) / size) + 1e-6;
  deviations.forEach((d, i) => (deviations[i] = 1 / Math.max(d, floor)));
  return { shape: [2, size], data: moments };
}

/** Distance of every row (rows, size) from the mean among `moments`: (rows). */
function distancesOf(rows: Float32Array, moments: Float32Array, metric: Float32Array): Float32Array {
  const size = metric.length;
  return Float32Array.from({ length: rows.length / size }, (_, row) => {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += Math.exp(metric[i]!) * (rows[row * size + i]! - moments[i]!) ** 2;
    return sum / size;
  });
}

/** Column means and standard deviations of a (rows, size) matrix: the first and second half of the result. */
function momentsOf(data: Float32Array, size: number): Float32Array {
  const n = data.length / size;
  const result = new Float32Array(2 * size);
  for (let i = 0; i < size; i++) {
    let [sum, square] = [0, 0];
    for (let row = 0; row < n; row++) sum += data[row * size + i]!;
    const mean = sum / n;
    for (let row = 0; row < n; row++) square += (data[row * size + i]! - mean) ** 2;
    result[i] = mean;
    result[size + i] = Math.sqrt(square / n);
  }
  return result;
}
