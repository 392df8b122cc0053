import {
  type Adapter, type Arrays, type Learner, type LearnerState, type Method, type MethodHost, type NdArray, type ReportTable, type Scope, type Site,
  siteInputs, type TaskView, extendBasis, product, transposed,
} from '@lethe/core';
import { type Start, loraAdapter, loraArrays, loraBeside, loraDelta, loraNames, startAdapter } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';

interface Options {
  readonly threshold: number;
  readonly rows: number;
  readonly start: Start;
}

const OLD = 'old';

/**
 * Gradient projection memory (Saha et al. 2021, arXiv 2103.09762) for adapters. Of what each linear layer read in earlier tasks
 * the directions with most energy are kept, orthonormal columns M (in, k), and no step may change what the layer does to them:
 *   grad W <- grad W - M M^T grad W                                     (equation 6 for the paper's W x, 7 for x W, as here)
 * An adapter a task learns W + scale A B. With A replaced by (I - M M^T) A, its gradients by A and by B and so every step of
 * any optimizer obey that, because x A B is 0 wherever x lies in M:
 *   h = W x + scale * sum_s x (I - M_s M_s^T) A_s B_s,   M_s of the tasks before s
 * M grows after each task until it holds the share epsilon of the energy of the task's inputs (equations 5, 8 and 9).
 */
class Gpm implements Learner {
  /** `lora.SITE.A` (in, rank), `lora.SITE.B` (rank, out) while a task is learned. */
  trainable: Arrays = {};
  /** Learned adapters side by side, A projected: `old.SITE.A` (in, rank * tasks), `old.SITE.B`; and M of every input, `basis.INPUT` (in, k). */
  frozen: Arrays = {};
  /** For each site the input that it reads, named after the first site that reads it. */
  private inputs: Readonly<Record<string, string>> = {};

  constructor(
    private readonly host: MethodHost,
    private readonly options: Options,
  ) {}

  async begin(task: TaskView): Promise<void> {
    this.trainable = loraArrays(this.host.sites, this.host.rank, this.host.random.fork('init', task.index));
    const kept = (input: string) => this.frozen[`basis.${input}`];
    this.trainable = await startAdapter(this.host, task, this.options.start, this.trainable, kept);
  }

  adapt(site: Site, x: tf.Tensor3D, { params }: Scope): tf.Tensor3D | null {
    const [own, old] = [loraNames(site), loraNames(site, OLD)];
    const [a, b, learnedA, learnedB] = [params[own.a], params[own.b], params[old.a], params[old.b]];
    if (!a) return learnedA ? loraDelta(x, learnedA, learnedB!, this.host.scale) : null;
    const basis = params[this.basisOf(site)] as tf.Tensor2D | undefined;
    const free = basis ? a.sub(tf.matMul(basis, tf.matMul(basis, a as tf.Tensor2D, true, false))) : a; // (I - M M^T) A, (in, rank)
    if (!learnedA) return loraDelta(x, free, b!, this.host.scale);
    return loraDelta(x, tf.concat([learnedA, free], 1), tf.concat([learnedB!, b!], 0), this.host.scale);
  }

  async end(task: TaskView): Promise<void> {
    const inputs: Record<string, string> = {};
    const bases: Record<string, NdArray> = {};
    for await (const { name, readers, moment } of siteInputs(this.host, task, this.options.rows)) {
      for (const site of readers) inputs[site.name] = name;
      bases[`basis.${name}`] = extendBasis(this.frozen[`basis.${name}`], moment, this.options.threshold);
    }
    this.frozen = { ...this.learned(), ...bases };
    this.inputs = inputs;
    this.trainable = {};
  }

  save(): LearnerState {
    return { trainable: this.trainable, frozen: this.frozen, stored: {}, json: this.inputs };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
    this.frozen = state.frozen;
    this.inputs = state.json as Readonly<Record<string, string>>;
  }

  adapter(): Adapter {
    return loraAdapter(this.host.sites, this.learned(), this.host.scale, OLD);
  }

  report(): readonly ReportTable[] {
    const inputs = [...new Set(Object.values(this.inputs))];
    return [{
      title: 'Directions of inputs that are taken', rows: { title: 'input', names: inputs },
      columns: { title: 'directions', names: ['taken', 'of'] }, cells: inputs.map((input) => this.frozen[`basis.${input}`]!.shape.toReversed()),
    }];
  }

  private basisOf({ name }: Site): string {
    return `basis.${this.inputs[name]}`;
  }

  /** All adapters side by side, the one that trains among them as it acts: with (I - M M^T) A. */
  private learned(): Arrays {
    const { sites } = this.host;
    if (Object.keys(this.trainable).length === 0) return this.frozen;
    const own = Object.fromEntries(sites.flatMap((site): [string, NdArray][] => {
      const { a, b } = loraNames(site);
      return [[a, outside(this.trainable[a]!, this.frozen[this.basisOf(site)])], [b, this.trainable[b]!]];
    }));
    return loraBeside(sites, this.frozen, own, OLD);
  }
}

/** (I - M M^T) A. */
function outside(a: NdArray, basis: NdArray | undefined): NdArray {
  if (!basis) return a;
  const inside = product(basis, product(transposed(basis), a)).data;
  return { shape: a.shape, data: a.data.map((v, i) => v - inside[i]!) };
}

const method: Method = { create: (host, options) => new Gpm(host, options as unknown as Options) };
export default method;
