import { canonicalJson } from '@lethe/core';
import type { Job } from '@lethe/harness';

/**
 * Names for the steps of a job, equal for jobs that share the step: the base model's scores have no method, order or
 * seed, and orders that begin alike share their first steps.
 */
function stepNames({ identity, stream, suite, modelDir, adapterDir, outDir }: Job): string[] {
  const { method, order: { tasks }, seed, training } = identity;
  const base = { suite, modelDir, adapterDir, outDir, tasks: [...tasks].sort(), maxTokens: training.maxTokens };
  const trained = stream === 'joint' ? [tasks] : tasks.map((_, i) => tasks.slice(0, i + 1));
  return [base, ...trained.map((prefix) => ({ ...base, method, seed, training, stream, prefix }))].map(canonicalJson);
}

/**
 * Which job comes next. Jobs are taken in their order, but one waits while another is at work on a step that both need:
 * it will find the step instead of computing it a second time.
 */
export class Schedule {
  private readonly steps: readonly (readonly string[])[];
  private readonly waiting: number[];
  /** Steps that are there now. */
  private readonly finished = new Set<string>();
  /** The jobs at work. */
  private readonly working = new Set<number>();

  constructor(jobs: readonly Job[]) {
    this.steps = jobs.map(stepNames);
    this.waiting = jobs.map((_, index) => index);
  }

  private ahead(index: number): string[] {
    return this.steps[index]!.filter((step) => !this.finished.has(step));
  }

  /** The index of the next job that can start now; null while all that are left wait for one at work; undefined when none is left. */
  take(): number | null | undefined {
    if (this.waiting.length === 0) return undefined;
    const busy = new Set([...this.working].flatMap((index) => this.ahead(index)));
    const at = this.waiting.findIndex((index) => !this.ahead(index).some((step) => busy.has(step)));
    if (at < 0) return null;
    const [index] = this.waiting.splice(at, 1) as [number];
    this.working.add(index);
    return index;
  }

  /** A step of a job at work is there now. */
  stepFinished(index: number, step: number): void {
    this.finished.add(this.steps[index]![step]!);
  }

  /** A job has ended, well or not. */
  ended(index: number): void {
    this.working.delete(index);
  }
}
