import type { Adapter, Arrays, Learner, LearnerState, Method, MethodHost, Scope, Site, TaskView } from '@lethe/core';
import { type Start, loraAdapter, loraArrays, loraDelta, loraNames, startAdapter } from '@lethe/core/tensor';
import type { Tensor3D } from '@tensorflow/tfjs';

interface Options {
  readonly start: Start;
}

/** One adapter (Hu et al. 2021, arXiv 2106.09685) trained through all tasks; the forgetting that all others must beat. */
class SequentialLora implements Learner {
  readonly frozen = {};
  trainable: Arrays;

  constructor(
    private readonly host: MethodHost,
    private readonly options: Options,
  ) {
    this.trainable = loraArrays(host.sites, host.rank, host.random.fork('init'));
  }

  async begin(task: TaskView): Promise<void> {
    if (task.index === 1) this.trainable = await startAdapter(this.host, task, this.options.start, this.trainable);
  }

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

const method: Method = { create: (host, options) => new SequentialLora(host, options as unknown as Options) };
export default method;
