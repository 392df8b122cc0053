import { type Arrays, type Learner, type LearnerState, type Method, type MethodHost, type Scope, type Site, zeros } from '@lethe/core';
import { linear } from '@lethe/core/tensor';
import type { Tensor3D } from '@tensorflow/tfjs';

const nameOf = (site: Site) => `delta.${site.name}`;

/**
 * Sequential fine-tuning of whole matrices: at every site a free change D (in, out), zero at first, so that
 *   h = x (W + D)
 * and the gradient by D is the gradient by W. Nothing protects earlier tasks.
 */
class Full implements Learner {
  readonly frozen = {};
  trainable: Arrays;

  constructor(host: MethodHost) {
    this.trainable = Object.fromEntries(host.sites.map((site) => [nameOf(site), zeros([site.in, site.out])]));
  }

  begin(): void {}

  adapt(site: Site, x: Tensor3D, { params }: Scope): Tensor3D {
    return linear(x, params[nameOf(site)]!); // x D
  }

  end(): void {}

  save(): LearnerState {
    return { trainable: this.trainable, frozen: {}, stored: {}, json: null };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
  }
}

const method: Method = { create: (host) => new Full(host) };
export default method;
