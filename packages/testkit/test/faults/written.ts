import type { Row, TaskView } from '@lethe/core';
import { KeepsTokens } from './declared.js';
import { Sound } from './sound.js';

/** Sound too: from the second task on it trains on rows that the model has written, beside those of the task. */
export class WritesRows extends Sound {
  protected written: readonly Row[] = [];

  override async begin(task: TaskView): Promise<void> {
    this.written = [];
    if (task.index === 1) return;
    const draw = { random: this.host.random.fork('write', task.index) };
    const texts = await this.host.generate(task, Array.from({ length: 8 }, () => [this.host.endOfText]), { maxTokens: 3, draw });
    this.written = texts.map(({ tokens }) => ({ prompt: [this.host.endOfText, ...tokens], answer: [1] }));
  }

  batch(drawn: readonly Row[]): readonly Row[] {
    return [...drawn.slice(this.written.length), ...this.written];
  }
}

/** Goes on with what it has written before earlier tasks, which no state holds. */
export class HoardsRows extends WritesRows {
  override async begin(task: TaskView): Promise<void> {
    const before = this.written;
    await super.begin(task);
    this.written = [...before, ...this.written].slice(0, 12);
  }
}

export class WritesLongRows extends WritesRows {
  override batch(drawn: readonly Row[]): readonly Row[] {
    return drawn.map(() => ({ prompt: Array.from({ length: this.host.room }, () => 1), answer: [1] }));
  }
}

/** Keeps rows, as its manifest says, and makes others of them. */
export class MakesOfKept extends KeepsTokens {
  batch(drawn: readonly Row[]): readonly Row[] {
    return drawn.map((row) => ({ ...row }));
  }
}
