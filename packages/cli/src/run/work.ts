import type { RunEvent, SuiteData, TaskData } from '@lethe/core';
import { type Job, stepsFor } from '@lethe/harness';

/** What one step of a run has to do: optimizer steps, and rows to score. */
export interface StepWork {
  readonly train: number;
  readonly score: number;
}

/** The steps of a job: the base model first, then one for each stage of training. */
export function workOf(job: Job, suite: SuiteData): StepWork[] {
  const { order, training } = job.identity;
  const tasks = order.tasks.map((id) => suite.tasks.find((task) => task.id === id)!);
  const score = [...tasks, ...suite.probes].reduce((sum, { test }) => sum + test.length, 0);
  const rows = (list: readonly TaskData[]) => list.reduce((sum, { train }) => sum + train.length, 0);
  const stages = job.stream === 'joint' ? [rows(tasks)] : tasks.map((task) => rows([task]));
  return [{ train: 0, score }, ...stages.map((count) => ({ train: stepsFor(count, training), score }))];
}

/** Seconds spent on an amount of work. */
class Rate {
  private seconds = 0;
  private amount = 0;

  add(amount: number, seconds: number): void {
    this.amount += amount;
    this.seconds += seconds;
  }

  get known(): number | null {
    return this.amount > 0 ? this.seconds / this.amount : null;
  }
}

interface Running {
  step: number;
  /** When the last event was heard, in ms. */
  heard: number;
  train: number;
  score: number;
}

/**
 * How long a benchmark will still take, from how long its work has taken so far. Optimizer steps have a rate for each
 * method, because penalties differ in cost, and one for all until a method has been seen.
 */
export class Remaining {
  private readonly running = new Map<number, Running>();
  private readonly left: StepWork[][];
  private readonly methodOf: string[];
  private readonly training = new Map<string, Rate>();
  private readonly trainingAll = new Rate();
  private readonly scoring = new Rate();

  constructor(jobs: readonly Job[], suite: SuiteData, private readonly lanes: number) {
    this.left = jobs.map((job) => workOf(job, suite));
    this.methodOf = jobs.map(({ identity }) => identity.method.id);
    // the base model is scored once for all
    this.left.forEach((steps, i) => { if (i > 0) steps[0] = { train: 0, score: 0 }; });
  }

  /** @param now in ms, from a clock that does not go back */
  hear(event: RunEvent, index: number, now: number): void {
    if (event.type === 'step-started') this.running.set(index, { step: event.step, heard: now, train: 0, score: 0 });
    const at = this.running.get(index);
    if (!at) return;
    const seconds = (now - at.heard) / 1000;
    at.heard = now;
    if (event.type === 'train-progress') {
      const method = this.methodOf[index]!;
      const own = this.training.get(method) ?? new Rate();
      this.training.set(method, own);
      for (const rate of [own, this.trainingAll]) rate.add(event.done - at.train, seconds);
      at.train = event.done;
    } else if (event.type === 'score-progress') {
      this.scoring.add(event.done - at.score, seconds);
      at.score = event.done;
    } else if (event.type === 'step-finished') {
      this.left[index]![event.step] = { train: 0, score: 0 };
      this.running.delete(index);
    }
  }

  /** A run has ended: nothing of it is left. A method that trained nothing takes no time with other seeds either. */
  ended(index: number): void {
    const method = this.methodOf[index]!;
    this.running.delete(index);
    this.left[index] = [];
    if (!this.training.has(method)) this.left.forEach((_, other) => { if (this.methodOf[other] === method) this.left[other] = []; });
  }

  /** Seconds to go with every lane at work; null until scoring and training have both been seen. */
  seconds(): number | null {
    const score = this.scoring.known;
    const all = this.trainingAll.known;
    const total = this.left.flatMap((steps, index) => steps.map((work, step) => {
      const at = this.running.get(index);
      const [train, rows] = at?.step === step ? [work.train - at.train, work.score - at.score] : [work.train, work.score];
      const rate = this.training.get(this.methodOf[index]!)?.known ?? all;
      return (train > 0 ? train * (rate ?? NaN) : 0) + (rows > 0 ? rows * (score ?? NaN) : 0);
    })).reduce((sum, value) => sum + value, 0);
    return Number.isNaN(total) ? null : total / Math.min(this.lanes, Math.max(1, this.left.filter((steps) => steps.length > 0).length));
  }
}
