import {
  type Adapter, type Arrays, type Learner, type LearnerState, type Method, type MethodHost, type NdArray, product, type ReportTable, type Scope,
  type Site, type TaskView,
} from '@lethe/core';
import { type Start, linear, loraArrays, loraBeside, loraJoined, loraNames, loraSumAdapter, startAdapter } from '@lethe/core/tensor';
import type * as tf from '@tensorflow/tfjs';

interface Options {
  readonly magnitude: number;
  readonly start: Start;
}

const OLD = 'old';
const magnitudesOf = (site: Site): string => `magnitude.${site.name}`;

/**
 * SD-LoRA (Wu et al. 2025, arXiv 2501.13198). The update of a site is a sum over tasks of a magnitude times a direction of unit
 * Frobenius norm:
 *   delta(x) = scale * ( sum_{k<t} m_k x A_k B_k / ||A_k B_k||_F  +  m_t x A_t B_t )
 * While task t is learned A_t, B_t and all magnitudes m_1 … m_t train; earlier directions are frozen. The new direction is
 * normalised when it is frozen, since it starts at zero, and its magnitude takes over its norm: the function stays the same.
 */
class SdLora implements Learner {
  /** `lora.SITE.A` (in, rank), `lora.SITE.B` (rank, out) of the task at hand; `magnitude.SITE` (tasks). */
  trainable: Arrays = {};
  /** Earlier directions side by side: `old.SITE.A` (in, rank * (tasks - 1)), `old.SITE.B` (rank * (tasks - 1), out). */
  frozen: Arrays = {};

  constructor(
    private readonly host: MethodHost,
    private readonly options: Options,
  ) {}

  async begin(task: TaskView): Promise<void> {
    const { sites, rank, random } = this.host;
    const own = this.trainable;
    const trainable: Record<string, NdArray> = { ...loraArrays(sites, rank, random.fork('init', task.index)) };
    const directions: Record<string, NdArray> = {};
    for (const site of sites) {
      let earlier: readonly number[] = [];
      if (task.index > 1) {
        const { a, b } = loraNames(site);
        const norm = frobenius(product(own[a]!, own[b]!));
        const magnitudes = [...own[magnitudesOf(site)]!.data];
        earlier = [...magnitudes.slice(0, -1), magnitudes.at(-1)! * norm];
        directions[a] = own[a]!;
        directions[b] = { shape: own[b]!.shape, data: own[b]!.data.map((v) => (norm > 0 ? v / norm : 0)) };
      }
      trainable[magnitudesOf(site)] = { shape: [task.index], data: Float32Array.of(...earlier, this.options.magnitude) };
    }
    if (task.index > 1) this.frozen = loraBeside(sites, this.frozen, directions, OLD);
    this.trainable = trainable;
    this.trainable = await startAdapter(this.host, task, this.options.start, trainable);
  }

  adapt(site: Site, x: tf.Tensor3D, { params }: Scope): tf.Tensor3D {
    const { a, b } = loraJoined(site, params, OLD); // (in, rank * tasks), (rank * tasks, out)
    const magnitudes = params[magnitudesOf(site)]!.expandDims(1).tile([1, this.host.rank]).reshape([-1]); // (rank * tasks)
    return linear(linear(x, a).mul(magnitudes.mul(this.host.scale)), b);
  }

  end(): void {}

  /** All directions side by side, each row of B times the magnitude of its task. */
  adapter(): Adapter {
    const { sites, rank, scale } = this.host;
    const directions = loraSumAdapter(sites, this.frozen, this.trainable, scale, OLD);
    return Object.fromEntries(sites.map((site) => {
      const { a, b } = directions[site.name]!;
      const magnitudes = this.trainable[magnitudesOf(site)]!.data;
      const data = b.data.map((v, i) => v * magnitudes[Math.floor(i / (rank * site.out))]!);
      return [site.name, { a, b: { shape: b.shape, data }, scale }];
    }));
  }

  save(): LearnerState {
    return { trainable: this.trainable, frozen: this.frozen, stored: {}, json: null };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
    this.frozen = state.frozen;
  }

  /** The magnitude of every task's direction, the mean over sites; the last is that of a direction not normalised yet. */
  report(): readonly ReportTable[] {
    const all = this.host.sites.map((site) => this.trainable[magnitudesOf(site)]!.data);
    const means = [...all[0]!].map((_, k): [number] => [all.reduce((sum, m) => sum + m[k]!, 0) / all.length]);
    return [{
      title: 'Magnitudes', rows: { title: 'task', names: means.map((_, k) => String(k + 1)) }, columns: { title: 'of its direction', names: ['mean over sites'] },
      cells: means,
    }];
  }
}

const frobenius = ({ data }: NdArray): number => Math.sqrt(data.reduce((sum, v) => sum + v * v, 0));

const method: Method = { create: (host, options) => new SdLora(host, options as unknown as Options) };
export default method;
