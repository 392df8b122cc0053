import type { Adapter, Arrays, Learner, LearnerState, Method, MethodHost, NdArray, Scope, Site, TaskView } from '@lethe/core';
import { type Start, linear, loraAdapter, loraArrays, loraDelta, loraNames, loraProduct, startAdapter } from '@lethe/core/tensor';
import type { Tensor3D } from '@tensorflow/tfjs';

interface Options {
  readonly lambda: number;
  readonly start: Start;
}

const nameOf = (site: Site) => `merged.${site.name}`;

/**
 * MagMax (Marczak et al. 2024, arXiv 2407.06322): weights are fine-tuned on one task after another, and what predicts is the
 * untouched model plus a merge of the task vectors tau_t = theta_t - theta_0, of every parameter the one of largest magnitude:
 *   tau(i) = tau_k(i), k = argmax_t |tau_t(i)|,   theta = theta_0 + lambda * tau
 * Here theta is trained through one adapter, so that tau_t = scale * A_t B_t, (in, out) at each site.
 */
class MagMax implements Learner {
  /** The adapter that goes through all tasks. */
  trainable: Arrays;
  /** tau of the tasks so far, (in, out) at each site: the merge of two merges is the merge of all. */
  frozen: Arrays = {};

  constructor(private readonly host: MethodHost, private readonly options: Options) {
    this.trainable = loraArrays(host.sites, host.rank, host.random.fork('init'));
  }

  async begin(task: TaskView): Promise<void> {
    if (task.index === 1) this.trainable = await startAdapter(this.host, task, this.options.start, this.trainable);
  }

  adapt(site: Site, x: Tensor3D, { params, training }: Scope): Tensor3D {
    const { a, b } = loraNames(site);
    const tau = params[nameOf(site)];
    if (training || !tau) return loraDelta(x, params[a]!, params[b]!, this.host.scale);
    return linear(x, tau).mul(this.options.lambda); // lambda x tau
  }

  end(): void {
    this.frozen = Object.fromEntries(this.host.sites.map((site) => {
      const { a, b } = loraNames(site);
      const vector = loraProduct(this.trainable[a]!, this.trainable[b]!, this.host.scale); // tau_t
      return [nameOf(site), largest(this.frozen[nameOf(site)], vector)];
    }));
  }

  /** lambda (x I) tau: of full rank, since the larger of two updates place by place is of no low one. */
  adapter(): Adapter {
    const { sites, scale } = this.host;
    if (Object.keys(this.frozen).length === 0) return loraAdapter(sites, this.trainable, scale);
    return Object.fromEntries(sites.map((site) => {
      const tau = this.frozen[nameOf(site)]!;
      const [a, b] = site.in <= site.out ? [identity(site.in), tau] : [tau, identity(site.out)];
      return [site.name, { a, b, scale: this.options.lambda }];
    }));
  }

  save(): LearnerState {
    return { trainable: this.trainable, frozen: this.frozen, stored: {}, json: null };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
    this.frozen = state.frozen;
  }
}

const identity = (size: number): NdArray =>
  ({ shape: [size, size], data: Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0)) });

/** Of every place the value of larger magnitude, the earlier one where they are equal. */
function largest(earlier: NdArray | undefined, own: NdArray): NdArray {
  if (!earlier) return own;
  return { shape: own.shape, data: own.data.map((value, i) => (Math.abs(value) > Math.abs(earlier.data[i]!) ? value : earlier.data[i]!)) };
}

const method: Method = { create: (host, options) => new MagMax(host, options as unknown as Options) };
export default method;
