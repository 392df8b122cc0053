import {
  type Arrays, below, columnMoments, type LearnerState, type MethodHost, type NdArray, product, type Scope, type TaskView, transposed, whitening, zeros,
} from '@lethe/core';
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

/** Most dimensions that tasks are told apart in: what the gate keeps does not grow with the square of a large model's width. */
const MOST_DIMENSIONS = 256;

/**
 * A route less likely than the likeliest by more than e^-60 counts as e^-60. Smaller ones are too small to change a sum, but they and their gradients would be
 * denormal numbers, with which some processors reckon a hundred times as slowly.
 */
const FAINTEST = 60;

/** How far the shared covariance is drawn towards a ball. */
const SHRINKAGE = 0.1;

/** Most pseudo-features of all earlier tasks together: a training step costs no more after fifty tasks than after sixteen. */
const MOST_PSEUDO = 1024;

/**
 * The unified gate: a linear discriminant over pooled prompt features z, which the first task standardises. Of every task it keeps the mean k_t, of
 * all together one covariance C within tasks, of y = R^T z; R is random, drawn from the seed, or I where features are few. With W
 * that makes C white, and v_t, by which training moves a key,
 *   q(z) = softmax_t(-|W^T (y - R^T k_t) - v_t|^2 / 2)
 * is the route among tasks: the probability of a task where features are normal with the same covariance in all of them. Prompts outside of the radius r_t
 * of their task take the null route, the untouched base model:
 *   p_t(z) = q_t(z) sigmoid(s sum_u q_u(z) (r_u - mean_i (z_i - k_ui)^2))
 * A new task adds a key and is averaged into C. No text is kept, no rows.
 */
export class Gate {
  /** v, (tasks, dimensions): what trains. */
  private moved: NdArray;
  /** (tasks, size) */
  private means: NdArray;
  /** (2, size): mean and reciprocal deviation of the first task's raw features. */
  private centre: NdArray | null = null;
  /** C, (dimensions, dimensions), and over how many rows. */
  private covariance: NdArray;
  private rows = 0;
  private radii: number[] = [];
  /** R W, (size, dimensions). */
  private map!: NdArray;
  private readonly dimensions: number;
  /** R, (size, dimensions); null for I. */
  private readonly projection: NdArray | null;

  constructor(private readonly host: MethodHost, private readonly options: GateOptions) {
    const [size, d] = [host.featureSize, Math.min(host.featureSize, MOST_DIMENSIONS)];
    this.dimensions = d;
    this.projection = d === size ? null : { shape: [size, d], data: host.random.fork('projection').normals(size * d, 1 / Math.sqrt(d)) };
    this.moved = zeros([0, d]);
    this.means = zeros([0, size]);
    this.covariance = zeros([d, d]);
  }

  /** Meets a task: adds a key, and what its features say of the covariance. */
  async expand(task: TaskView): Promise<void> {
    const size = this.host.featureSize;
    const features = await this.host.features(task, task.rows);
    const { shape, data } = features;
    this.centre ??= centreOf(features);
    const [mean, reciprocal] = [this.centre.data.subarray(0, size), this.centre.data.subarray(size)];
    const z: NdArray = { shape, data: data.map((x, n) => (x - mean[n % size]!) * reciprocal[n % size]!) };
    const key = columnMoments(z).data.subarray(0, size);
    const centred: NdArray = { shape, data: z.data.map((x, n) => x - key[n % size]!) };
    const distances = Float32Array.from({ length: shape[0] }, (_, row) => meanSquare(centred.data, row, size));
    const [distance, deviation] = columnMoments({ shape: [shape[0], 1], data: distances }).data;
    this.radii.push(distance! + this.options.radius * deviation!);
    this.means = below(this.means, { shape: [1, size], data: key });
    this.moved = below(this.moved, zeros([1, this.dimensions]));
    this.average(this.projection ? product(centred, this.projection) : centred);
    this.map = this.mapOf();
  }

  /** What trains: `gate.moved`. The same array at every call, so that training changes it. */
  get trainable(): Arrays {
    return { 'gate.moved': this.moved };
  }

  /** What is read beside it: `fixed` without the covariance, what follows from that, and pseudo-features of earlier tasks, anew for every task. */
  frozen(): Arrays {
    const { 'gate.covariance': _, ...fixed } = this.fixed();
    const read = { ...fixed, 'gate.map': this.map };
    const earlier = this.radii.length - 1;
    if (earlier === 0 || this.options.routing === 0) return read;
    const [d, n] = [this.dimensions, this.pseudoRows(earlier)];
    const white = product(this.means, this.map).data;
    const drawn = new Float32Array(earlier * n * d);
    for (let t = 0; t < earlier; t++) {
      const random = this.host.random.fork('pseudo', this.radii.length, t + 1);
      for (let at = 0; at < n * d; at++) drawn[t * n * d + at] = white[t * d + (at % d)]! + random.normal();
    }
    return { ...read, 'gate.pseudo': { shape: [earlier * n, d], data: drawn } };
  }

  /** Traced. Probability of every task's route for the rows of a batch, without the null route: (batch, tasks). An oracle knows it. */
  routes(scope: Scope): tf.Tensor2D {
    return scope.once('routes', () => {
      if (this.options.oracle) return tf.oneHot(scope.task(), this.radii.length + 1, 1, 0, 'float32').slice([0, 1]) as tf.Tensor2D;
      const { params } = scope;
      const z = this.standardised(scope);
      const means = params['gate.means'] as tf.Tensor2D;
      // mean (z - k)^2 = mean z^2 - 2 mean z k + mean k^2
      const distance = z.square().mean(1, true).sub(tf.matMul(z, means, false, true).mul(2 / this.host.featureSize)).add(means.square().mean(1)); // (rows, tasks)
      const among = tf.exp(this.logRoutes(this.white(scope), scope));
      const within = tf.sigmoid(tf.sub(params['gate.radius']!, distance).mul(among).sum(1, true).mul(this.options.sharpness));
      return among.mul(within) as tf.Tensor2D;
    });
  }

  /**
   * Traced. Cross-entropy of the route among tasks for the rows of the task at hand, plus `routing` times that for pseudo-features of the earlier
   * tasks, drawn from their means and the covariance: the routing-aware term.
   */
  loss(scope: Scope): tf.Scalar {
    const task = this.radii.length;
    const own = tf.neg(tf.mean(this.logRoutes(this.white(scope), scope).slice([0, task - 1], [-1, 1]))) as tf.Scalar;
    const pseudo = scope.params['gate.pseudo'];
    if (!pseudo) return own;
    const routes = tf.range(0, task - 1, 1, 'int32').expandDims(1).tile([1, this.pseudoRows(task - 1)]).reshape([-1]); // (rows)
    const chosen = tf.oneHot(routes.cast('int32'), task).mul(this.logRoutes(pseudo as tf.Tensor2D, scope)).sum(1);
    return own.sub(chosen.mean().mul(this.options.routing));
  }

  /** What predictions need beside `trainable`: the standardisation, means and radii, and the covariance. */
  fixed(): Arrays {
    return {
      'gate.centre': this.centre!, 'gate.means': this.means, 'gate.radius': { shape: [this.radii.length], data: Float32Array.from(this.radii) },
      'gate.covariance': this.covariance,
    };
  }

  /** What later tasks need: over how many rows the covariance is. */
  statistics(): Arrays {
    return { 'gate.rows': { shape: [1], data: Float32Array.of(this.rows) } };
  }

  /** Number of values after so many tasks: a mean, a radius and what training moved for each; standardisation and covariance. */
  values(tasks: number): { predicting: number; later: number } {
    const [size, d] = [this.host.featureSize, this.dimensions];
    return { predicting: tasks * (size + 1 + d) + 2 * size + d * d, later: 1 };
  }

  restore({ trainable, frozen, stored }: Pick<LearnerState, 'trainable' | 'frozen' | 'stored'>): void {
    this.moved = trainable['gate.moved']!;
    this.centre = frozen['gate.centre']!;
    this.means = frozen['gate.means']!;
    this.radii = [...frozen['gate.radius']!.data];
    this.covariance = frozen['gate.covariance']!;
    this.rows = stored['gate.rows']!.data[0]!;
    this.map = this.mapOf();
  }

  /** Pseudo-features of each of so many earlier tasks. */
  private pseudoRows(earlier: number): number {
    return Math.max(1, Math.min(this.options.pseudo, Math.floor(MOST_PSEUDO / earlier)));
  }

  private mapOf(): NdArray {
    const white = whitening(this.covariance, SHRINKAGE);
    return this.projection ? product(this.projection, white) : white;
  }

  /** Averages the rows of a task, less their mean, into the covariance of all. */
  private average(y: NdArray): void {
    const n = y.shape[0]!;
    const { shape, data } = product(transposed(y), y);
    this.covariance = { shape, data: data.map((sum, i) => (this.rows * this.covariance.data[i]! + sum) / (this.rows + n)) };
    this.rows += n;
  }

  private standardised(scope: Scope): tf.Tensor2D {
    const [mean, reciprocal] = tf.unstack(scope.params['gate.centre'] as tf.Tensor2D);
    return scope.features().sub(mean!).mul(reciprocal!);
  }

  /** W^T R^T z of a batch, (rows, dimensions). */
  private white(scope: Scope): tf.Tensor2D {
    return tf.matMul(this.standardised(scope), scope.params['gate.map'] as tf.Tensor2D);
  }

  /** log q of white features (rows, dimensions): (rows, tasks). The square of the features is the same for all tasks, and left out. */
  private logRoutes(white: tf.Tensor2D, { params }: Scope): tf.Tensor2D {
    const keys = tf.matMul(params['gate.means'] as tf.Tensor2D, params['gate.map'] as tf.Tensor2D).add(params['gate.moved']!) as tf.Tensor2D;
    const scores = tf.matMul(white, keys, false, true).sub(keys.square().sum(1).div(2));
    return tf.logSoftmax(tf.maximum(scores, scores.max(1, true).sub(FAINTEST)) as tf.Tensor2D);
  }
}

/** Mean square of one row of (rows, size). */
function meanSquare(data: Float32Array, row: number, size: number): number {
  let sum = 0;
  for (let i = row * size; i < (row + 1) * size; i++) sum += data[i]! ** 2;
  return sum / size;
}

/** Mean and reciprocal deviation of raw features (rows, size): (2, size). */
function centreOf(features: NdArray): NdArray {
  const moments = columnMoments(features);
  const size = moments.shape[1]!;
  const deviations = moments.data.subarray(size);
  const floor = FLOOR * (deviations.reduce((sum, d) => sum + d, 0) / size) + 1e-6;
  deviations.forEach((d, i) => (deviations[i] = 1 / Math.max(d, floor)));
  return moments;
}
