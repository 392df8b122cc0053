import { canonicalJson } from '@lethe/core';
import type { Job } from '@lethe/harness';

/**
 * Names for the steps of a job, equal for jobs that share the step: the base model's scores have no method, order or
 * seed, and orders that begin alike share their first steps.
 */
function stepNames({ identity, stream, suite, modelDir, outDir }: Job): string[] {
  const { method, order: { tasks }, seed, training } = identity;
  const base = { suite, modelDir, outDir, tasks: [...tasks].sort(), maxTokens: training.maxTokens };
  const trained = stream === 'joint' ? [tasks] : tasks.map((_, i) => tasks.slice(0, i + 1));
  return [base, ...trained.map((prefix) => ({ ...base, method, seed, training, stream, prefix }))].map(canonicalJson);
}

/**
 * Which job comes next. Jobs are taken in their order, but one waits while another is at work on a step that both need:
 * it will find the step instead of computing it a second time.
 */
export class Schedule {
  private readonly waiting: { readonly index: number; readonly steps: readonly string[] }[];
  /** The steps still ahead of every job at work. */
  private readonly ahead = new Map<number, Set<string>>();
  private readonly steps: readonly (readonly string[])[];

  constructor(jobs: readonly Job[]) {
    this.steps = jobs.map(stepNames);
    this.waiting = this.steps.map((steps, index) => ({ index, steps }));
  }

  /** The index of the next job that can start now; null while all that are left wait for one at work; undefined when none is left. */
  take(): number | null | undefined {
    if (this.waiting.length === 0) return undefined;
    const busy = [...this.ahead.values()];
    const at = this.waiting.findIndex(({ steps }) => !busy.some((set) => steps.some((step) => set.has(step))));
    if (at < 0) return null;
    const { index, steps } = this.waiting.splice(at, 1)[0]!;
    this.ahead.set(index, new Set(steps));
    return index;
  }

  /** A step of a job at work is there now. */
  stepFinished(index: number, step: number): void {
    this.ahead.get(index)?.delete(this.steps[index]![step]!);
  }

  /** A job has ended, well or not. */
  ended(index: number): void {
    this.ahead.delete(index);
  }
}
