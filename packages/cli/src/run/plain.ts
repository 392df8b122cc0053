import type { RunEvent } from '@lethe/core';
import { type Progress, scoreList, timeLeft } from './progress.js';

/** At most one line in so many ms says how a step goes on. */
const QUIET = 5000;

/** Progress as lines: one a finished step, and now and then one for what is at work. For logs, pipes and CI. */
export class PlainProgress implements Progress {
  private last = -Infinity;
  private readonly steps = new Map<number, { readonly of: number; task: string | null; step: number }>();

  /**
   * @param labels what to call each run
   * @param left seconds to go
   */
  constructor(
    private readonly write: (line: string) => void,
    private readonly labels: readonly string[],
    private readonly left: () => number | null,
  ) {}

  hear(event: RunEvent, index: number): void {
    if (event.type === 'run-started') this.steps.set(index, { of: event.steps - 1, task: null, step: 0 });
    const run = this.steps.get(index);
    if (!run) return;
    if (event.type === 'step-started') Object.assign(run, { task: event.task, step: event.step });
    const place = run.step === 0 ? 'base model' : `${run.step}/${run.of} ${run.task}`;
    const label = `${this.labels[index]}  ${place}`;
    if (event.type === 'step-finished') {
      const done = event.scores.some((score) => score !== null) ? `scores ${scoreList(event.scores)}` : 'trained';
      this.line(`${label}  ${done}${event.reused ? '  (already there)' : ''}${timeLeft(this.left())}`);
      return;
    }
    const now = performance.now();
    if (now - this.last < QUIET) return;
    if (event.type === 'train-progress') {
      this.line(`${label}  step ${event.done}/${event.total}  loss ${event.loss.toFixed(3)}${timeLeft(this.left())}`);
    } else if (event.type === 'score-progress') {
      this.line(`${label}  scored ${event.done}/${event.total}${timeLeft(this.left())}`);
    }
  }

  ended(index: number): void {
    this.steps.delete(index);
  }

  line(text: string): void {
    this.last = performance.now();
    this.write(text);
  }

  close(): void {
    // every line is complete already
  }
}
