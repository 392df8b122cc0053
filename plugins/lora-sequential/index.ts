import type { Adapter, Arrays, Learner, LearnerState, Method, MethodHost, Scope, Site } from '@lethe/core';
import { loraAdapter, loraArrays, loraDelta, loraNames } from '@lethe/core/tensor';
import type { Tensor3D } from '@tensorflow/tfjs';

/** One adapter (Hu et al. 2021, arXiv 2106.09685) trained through all tasks; the forgetting that all others must beat. */
class SequentialLora implements Learner {
  readonly frozen = {};
  trainable: Arrays;

  constructor(private readonly host: MethodHost) {
    this.trainable = loraArrays(host.sites, host.rank, host.random.fork('init'));
  }

  begin(): void {}

  adapt(site: Site, x: Tensor3D, { params }: Scope): Tensor3D {
    const { a, b } = loraNames(site);
    return loraDelta(x, params[a]!, params[b]!, this.host.scale); // scale (x A) B
  }

  end(): void {}

  adapter(): Adapter {
    return loraAdapter(this.host.sites, this.trainable, this.host.scale);
  }

  save(): LearnerState {
    return { trainable: this.trainable, frozen: {}, stored: {}, json: null };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
  }
}

const method: Method = { create: (host) => new SequentialLora(host) };
export default method;
