import {
  type Arrays, below, type Learner, type LearnerState, type Method, type MethodHost, type NdArray, type Scope, type TaskView,
} from '@lethe/core';
import * as tf from '@tensorflow/tfjs';

interface Options {
  readonly tokens: number;
  readonly gain: number;
}

/**
 * Progressive Prompts (Razdaibiedina et al. 2023, arXiv 2301.12314): task k trains a prompt P_k (tokens, width) and nothing else. It
 * stands before the prompts of earlier tasks, which are frozen, and these before the text x:
 *   L(P_k) = -sum log p(y | [P_k, ..., P_1, x])
 * The optimizer sees P_k / gain. Every row is answered behind all prompts learned so far, since no row's task is known.
 */
class ProgPrompt implements Learner {
  /** `prompt`: P_k / gain, (tokens, width). */
  trainable: Arrays = {};
  /** `earlier`: P_(k-1), ..., P_1, ((k - 1) * tokens, width). */
  frozen: Arrays = {};

  constructor(private readonly host: MethodHost, private readonly options: Options) {}

  get virtualTokens(): number {
    return [this.trainable['prompt'], this.frozen['earlier']].reduce((sum, prompts) => sum + (prompts?.shape[0] ?? 0), 0);
  }

  /** Freezes the prompt of the task before, and begins a new one at the embeddings of tokens drawn from the vocabulary. */
  async begin(task: TaskView): Promise<void> {
    const { tokens, gain } = this.options;
    const { prompt } = this.trainable;
    const { earlier } = this.frozen;
    if (prompt) this.frozen = { earlier: earlier ? below(times(prompt, gain), earlier) : times(prompt, gain) };
    this.trainable = { prompt: times(await this.host.embeddings(tokens, this.host.random.fork('prompt', task.index)), 1 / gain) };
  }

  prefix({ params, batch }: Scope): tf.Tensor3D {
    const own = params['prompt']!.mul(this.options.gain);
    const prompts = params['earlier'] ? tf.concat([own, params['earlier']], 0) : own; // (k * tokens, width)
    return tf.tile(prompts.expandDims(0), [batch, 1, 1]) as tf.Tensor3D;
  }

  adapt(): null {
    return null;
  }

  end(): void {}

  save(): LearnerState {
    return { trainable: this.trainable, frozen: this.frozen, stored: {}, json: null };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
    this.frozen = state.frozen;
  }
}

const times = ({ shape, data }: NdArray, factor: number): NdArray => ({ shape, data: data.map((value) => value * factor) });

const method: Method = { create: (host, options) => new ProgPrompt(host, options as unknown as Options) };
export default method;
