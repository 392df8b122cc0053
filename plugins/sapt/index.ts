import {
  type Arrays, below, columnMoments, type Gates, type Learner, type LearnerState, type Method, type MethodHost, type NdArray, type Random, type Scope,
  type Site, type TaskView, type Tensors,
} from '@lethe/core';
import { type Start, linear, loraArrays, loraBeside, loraJoined, startAdapter } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';

interface Options {
  readonly hidden: number;
  readonly lambda: number;
  readonly pseudo: number;
  readonly start: Start;
}

const OLD = 'old';
/** Of the layer norm. */
const EPSILON = 1e-5;
/** Smallest deviation of a feature, as a share of the mean deviation: what the first task never varies must not rule. */
const FLOOR = 0.1;
/** The same where no feature varies, as with one row or equal prompts: nothing is divided by 0. */
const TINY = 1e-6;

/**
 * SAPT (Zhao et al. 2024, arXiv 2401.08295) with low-rank blocks, one a task, those of earlier tasks frozen. For pooled prompt
 * features z (batch, size), standardised by the first task and 1 more, the blocks are mixed by attention (the paper's shared attentive learning
 * and selection):
 *   q = norm(silu(z W V)),   a = softmax(q K^T / sqrt(size)),   delta(x) = scale * sum_t a_t (x A_t) B_t
 * W (size, hidden), V (hidden, size) and the norm's gain and bias are trained through all tasks, the key K_t (size) of a task with its
 * block. So that the mixture of earlier tasks stays what it was, it is recalled on pseudo-samples (its attentive reflection):
 *   L = L_task + lambda * sum_i<t mean_z' KL(s_i || a(z'))
 * s_i is the mean attention over the rows of task i at its end, with 0 for later blocks. A row reaches the attention by its features
 * alone, so that a pseudo-sample z' is drawn from the means and deviations of task i's features.
 */
class Sapt implements Learner {
  /** `lora.SITE.A` and `lora.SITE.B`, `key` (1, size), and of the query `query.in`, `query.out`, `query.gain`, `query.bias`. */
  trainable: Arrays = {};
  /**
   * `centre` (2, size), mean and deviation of the first task's features; earlier blocks side by side under `old.`, `keys` (t - 1, size);
   * `pseudo.z` ((t - 1) * pseudo, size), `pseudo.shares` ((t - 1) * pseudo, t).
   */
  frozen: Arrays = {};
  /** Of every task its `moments.t` (2, size), means and deviations, and `shares.t` (1, t), s_t. */
  private stored: Arrays = {};

  constructor(private readonly host: MethodHost, private readonly options: Options) {}

  async begin(task: TaskView): Promise<void> {
    const { sites, rank, featureSize: size, random } = this.host;
    const { key, ...known } = this.trainable;
    const kept = Object.entries(known).filter(([name]) => name.startsWith('query.'));
    const query = key ? Object.fromEntries(kept) : this.query(random.fork('query'));
    const centre = this.frozen['centre'] ?? centreOf(await this.host.features(task, task.rows));
    const blocks = key && { ...loraBeside(sites, this.frozen, known, OLD), keys: below(this.frozen['keys'], key) };
    const earlier = blocks && { ...blocks, ...this.pseudo(task.index) };
    this.frozen = { centre, ...earlier };
    this.trainable = {
      ...loraArrays(sites, rank, random.fork('init', task.index)),
      ...query,
      key: { shape: [1, size], data: uniforms(size, random.fork('key', task.index)) },
    };
    this.trainable = await startAdapter(this.host, task, this.options.start, this.trainable);
  }

  adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    const { a, b } = loraJoined(site, scope.params, OLD); // (in, rank * t), (rank * t, out)
    const perColumn = attention(scope).expandDims(2).tile([1, 1, this.host.rank]).reshape([x.shape[0], 1, -1]); // (batch, 1, rank * t)
    return linear(linear(x, a).mul(perColumn).mul(this.host.scale), b);
  }

  /** The reflection, less the entropy of s_i, which has no gradient. */
  penalty({ params }: Scope): tf.Scalar | null {
    const { lambda, pseudo } = this.options;
    if (lambda === 0 || !params['pseudo.z']) return null;
    const recalled = tf.logSoftmax(scores(params['pseudo.z'] as tf.Tensor2D, params)); // ((t - 1) * pseudo, t)
    return recalled.mul(params['pseudo.shares']!).sum<tf.Scalar>().mul(-lambda / pseudo);
  }

  async end(task: TaskView): Promise<void> {
    const z = await this.host.features(task, task.rows); // (rows, size)
    this.stored = { ...this.stored, [`moments.${task.index}`]: columnMoments(z), [`shares.${task.index}`]: this.shares(z) };
  }

  save(): LearnerState {
    return { trainable: this.trainable, frozen: this.frozen, stored: this.stored, json: null };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
    this.frozen = state.frozen;
    this.stored = state.stored;
  }

  gates(scope: Scope): Gates {
    const open = attention(scope);
    return { parts: Array.from({ length: open.shape[1] }, (_, t) => `block ${t + 1}`), open };
  }

  /** What makes queries, as it begins. */
  private query(random: Random): Arrays {
    const [size, hidden] = [this.host.featureSize, this.options.hidden];
    return {
      'query.in': { shape: [size, hidden], data: random.fork('in').normals(size * hidden, 1 / Math.sqrt(size)) },
      'query.out': { shape: [hidden, size], data: random.fork('out').normals(hidden * size, 1 / Math.sqrt(hidden)) },
      'query.gain': { shape: [size], data: new Float32Array(size).fill(1) },
      'query.bias': { shape: [size], data: new Float32Array(size) },
    };
  }

  /** Pseudo-samples of the tasks before this one, and the attention that they are to have. */
  private pseudo(task: number): Arrays {
    const [size, n] = [this.host.featureSize, this.options.pseudo];
    const z = new Float32Array((task - 1) * n * size);
    const shares = new Float32Array((task - 1) * n * task);
    for (let i = 1; i < task; i++) {
      const random = this.host.random.fork('pseudo', task, i);
      const [moments, own] = [this.stored[`moments.${i}`]!.data, this.stored[`shares.${i}`]!.data];
      for (let row = (i - 1) * n; row < i * n; row++) {
        shares.set(own, row * task);
        for (let k = 0; k < size; k++) z[row * size + k] = moments[k]! + random.normal() * moments[size + k]!;
      }
    }
    return { 'pseudo.z': { shape: [(task - 1) * n, size], data: z }, 'pseudo.shares': { shape: [(task - 1) * n, task], data: shares } };
  }

  /** The mean attention of rows at the present values, (1, t). */
  private shares(z: NdArray): NdArray {
    return tf.tidy(() => {
      const arrays = Object.entries({ ...this.frozen, ...this.trainable });
      const params = Object.fromEntries(arrays.map(([name, { shape, data }]) => [name, tf.tensor(data.slice(), [...shape])]));
      const mean = tf.softmax(scores(tf.tensor2d(z.data.slice(), [...z.shape] as [number, number]), params)).mean(0, true);
      return { shape: mean.shape, data: mean.dataSync<'float32'>() };
    });
  }
}

/** Traced. The share of every block for the rows of a batch, (batch, t). */
const attention = (scope: Scope): tf.Tensor2D => scope.once('attention', () => tf.softmax(scores(scope.features(), scope.params)));

/** Traced. q K^T / sqrt(size) of rows of features, (rows, t), the task at hand last. */
function scores(z: tf.Tensor2D, params: Tensors): tf.Tensor2D {
  const [mean, deviation] = tf.split(params['centre']!, 2, 0) as [tf.Tensor, tf.Tensor]; // (1, size)
  // Around 0, where the first task would lie, layers without a bias have no direction to know it by.
  const x = z.sub(mean).div(deviation).add<tf.Tensor2D>(1);
  const h = tf.matMul(tf.matMul(x, params['query.in'] as tf.Tensor2D), params['query.out'] as tf.Tensor2D);
  const active = h.mul(tf.sigmoid(h)); // (rows, size)
  const own = tf.moments(active, 1, true);
  const query = active.sub(own.mean).div(own.variance.add(EPSILON).sqrt()).mul(params['query.gain']!).add<tf.Tensor2D>(params['query.bias']!);
  const keys = params['keys'] ? tf.concat([params['keys'], params['key']!], 0) : params['key']!;
  return tf.matMul(query, keys as tf.Tensor2D, false, true).div(Math.sqrt(z.shape[1]));
}

const uniforms = (n: number, random: Random) => Float32Array.from({ length: n }, () => 2 * random.uniform() - 1);

/** Means of columns, and their deviations with a floor, (2, size). */
function centreOf(z: NdArray): NdArray {
  const { shape, data } = columnMoments(z);
  const size = shape[1]!;
  const least = FLOOR * data.subarray(size).reduce((sum, v) => sum + v / size, 0);
  return { shape, data: data.map((v, i) => (i < size ? v : Math.max(v, least, TINY))) };
}

const method: Method = { create: (host, options) => new Sapt(host, options as unknown as Options) };
export default method;
