import {
  type Adapter, type Arrays, extendBasis, leadingDirections, type Learner, type LearnerState, type Method, type MethodHost, type NdArray,
  type ReportTable, type Scope, type Site, siteInputs, type TaskView, zeros,
} from '@lethe/core';
import { loraBeside, loraNames, loraSum, loraSumAdapter } from '@lethe/core/tensor';
import type { Tensor3D } from '@tensorflow/tfjs';

interface Options {
  readonly threshold: number;
  readonly rows: number;
}

const OLD = 'old';

/**
 * InfLoRA (Liang and Li 2024, arXiv 2404.00228). Training B (rank, out) alone while A (in, rank) is fixed moves the weights of a
 * site only within the directions that A reads. For task t, A_t is designed from the inputs X_t of the site, before training:
 *   A_t = the rank leading directions of (I - M M^T) X_t^T X_t (I - M M^T)
 * M (in, k) is an orthonormal basis of what the inputs of earlier tasks span, so x A_t vanishes on their inputs (no interference)
 * while A_t reads as much of the new ones as is left. After training, M gains the fewest directions with which it holds
 * `threshold` of the energy of X_t (gradient projection memory). The branches are summed:
 *   delta(x) = scale * sum_t (x A_t) B_t
 */
class InfLora implements Learner {
  /** `lora.SITE.B` of the current task. */
  trainable: Arrays = {};
  /** `lora.SITE.A` of the current task, `old.SITE.A` and `old.SITE.B` of earlier ones side by side. */
  frozen: Arrays = {};
  /** M for every input that sites read, named after the first of its sites. */
  private bases: Record<string, NdArray> = {};

  constructor(
    private readonly host: MethodHost,
    private readonly options: Options,
  ) {}

  async begin(task: TaskView): Promise<void> {
    const { sites, rank } = this.host;
    const old = task.index > 1 ? loraBeside(sites, this.frozen, { ...this.frozen, ...this.trainable }, OLD) : {};
    // A silent branch while the inputs are looked at.
    this.trainable = Object.fromEntries(sites.map((site) => [loraNames(site).b, zeros([rank, site.out])]));
    this.frozen = { ...old, ...Object.fromEntries(sites.map((site) => [loraNames(site).a, zeros([site.in, rank])])) };
    const designed: Record<string, NdArray> = {};
    for await (const { name, readers, moment } of siteInputs(this.host, task, this.options.rows)) {
      const a = leadingDirections(moment, rank, this.bases[name]);
      for (const site of readers) designed[loraNames(site).a] = a;
    }
    this.frozen = { ...old, ...designed };
  }

  adapt(site: Site, x: Tensor3D, { params }: Scope): Tensor3D {
    return loraSum(site, x, params, OLD, this.host.scale);
  }

  async end(task: TaskView): Promise<void> {
    for await (const { name, moment } of siteInputs(this.host, task, this.options.rows)) {
      this.bases[name] = extendBasis(this.bases[name], moment, this.options.threshold);
    }
  }

  adapter(): Adapter {
    return loraSumAdapter(this.host.sites, this.frozen, { ...this.frozen, ...this.trainable }, this.host.scale, OLD);
  }

  save(): LearnerState {
    return { trainable: this.trainable, frozen: this.frozen, stored: this.bases, json: null };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
    this.frozen = state.frozen;
    this.bases = { ...state.stored };
  }

  /** How many directions of each input are taken, of how many there are. */
  report(): readonly ReportTable[] {
    const taken = Object.entries(this.bases);
    return [{
      title: 'Directions of inputs that are taken', rows: { title: 'input', names: taken.map(([name]) => name) },
      columns: { title: 'directions', names: ['taken', 'of'] }, cells: taken.map(([, { shape }]) => [shape[1]!, shape[0]!]),
    }];
  }
}

const method: Method = { create: (host, options) => new InfLora(host, options as unknown as Options) };
export default method;
