import { type LearnerState, type ReportTable, type Row, type Scope, type Site, type TaskView, zeros } from '@lethe/core';
import * as tf from '@tensorflow/tfjs';
import { Sound, adapterB } from './sound.js';

/** Reads the task of a row. */
export class AsksTask extends Sound {
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    return super.adapt(site, x, scope).mul(scope.task().greater(0).cast('float32').reshape([-1, 1, 1]));
  }
}

export class KeepsTokens extends Sound {
  rows: readonly Row[] = [];

  override async end(task: TaskView): Promise<void> {
    await super.end(task);
    this.rows = [...this.rows, ...this.host.rows(task).slice(0, 2)];
  }

  override save(): LearnerState {
    return { ...super.save(), rows: this.rows };
  }

  override restore(state: LearnerState): void {
    super.restore(state);
    this.rows = state.rows ?? [];
  }
}

/** Does both, as its manifest may say. */
export class KeepsAndAsks extends KeepsTokens {
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    return super.adapt(site, x, scope).mul(scope.task().greater(0).cast('float32').reshape([-1, 1, 1]));
  }
}

export class ChoosesRows extends Sound {
  batch(drawn: readonly Row[]): readonly Row[] {
    return drawn;
  }
}

export class TakesFewerRows extends KeepsTokens {
  batch(drawn: readonly Row[]): readonly Row[] {
    return drawn.slice(1);
  }
}

export class WritesTooMuch extends Sound {
  prompt(prompt: readonly number[], room: number): readonly number[] {
    return [...Array.from({ length: room }, () => 1), ...prompt];
  }
}

export class GrowsInSecret extends Sound {
  override async end(task: TaskView): Promise<void> {
    await super.end(task);
    this.stored = { ...this.stored, [`statistics.${task.index}`]: zeros([8]) };
  }
}

/** Keeps directions of a space that the second task fills. */
export class FillsUp extends Sound {
  override async end(task: TaskView): Promise<void> {
    await super.end(task);
    this.stored = { directions: zeros([8, Math.min(8, 5 * task.index)]) };
  }
}

export class GrowsTooFast extends Sound {
  override async end(task: TaskView): Promise<void> {
    await super.end(task);
    this.stored = { ...this.stored, [`pairs.${task.index}`]: zeros([1000 * task.index ** 2]) };
  }
}

export class AddsAnAdapterEach extends Sound {
  override async end(task: TaskView): Promise<void> {
    await super.end(task);
    const size = 2 * Object.values(this.trainable).reduce((sum, { data }) => sum + data.length, 0);
    this.stored = { ...this.stored, [`adapter.${task.index}`]: zeros([task.index === 1 ? 0 : size]) };
  }
}

export class KeepsRows extends Sound {
  override async begin(task: TaskView): Promise<void> {
    const { data } = await this.host.features(task, 2);
    this.stored = { ...this.stored, [`examples.${task.index}`]: { shape: [data.length], data } };
  }
}

/** Rows as columns, of unit length. */
export class KeepsScaledRows extends Sound {
  override async begin(task: TaskView): Promise<void> {
    const { data, shape } = await this.host.features(task, 2);
    const [rows, size] = shape as [number, number];
    const length = Array.from({ length: rows }, (_, r) => Math.hypot(...data.subarray(r * size, (r + 1) * size)));
    const columns = Float32Array.from({ length: rows * size }, (_, i) => data[(i % rows) * size + Math.floor(i / rows)]! / length[i % rows]!);
    this.stored = { ...this.stored, [`directions.${task.index}`]: { shape: [size, rows], data: columns } };
  }
}

export class HidesBytes extends Sound {
  override async end(task: TaskView): Promise<void> {
    await super.end(task);
    this.json = { tasks: task.index, memory: [...adapterB(this)[1].data] };
  }
}

export class SavesMap extends Sound {
  override async end(task: TaskView): Promise<void> {
    await super.end(task);
    this.json = new Map([['tasks', task.index]]);
  }
}

export class ReportsNothing extends Sound {
  report(): readonly ReportTable[] {
    return [tableOf([[0 / 0]])];
  }
}

export class ReportsRagged extends Sound {
  report(): readonly ReportTable[] {
    return [tableOf([[1, 2]])];
  }
}

const tableOf = (cells: number[][]): ReportTable =>
  ({ title: 'overlap', rows: { title: 'task', names: ['1'] }, columns: { title: 'task', names: ['1'] }, cells });
