import { type Arrays, type Learner, type LearnerState, type MethodHost, type NdArray, type Scope, type TaskView, below } from '@lethe/core';
import * as tf from '@tensorflow/tfjs';

const TOKENS = 2;

/** A sound method of virtual tokens: a prompt a task, behind those of earlier tasks, which stay as they are. */
export class SoundPrompts implements Learner {
  trainable: Arrays = {};
  frozen: Arrays = {};

  constructor(protected readonly host: MethodHost) {}

  get virtualTokens(): number {
    return [this.frozen['earlier'], this.trainable['prompt']].reduce((sum, prompt) => sum + (prompt?.shape[0] ?? 0), 0);
  }

  async begin({ index }: TaskView): Promise<void> {
    const { earlier } = this.frozen;
    if (index > 1) this.frozen = { earlier: below(earlier, this.trainable['prompt']!) };
    this.trainable = { prompt: await this.host.embeddings(TOKENS, this.host.random.fork('prompt', index)) };
  }

  prefix({ params, batch }: Scope): tf.Tensor3D {
    const prompts = params['earlier'] ? tf.concat([params['earlier'], params['prompt']!], 0) : params['prompt']!; // (virtual, width)
    return tf.tile(prompts.expandDims(0), [batch, 1, 1]);
  }

  adapt(): null {
    return null;
  }

  async end(_task: TaskView): Promise<void> {}

  save(): LearnerState {
    return { trainable: this.trainable, frozen: this.frozen, stored: {}, json: null };
  }

  restore({ trainable, frozen }: LearnerState): void {
    Object.assign(this, { trainable, frozen });
  }
}

export class MoreThanItSays extends SoundPrompts {
  override prefix(scope: Scope): tf.Tensor3D {
    return tf.tile(super.prefix(scope), [1, 2, 1]);
  }
}

/** Puts the prompts of other tasks out of the way, by the task of the row. */
export class TaskPrompt extends SoundPrompts {
  override prefix(scope: Scope): tf.Tensor3D {
    return super.prefix(scope).mul(scope.task().greater(0).cast('float32').reshape([-1, 1, 1]));
  }
}

/** Holds the prompts back for the first batch that it is asked. */
export class PromptPerAsking extends SoundPrompts {
  private asked = 0;

  override prefix(scope: Scope): tf.Tensor3D {
    if (!scope.training) this.asked++;
    return super.prefix(scope).mul(!scope.training && this.asked === 1 ? 0.5 : 1);
  }

  override async begin(task: TaskView): Promise<void> {
    await super.begin(task);
    this.asked = 1;
  }

  override async end(): Promise<void> {
    this.asked = 0;
  }
}

/** Chooses prompts for the batch as a whole. */
export class MeanPrompt extends SoundPrompts {
  override prefix(scope: Scope): tf.Tensor3D {
    return super.prefix(scope).mul(scope.features().mean());
  }
}

/** The prompt that trains is one of the frozen arrays too. */
export class ThawedPrompts extends SoundPrompts {
  override async begin(task: TaskView): Promise<void> {
    await super.begin(task);
    this.frozen = { ...this.frozen, snapshot: this.trainable['prompt']! };
  }
}

/** Twice as many virtual tokens with every task. */
export class GrowingPrompts extends SoundPrompts {
  override async end({ index }: TaskView): Promise<void> {
    const double = (array: NdArray): NdArray => (index > 1 ? below(array, array) : array);
    this.frozen = Object.fromEntries(Object.entries(this.frozen).map(([name, array]) => [name, double(array)]));
  }
}
