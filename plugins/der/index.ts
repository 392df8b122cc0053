import {
  type Adapter, type Arrays, type Learner, type LearnerState, type Method, type MethodHost, type NdArray, type Row, type Scope, type Site, type TaskView,
  below, divideBudget, withKept,
} from '@lethe/core';
import { type Start, loraAdapter, loraArrays, loraDelta, loraNames, startAdapter } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';

interface Options {
  readonly alpha: number;
  readonly budget: number;
  readonly share: number;
  readonly start: Start;
}

/** What outlives a task besides arrays and rows. */
interface Memory {
  /** How many rows of each task are kept, in the order of the rows. */
  readonly counts: readonly number[];
  /** How many places each kept row has logits for. */
  readonly places: readonly number[];
}

/** Names of the arrays that hold stored logits, (places of all kept rows, vocabulary), and where those of a step's rows are among them, (batch, places); -1 for none. */
const [LOGITS, PLACES, COUNT] = ['logits', 'places', 'count'];

/**
 * Dark experience replay (Buzzega et al. 2020, arXiv 2004.07211, equation 6) for one adapter: kept rows of earlier tasks are trained on, and the logits h of their
 * answers are held to those, z, that the model had for them when their task ended,
 *   L = E_task[l(y, h)] + beta E_kept[l(y, h)] + alpha E_kept[|z - h|^2].
 * A step is as large as that of any other method: kept rows take a share of its places, which makes beta share / (1 - share). The square is a mean
 * over the vocabulary, as in the authors' code, and over the places of a row. Both z and h are taken less their mean over the vocabulary, which says nothing of what is predicted.
 */
class Der implements Learner {
  trainable: Arrays;
  /** Stored logits while a task after the first is learned. */
  frozen: Arrays = {};
  rows: readonly Row[] = [];
  private counts: readonly number[] = [];
  /** z of every kept row, (places, vocabulary). */
  private logits: readonly NdArray[] = [];
  /** The present task. */
  private index = 0;

  constructor(private readonly host: MethodHost, private readonly options: Options) {
    this.trainable = loraArrays(host.sites, host.rank, host.random.fork('init'));
  }

  async begin(task: TaskView): Promise<void> {
    this.index = task.index;
    if (task.index === 1) this.trainable = await startAdapter(this.host, task, this.options.start, this.trainable);
    else this.frozen = this.stored();
  }

  adapt(site: Site, x: tf.Tensor3D, { params }: Scope): tf.Tensor3D {
    const { a, b } = loraNames(site);
    return loraDelta(x, params[a]!, params[b]!, this.host.scale);
  }

  /** Kept rows, each at most once, in the last places of the rows drawn. */
  batch(drawn: readonly Row[], step: number): readonly Row[] {
    return withKept(drawn, this.rows, this.options.share, this.host.random.fork('rehearsal', this.index, step));
  }

  /** Where the logits of the rows of a step are among all that are stored, and how many kept rows there are, on average, in as many of the whole step. */
  stepArrays(_step: number, kept: readonly number[], whole: readonly number[]): Arrays {
    if (this.rows.length === 0) return {};
    const counts = this.logits.map(({ shape }) => shape[0]!);
    const most = Math.max(...counts);
    const data = new Float32Array(kept.length * most).fill(-1);
    kept.forEach((row, r) => {
      if (row < 0) return;
      const first = counts.slice(0, row).reduce((sum, n) => sum + n, 0);
      for (let place = 0; place < counts[row]!; place++) data[r * most + place] = first + place;
    });
    const count = (whole.filter((row) => row >= 0).length * kept.length) / whole.length;
    return { [PLACES]: { shape: [kept.length, most], data }, [COUNT]: { shape: [], data: Float32Array.of(count || 1) } };
  }

  /** alpha E_kept[|z - h|^2], equation 6. */
  penalty({ params, predictions }: Scope): tf.Scalar | null {
    const places = params[PLACES] as tf.Tensor2D | undefined; // (batch, places)
    const { alpha } = this.options;
    if (!places || alpha === 0) return null;
    const [batch, most] = places.shape;
    const there = places.greaterEqual(0).cast('float32'); // (batch, places)
    const { logp } = predictions(); // the answers of every row, padded to as many
    const answers = logp.reshape([batch, -1, logp.shape[1]]).slice([0, 0, 0], [-1, most, -1]); // (batch, places, vocabulary)
    const h = answers.sub(answers.mean(2, true));
    const z = tf.gather(params[LOGITS]!, places.relu().cast('int32').reshape([-1])).reshape(h.shape);
    const squares = h.sub(z).square().mean(2).mul(there).sum(1).div(there.sum(1).maximum(1)); // (batch)
    return squares.sum<tf.Scalar>().div<tf.Scalar>(params[COUNT]!).mul(alpha);
  }

  async end(task: TaskView): Promise<void> {
    this.frozen = {};
    const before = new Map(this.rows.map((row, i) => [row, this.logits[i]!]));
    const offered = this.host.random.fork('memory', task.index).shuffle(this.host.rows(task));
    ({ rows: this.rows, counts: this.counts } = divideBudget({ rows: this.rows, counts: this.counts }, offered, this.options.budget));
    const fresh = this.rows.filter((row) => !before.has(row));
    const predicted = await this.host.predictions(task, fresh);
    fresh.forEach((row, i) => before.set(row, centred(predicted[i]!)));
    this.logits = this.rows.map((row) => before.get(row)!);
  }

  adapter(): Adapter {
    return loraAdapter(this.host.sites, this.trainable, this.host.scale);
  }

  save(): LearnerState {
    const json: Memory = { counts: this.counts, places: this.logits.map(({ shape }) => shape[0]!) };
    return { trainable: this.trainable, frozen: this.frozen, stored: this.stored(), json, rows: this.rows };
  }

  restore({ trainable, frozen, stored, json, rows = [] }: LearnerState): void {
    const { counts, places } = json as Memory;
    Object.assign(this, { trainable, frozen, rows, counts });
    const { shape: [, size = 0], data } = stored[LOGITS] ?? { shape: [], data: new Float32Array() };
    let from = 0;
    this.logits = places.map((n) => ({ shape: [n, size], data: data.slice(from * size, (from += n) * size) }));
  }

  /** z of all kept rows, one below the other. */
  private stored(): Arrays {
    const [first, ...others] = this.logits;
    return first ? { [LOGITS]: others.reduce(below, first) } : {};
  }
}

/** Log probabilities (places, vocabulary) as logits whose mean over the vocabulary is 0. */
function centred({ shape, data }: NdArray): NdArray {
  const size = shape[1]!;
  const means = Array.from({ length: shape[0]! }, (_, place) => data.subarray(place * size, (place + 1) * size).reduce((sum, value) => sum + value, 0) / size);
  return { shape, data: data.map((value, i) => value - means[Math.floor(i / size)]!) };
}

const method: Method = { create: (host, options) => new Der(host, options as unknown as Options) };
export default method;
