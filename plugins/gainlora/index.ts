import {
  type Arrays, extendBasis, type Gates, leadingDirections, type Learner, type LearnerState, type Method, type MethodHost, type NdArray, product,
  type Random, type ReportTable, type Scope, secondMoment, type Site, siteInputs, type TaskView, transposed, zeros,
} from '@lethe/core';
import { type Start, linear, loraArrays, loraBeside, loraJoined, loraNames, loraOverlap, startAdapter } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';

interface Options {
  readonly branches: 'o-lora' | 'inflora';
  readonly hidden: number;
  readonly threshold: number;
  readonly branchThreshold: number;
  readonly lambda: number;
  readonly rows: number;
  readonly start: Start;
}

const OLD = 'old';
/** The layers of a gate. Each reads something: the features, the hidden layer, and what is compared with the key. */
const LAYERS = ['in', 'out', 'key'] as const;
/** Keeps a vector of zeros from being divided by its norm. */
const TINY = 1e-12;
const OPEN = 4;

/**
 * GainLoRA (Liang and Li 2025, arXiv 2505.15424): a branch and a gate a task, those of earlier tasks frozen,
 *   delta(x) = scale * sum_t a_t(z) (x A_t) B_t
 * with a_t in [0, 1) from the pooled features z of the prompt. What a branch adds to the answers of earlier tasks is bounded twice:
 * its gate is shut for them, and its input directions stay away from theirs, in one of two ways:
 * - `o-lora`: by the loss, L = L_task + lambda * sum_sites sum |A_old^T A|;
 * - `inflora`: A_t is fixed to the leading directions of the task's inputs outside of a subspace that holds those of earlier tasks.
 */
class GainLora implements Learner {
  /** `lora.SITE.B` of the task at hand, `lora.SITE.A` where it trains, and until it ends the updates of its gate. */
  trainable: Arrays = {};
  /** Earlier branches side by side under `old.`, all gates under `gate.`, and `lora.SITE.A` where it is fixed. */
  frozen: Arrays = {};
  private task = 0;
  /** For `inflora`, by the name of every input: orthonormal columns that hold what earlier tasks read there, (in, k). */
  private spaces: Record<string, NdArray> = {};
  private readonly branches: TaskGates;

  constructor(
    private readonly host: MethodHost,
    private readonly options: Options,
  ) {
    this.branches = new TaskGates(host.featureSize, options.hidden, options.threshold);
  }

  async begin(task: TaskView): Promise<void> {
    const { sites, rank, random } = this.host;
    this.task = task.index;
    const old = task.index > 1 ? loraBeside(sites, this.frozen, { ...this.frozen, ...this.trainable }, OLD) : {};
    const gates = this.branches.added(this.gateArrays(), task.index, await this.features(task), random.fork('gate', task.index));
    this.frozen = { ...old, ...gates };
    this.trainable = { ...loraArrays(sites, rank, random.fork('init', task.index)), ...this.branches.updates() };
    if (this.options.branches === 'inflora') await this.fixInputs(task);
    else this.trainable = await startAdapter(this.host, task, this.options.start, this.trainable);
  }

  /** Fixes what the branch of a task reads at every site, while its B is zero and it answers nothing. */
  private async fixInputs(task: TaskView): Promise<void> {
    const designed: Record<string, NdArray> = {};
    for await (const { name, readers, moment } of siteInputs(this.host, task, this.options.rows)) {
      const a = leadingDirections(moment, this.host.rank, this.spaces[name]);
      for (const site of readers) designed[loraNames(site).a] = a;
    }
    this.frozen = { ...this.frozen, ...designed };
    this.trainable = Object.fromEntries(Object.entries(this.trainable).filter(([name]) => !(name in this.frozen)));
  }

  adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    const { a, b } = loraJoined(site, scope.params, OLD); // (in, rank * tasks), (rank * tasks, out)
    const openness = this.branches.openness(scope, this.task); // (batch, tasks)
    const perColumn = openness.expandDims(2).tile([1, 1, this.host.rank]).reshape([x.shape[0], 1, -1]); // (batch, 1, rank * tasks)
    return linear(linear(x, a).mul(perColumn).mul(this.host.scale), b);
  }

  penalty({ params }: Scope): tf.Scalar | null {
    if (this.options.lambda === 0 || this.options.branches === 'inflora') return null;
    const overlaps = this.host.sites.flatMap((site) => loraOverlap(site, params, OLD) ?? []);
    return overlaps.length > 0 ? tf.addN(overlaps).mul(this.options.lambda) : null;
  }

  async end(task: TaskView): Promise<void> {
    const gates = this.branches.ended(this.gateArrays(), this.trainable, await this.features(task));
    this.frozen = { ...this.frozen, ...gates };
    this.trainable = Object.fromEntries(Object.entries(this.trainable).filter(([name]) => !name.startsWith('gate.')));
    if (this.options.branches === 'o-lora') return;
    for await (const { name, moment } of siteInputs(this.host, task, this.options.rows)) {
      this.spaces[name] = extendBasis(this.spaces[name], moment, this.options.branchThreshold);
    }
  }

  save(): LearnerState {
    return { trainable: this.trainable, frozen: this.frozen, stored: this.spaces, json: this.task };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
    this.frozen = state.frozen;
    this.spaces = { ...state.stored };
    this.task = state.json as number;
  }

  /** How many directions each layer of the gates keeps for the tasks so far, of how many there are. */
  report(): readonly ReportTable[] {
    return [{
      title: 'Directions that the gates keep', rows: { title: 'layer', names: LAYERS }, columns: { title: 'directions', names: ['kept', 'of'] },
      cells: LAYERS.map((layer) => this.frozen[`gate.space.${layer}`]!.shape.toReversed()),
    }];
  }

  gates(scope: Scope): Gates {
    return { parts: Array.from({ length: this.task }, (_, t) => `branch ${t + 1}`), open: this.branches.openness(scope, this.task) };
  }

  private gateArrays(): Arrays {
    return Object.fromEntries(Object.entries(this.frozen).filter(([name]) => name.startsWith('gate.')));
  }

  private async features(task: TaskView): Promise<NdArray> {
    return this.host.features(task, this.options.rows);
  }
}

/**
 * The gates of all branches. For pooled prompt features z (batch, size), gate k holds W_k (size, hidden), V_k (hidden, size) and a
 * key (size, 1):
 *   h = silu(z W_k),   q = silu(h V_k),   a_k = |2 sigmoid(4 cos(q, key_k)) - 1|
 * so that a_k is 0 where q is orthogonal to the key. For every layer a basis M is kept of what it read for earlier tasks.
 * - A new gate starts as a copy of the one before it, with a key outside of M: it is shut for prompts of earlier tasks.
 * - While it trains, the update D of each layer is used as (I - M M^T) D: it changes nothing that the layer makes of those prompts.
 */
class TaskGates {
  constructor(private readonly size: number, private readonly hidden: number, private readonly threshold: number) {}

  /** What trains of the gate at hand: the updates of its layers, zero at first. */
  updates(): Arrays {
    const { size, hidden } = this;
    return { 'gate.in': zeros([size, hidden]), 'gate.out': zeros([hidden, size]), 'gate.key': zeros([size, 1]) };
  }

  /**
   * Adds a gate for a task: the one before it is frozen under its number, and its copy gets a key of its own.
   *
   * @param kept the arrays after the task before, empty for the first task
   * @param z features of the task's rows, (rows, size)
   */
  added(kept: Arrays, task: number, z: NdArray, random: Random): Arrays {
    const frozen: Record<string, NdArray> = { ...kept };
    if (task === 1) {
      frozen['gate.base.in'] = { shape: [this.size, this.hidden], data: random.fork('in').normals(this.size * this.hidden, 1 / Math.sqrt(this.size)) };
      frozen['gate.base.out'] = { shape: [this.hidden, this.size], data: random.fork('out').normals(this.hidden * this.size, 1 / Math.sqrt(this.hidden)) };
    } else {
      for (const layer of LAYERS) frozen[`gate.${task - 1}.${layer}`] = kept[`gate.base.${layer}`]!;
    }
    const { key: query } = this.read(frozen, z);
    frozen['gate.base.key'] = leadingDirections(secondMoment(query), 1, kept['gate.space.key']);
    return frozen;
  }

  /** Ends a task: folds the updates into the gate at hand, and keeps the directions that its layers read. */
  ended(frozen: Arrays, updates: Arrays, z: NdArray): Arrays {
    const result: Record<string, NdArray> = { ...frozen };
    for (const layer of LAYERS) result[`gate.base.${layer}`] = folded(frozen[`gate.base.${layer}`]!, updates[`gate.${layer}`]!, frozen[`gate.space.${layer}`]);
    const reads = this.read(result, z);
    for (const layer of LAYERS) {
      result[`gate.space.${layer}`] = extendBasis(frozen[`gate.space.${layer}`], secondMoment(reads[layer]), this.threshold);
    }
    return result;
  }

  /** Traced. How far every branch is open for the rows of a batch, in [0, 1): (batch, tasks), the task at hand last. */
  openness(scope: Scope, task: number): tf.Tensor2D {
    return scope.once('gates', () => {
      const z = scope.features();
      const layer = (name: (typeof LAYERS)[number]): tf.Tensor2D => {
        const [base, update, space] = [scope.params[`gate.base.${name}`] as tf.Tensor2D, scope.params[`gate.${name}`], scope.params[`gate.space.${name}`]];
        if (!update) return base; // folded in
        if (!space) return base.add(update);
        const inside = tf.matMul(space as tf.Tensor2D, tf.matMul(space as tf.Tensor2D, update as tf.Tensor2D, true, false));
        return base.add(update.sub(inside));
      };
      const earlier = Array.from({ length: task - 1 }, (_, k) =>
        open(z, ...(LAYERS.map((name) => scope.params[`gate.${k + 1}.${name}`]) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D])));
      return tf.concat([...earlier, open(z, layer('in'), layer('out'), layer('key'))], 1) as tf.Tensor2D;
    });
  }

  /** What each layer of the gate at hand reads for rows of features, outside of any traced function. */
  private read(arrays: Arrays, z: NdArray): Record<(typeof LAYERS)[number], NdArray> {
    const hidden = silu(product(z, arrays['gate.base.in']!)); // (rows, hidden)
    return { in: z, out: hidden, key: silu(product(hidden, arrays['gate.base.out']!)) }; // key: (rows, size)
  }
}

/** Traced. |2 sigmoid(4 cos) - 1| of a gate, (batch, 1). */
function open(z: tf.Tensor2D, first: tf.Tensor2D, second: tf.Tensor2D, key: tf.Tensor2D): tf.Tensor2D {
  const swish = (x: tf.Tensor2D): tf.Tensor2D => x.mul(tf.sigmoid(x));
  const query = swish(tf.matMul(swish(tf.matMul(z, first)), second)); // (batch, size)
  const norm = (x: tf.Tensor, axis: number) => x.square().sum(axis, true).add(TINY).sqrt();
  const cosine = tf.matMul(query.div<tf.Tensor2D>(norm(query, 1)), key.div<tf.Tensor2D>(norm(key, 0)));
  return tf.abs(tf.sigmoid(cosine.mul(OPEN)).mul(2).sub(1));
}

/** base + (I - M M^T) update. */
function folded(base: NdArray, update: NdArray, space: NdArray | undefined): NdArray {
  const inside = space ? product(space, product(transposed(space), update)).data : null;
  return { shape: base.shape, data: base.data.map((v, i) => v + update.data[i]! - (inside?.[i] ?? 0)) };
}

const silu = ({ shape, data }: NdArray): NdArray => ({ shape, data: data.map((v) => v / (1 + Math.exp(-v))) });

const method: Method = { create: (host, options) => new GainLora(host, options as unknown as Options) };
export default method;
