import type { Learner, LearnerState, MethodHost, Row, Scope, Site, TaskView } from '@lethe/core';
import { loraArrays, loraDelta, loraNames } from '@lethe/core/tensor';
import type * as tf from '@tensorflow/tfjs';

/** Sequential low-rank adaptation, to be extended by what a test is about. */
export class Lora implements Learner {
  readonly frozen = {};
  trainable;

  constructor(protected readonly host: MethodHost) {
    this.trainable = loraArrays(host.sites, host.rank, host.random.fork('init'));
  }

  begin(_task: TaskView): void {}

  adapt(site: Site, x: tf.Tensor3D, { params }: Scope): tf.Tensor3D {
    const { a, b } = loraNames(site);
    return loraDelta(x, params[a]!, params[b]!, this.host.scale);
  }

  end(_task: TaskView): void {}

  save(): LearnerState {
    return { trainable: this.trainable, frozen: {}, stored: {}, json: null };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
  }
}

/** Keeps the first rows of every task and trains on nothing else once it has some. */
export class Rehearses extends Lora {
  rows: readonly Row[] = [];
  batch(drawn: readonly Row[]): readonly Row[] {
    return drawn.map((row, i) => this.rows[i % this.rows.length] ?? row);
  }
  override end(task: TaskView): void {
    this.rows = [...this.rows, ...this.host.rows(task).slice(0, 4)];
  }
  override save(): LearnerState {
    return { ...super.save(), rows: this.rows };
  }
  override restore(state: LearnerState): void {
    super.restore(state);
    this.rows = state.rows ?? [];
  }
}
