import {
  type Adapter, type Arrays, clone, type Learner, type LearnerState, type Method, type MethodHost, type NdArray, type ReportTable, type Scope,
  type Site, type TaskView,
} from '@lethe/core';
import { type Start, loraAdapter, loraArrays, loraDelta, loraNames, startAdapter } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';

interface Options {
  readonly orthogonality: number;
  readonly decay: number;
  readonly temperature: number;
  readonly share: number;
  readonly rows: number;
  readonly start: Start;
}

const BATCH = 8;

/**
 * TasLoRA, the form of TaSL for adapters (Feng et al. 2024, arXiv 2408.05200). A skill unit is a rank-1 piece of the adapter of a
 * site: column r of A (in, rank) with row r of B (rank, out). One adapter goes through all tasks.
 *
 * While a task is learned, the units of an adapter are kept apart:
 *   L = L_task + orthogonality * mean_sites (||A^T A - I||_F + ||B B^T - I||_F) / 2
 * Localisation, over batches of the task, for every entry w with gradient g:
 *   I = |w g - (w g)^2 / 2|,   I' <- d I' + (1 - d) I,   U' <- d U' + (1 - d) |I - I'|,   s = I' U'
 * The importance of a unit is the mean of s over its column times that over its row, scaled to [0, 1] over all units.
 * Consolidation, for every unit with its importance p for earlier tasks and c for the new one:
 *   w <- softmax([p, c] / temperature) . [w before the task, w after it],   p <- share c + (1 - share) p, scaled to [0, 1]
 */
class Tasl implements Learner {
  readonly frozen = {};
  trainable: Arrays;
  /** Importance of every unit for the tasks so far, (sites, rank); none before the first task ends. */
  private importance: NdArray | null = null;
  /** The adapter before the task at hand. */
  private before: Arrays = {};

  constructor(
    private readonly host: MethodHost,
    private readonly options: Options,
  ) {
    this.trainable = loraArrays(host.sites, host.rank, host.random.fork('init'));
  }

  async begin(task: TaskView): Promise<void> {
    if (task.index === 1) this.trainable = await startAdapter(this.host, task, this.options.start, this.trainable);
    this.before = Object.fromEntries(Object.entries(this.trainable).map(([name, array]) => [name, clone(array)]));
  }

  adapt(site: Site, x: tf.Tensor3D, { params }: Scope): tf.Tensor3D {
    const { a, b } = loraNames(site);
    return loraDelta(x, params[a]!, params[b]!, this.host.scale);
  }

  penalty({ params }: Scope): tf.Scalar | null {
    if (this.options.orthogonality === 0) return null;
    const identity = tf.eye(this.host.rank);
    const terms = this.host.sites.flatMap((site) => {
      const [a, b] = [params[loraNames(site).a] as tf.Tensor2D, params[loraNames(site).b] as tf.Tensor2D];
      const grams = [tf.matMul(a, a, true, false), tf.matMul(b, b, false, true)]; // (rank, rank)
      return grams.map((gram) => gram.sub(identity).square().sum<tf.Scalar>().add<tf.Scalar>(1e-12).sqrt());
    });
    return tf.addN(terms).mul(this.options.orthogonality / terms.length);
  }

  async end(task: TaskView): Promise<void> {
    const current = await this.localise(task);
    const kept = this.importance;
    if (!kept) {
      this.importance = current;
      return;
    }
    const { rank, sites } = this.host;
    const { share, temperature } = this.options;
    sites.forEach((site, s) => {
      const [a, b] = [loraNames(site).a, loraNames(site).b];
      for (let r = 0; r < rank; r++) {
        // softmax of two values
        const old = 1 / (1 + Math.exp((current.data[s * rank + r]! - kept.data[s * rank + r]!) / temperature));
        average(this.before[a]!, this.trainable[a]!, unitOfA(site, rank, r), old);
        average(this.before[b]!, this.trainable[b]!, unitOfB(site, r), old);
      }
    });
    this.importance = { shape: kept.shape, data: scaled([...kept.data].map((p, i) => share * current.data[i]! + (1 - share) * p)) };
  }

  adapter(): Adapter {
    return loraAdapter(this.host.sites, this.trainable, this.host.scale);
  }

  save(): LearnerState {
    return { trainable: this.trainable, frozen: {}, stored: this.importance ? { importance: this.importance } : {}, json: null };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
    this.importance = state.stored['importance'] ?? null;
  }

  /** The importance of the units of every site for the tasks so far. */
  report(): readonly ReportTable[] {
    const { sites, rank } = this.host;
    return [{
      title: 'Importance of the units', rows: { title: 'site', names: sites.map(({ name }) => name) },
      columns: { title: 'unit', names: Array.from({ length: rank }, (_, k) => String(k + 1)) },
      cells: sites.map((_, s) => [...this.importance!.data.subarray(s * rank, (s + 1) * rank)]), scale: [0, 1],
    }];
  }

  /** Importance of every unit for the task just learned, scaled to [0, 1]: (sites, rank). */
  private async localise(task: TaskView): Promise<NdArray> {
    const { rank, sites } = this.host;
    const names = Object.keys(this.trainable);
    const running = new Map(names.map((name) => [name, new Running(this.trainable[name]!.data.length, this.options.decay)]));
    for await (const gradients of this.host.gradients(task, { names, rows: Math.min(this.options.rows, task.rows), batch: BATCH })) {
      for (const name of names) running.get(name)!.add(this.trainable[name]!.data, gradients[name]!.data);
    }
    const units = sites.flatMap((site) => Array.from({ length: rank }, (_, r) =>
      running.get(loraNames(site).a)!.mean(unitOfA(site, rank, r)) * running.get(loraNames(site).b)!.mean(unitOfB(site, r))));
    return { shape: [sites.length, rank], data: scaled(units) };
  }
}

/** Running sensitivity I' and uncertainty U' of the entries of one array. */
class Running {
  private readonly sensitivity: Float64Array;
  private readonly uncertainty: Float64Array;

  constructor(size: number, private readonly decay: number) {
    this.sensitivity = new Float64Array(size);
    this.uncertainty = new Float64Array(size);
  }

  add(values: Float32Array, gradients: Float32Array): void {
    const d = this.decay;
    for (let i = 0; i < values.length; i++) {
      const product = values[i]! * gradients[i]!;
      const now = Math.abs(product - product ** 2 / 2);
      this.sensitivity[i] = d * this.sensitivity[i]! + (1 - d) * now;
      this.uncertainty[i] = d * this.uncertainty[i]! + (1 - d) * Math.abs(now - this.sensitivity[i]!);
    }
  }

  /** Mean of the scores I' U' at these places. */
  mean(places: readonly number[]): number {
    return places.reduce((sum, i) => sum + this.sensitivity[i]! * this.uncertainty[i]!, 0) / places.length;
  }
}

/** Places of column r of A, row-major (in, rank). */
const unitOfA = (site: Site, rank: number, r: number): number[] => Array.from({ length: site.in }, (_, i) => i * rank + r);
/** Places of row r of B, row-major (rank, out). */
const unitOfB = (site: Site, r: number): number[] => Array.from({ length: site.out }, (_, o) => r * site.out + o);

/** Mixes what was there before into these places of an array, in place. */
function average(before: NdArray, now: NdArray, places: readonly number[], old: number): void {
  for (const i of places) now.data[i] = old * before.data[i]! + (1 - old) * now.data[i]!;
}

/** Values moved and stretched to reach from 0 to 1; all 0 where they are equal. */
function scaled(values: readonly number[]): Float32Array {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return Float32Array.from(values, (v) => (most > least ? (v - least) / (most - least) : 0));
}

const method: Method = { create: (host, options) => new Tasl(host, options as unknown as Options) };
export default method;
