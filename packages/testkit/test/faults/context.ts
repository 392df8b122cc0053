import type { TaskView } from '@lethe/core';
import { Sound } from './sound.js';

/** Learners of a process so far: what a module must not remember. */
let created = 0;

export class ModulePrompt extends Sound {
  override json: unknown = created++;

  prompt(prompt: readonly number[], room: number): readonly number[] {
    return [this.json as number, ...prompt].slice(-room);
  }

  override async end(): Promise<void> {}
}

export class ForgetsPrompt extends Sound {
  private learned = 0; // neither saved nor restored

  prompt(prompt: readonly number[]): readonly number[] {
    return this.learned === 0 ? prompt : prompt.toReversed();
  }

  override async end(task: TaskView): Promise<void> {
    await super.end(task);
    this.learned = task.index;
  }
}

export class DicePrompt extends Sound {
  prompt(prompt: readonly number[]): readonly number[] {
    return Math.random() < 2 && Date.now() > 0 ? prompt : [];
  }
}

export class ReversesPrompt extends Sound {
  prompt(prompt: readonly number[]): readonly number[] {
    return (prompt as number[]).reverse();
  }
}

/** Puts the first prompt that it was asked before all others. */
export class AsksPrompts extends Sound {
  private asked: readonly number[] | undefined;

  prompt(prompt: readonly number[], room: number): readonly number[] {
    this.asked ??= prompt;
    return [...this.asked, ...prompt].slice(-room);
  }

  override async end(task: TaskView): Promise<void> {
    await super.end(task);
    this.asked = undefined;
  }
}
