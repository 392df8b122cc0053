import {
  type Adapter, type Arrays, type Learner, type LearnerState, type Method, type MethodHost, product, type ReportTable, type Scope, type Site,
  type TaskView,
} from '@lethe/core';
import { type Start, loraBeside, loraArrays, loraNames, loraSum, loraSumAdapter, startAdapter } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';

interface Options {
  readonly lambda: number;
  readonly start: Start;
}

const OLD = 'old';
/** What the report calls zero: an entry below this share of the largest one of its update. */
const NEGLIGIBLE = 0.01;

/**
 * N-LoRA (Yang et al. 2025, arXiv 2410.10179): one adapter a task, the earlier ones frozen and summed at inference. Two updates
 * collide where both are not zero; sparse updates hardly collide, and updates that do not collide are orthogonal. So
 *   L = L_task + lambda * sum_sites ||A B||_1
 * with A (in, rank) and B (rank, out) of the new task: the l1 norm of the update itself, not of its factors.
 */
class NLora implements Learner {
  trainable: Arrays = {};
  /** Earlier adapters side by side: A (in, rank * tasks), B (rank * tasks, out) for each site. */
  frozen: Arrays = {};

  constructor(
    private readonly host: MethodHost,
    private readonly options: Options,
  ) {}

  async begin(task: TaskView): Promise<void> {
    if (task.index > 1) this.frozen = loraBeside(this.host.sites, this.frozen, this.trainable, OLD);
    this.trainable = loraArrays(this.host.sites, this.host.rank, this.host.random.fork('init', task.index));
    this.trainable = await startAdapter(this.host, task, this.options.start, this.trainable);
  }

  adapt(site: Site, x: tf.Tensor3D, { params }: Scope): tf.Tensor3D {
    return loraSum(site, x, params, OLD, this.host.scale);
  }

  penalty({ params }: Scope): tf.Scalar | null {
    if (this.options.lambda === 0) return null;
    const norms = this.host.sites.map((site) => {
      const { a, b } = loraNames(site);
      return tf.matMul(params[a] as tf.Tensor2D, params[b] as tf.Tensor2D).abs().sum<tf.Scalar>(); // (in, out) to a number
    });
    return tf.addN(norms).mul(this.options.lambda);
  }

  end(): void {}

  adapter(): Adapter {
    return loraSumAdapter(this.host.sites, this.frozen, this.trainable, this.host.scale, OLD);
  }

  save(): LearnerState {
    return { trainable: this.trainable, frozen: this.frozen, stored: {}, json: null };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
    this.frozen = state.frozen;
  }

  /** How sparse the update of the task just learned is: the share of its entries below a hundredth of the largest of its site. */
  report(): readonly ReportTable[] {
    const shares = this.host.sites.map((site): [number] => {
      const { a, b } = loraNames(site);
      const update = product(this.trainable[a]!, this.trainable[b]!).data;
      const largest = update.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
      return [update.filter((v) => Math.abs(v) <= NEGLIGIBLE * largest).length / update.length];
    });
    return [{
      title: 'Sparsity of the last update', unit: 'share of entries', rows: { title: 'site', names: this.host.sites.map(({ name }) => name) },
      columns: { title: 'entries', names: [`below ${NEGLIGIBLE} of the largest`] }, cells: shares, scale: [0, 1],
    }];
  }
}

const method: Method = { create: (host, options) => new NLora(host, options as unknown as Options) };
export default method;
