import type { RunEvent, SuiteData } from '@lethe/core';
import { type Job, curriculumOf, isScored, stagesOf, stepsFor } from '@lethe/harness';

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
  const stages = stagesOf(job, tasks);
  return [{ train: 0, score }, ...stages.map((stage, i) => {
    const { tasks: trained, epochs } = curriculumOf(stage, training);
    const train = stepsFor(trained.reduce((sum, { train: rows }) => sum + rows.length, 0), { ...training, epochs });
    return { train, score: isScored(job, i + 1, stages.length) ? score : 0 };
  })];
}

/** Seconds that an amount of work took. */
class Rate {
  private seconds = 0;
  amount = 0;

  add(amount: number, seconds: number): void {
    this.amount += amount;
    this.seconds += seconds;
  }

  /** Seconds for one; `otherwise` while nothing has been seen. */
  or(otherwise: number): number {
    return this.amount > 0 ? this.seconds / this.amount : otherwise;
  }
}

/** How fast steps go on: one optimizer step, one scored row, and the rest of a step (compiling, consolidating, writing). */
class Pace {
  readonly train = new Rate();
  readonly score = new Rate();
  readonly rest = new Rate();
}

/** A step at work. */
interface Working {
  readonly step: number;
  /** When the last event was heard, in ms. */
  heard: number;
  train: number;
  score: number;
  rest: number;
}

/** Optimizer steps that must have been seen before an estimate is worth showing. */
const FEW = 8;
const NOTHING: StepWork = { train: 0, score: 0 };

/**
 * How long a benchmark will still take, from how long its work has taken so far. Every method has a pace of its own, because
 * penalties and consolidation differ in cost; until it has been seen, that of all methods together stands for it.
 */
export class Remaining {
  private readonly left: StepWork[][];
  private readonly methods: readonly string[];
  private readonly working = new Map<number, Working>();
  private readonly paces = new Map<string, Pace>();
  private readonly common = new Pace();

  constructor(jobs: readonly Job[], suite: SuiteData, private readonly lanes: number) {
    this.methods = jobs.map(({ identity }) => identity.method.id);
    // the base model is scored once for all
    this.left = jobs.map((job, i) => (i === 0 ? workOf(job, suite) : workOf(job, suite).with(0, NOTHING)));
  }

  private pacesOf(index: number): readonly Pace[] {
    const method = this.methods[index]!;
    const own = this.paces.get(method) ?? new Pace();
    this.paces.set(method, own);
    return [own, this.common];
  }

  /** @param now in ms, from a clock that does not go back */
  hear(event: RunEvent, index: number, now: number): void {
    if (event.type === 'step-started') this.working.set(index, { step: event.step, heard: now, train: 0, score: 0, rest: 0 });
    const at = this.working.get(index);
    if (!at) return;
    const seconds = (now - at.heard) / 1000;
    at.heard = now;
    const kind = event.type === 'train-progress' ? 'train' : event.type === 'score-progress' ? 'score' : null;
    if (kind && 'done' in event) {
      // before the first of its kind there is compiling
      if (at[kind] === 0) at.rest += seconds;
      else for (const pace of this.pacesOf(index)) pace[kind].add(event.done - at[kind], seconds);
      at[kind] = event.done;
    } else if (event.type === 'step-finished') {
      const planned = this.left[index]![event.step]!;
      if (at.train > 0) for (const pace of this.pacesOf(index)) pace.rest.add(1, at.rest + seconds);
      else if (planned.train > 0 && !event.reused) this.forget(this.methods[index]!);
      this.left[index]![event.step] = NOTHING;
      this.working.delete(index);
    }
  }

  /** A run has ended: nothing of it is left. */
  ended(index: number): void {
    this.working.delete(index);
    this.left[index] = [];
  }

  /** A method that trains nothing is scored in no time either, with any seed. */
  private forget(method: string): void {
    this.left.forEach((steps, i) => { if (this.methods[i] === method) this.left[i] = steps.map(() => NOTHING); });
  }

  /** Seconds to go with every lane at work; null until enough of scoring and training has been seen. */
  seconds(): number | null {
    const trains = this.left.some((steps) => steps.some(({ train }) => train > 0));
    if (trains && this.common.train.amount < FEW) return null;
    let total = 0;
    this.left.forEach((steps, index) => {
      const [own, common] = this.pacesOf(index) as [Pace, Pace];
      const pace = (kind: keyof Pace, unknown: number) => own[kind].or(common[kind].or(unknown));
      const at = this.working.get(index);
      steps.forEach((work, step) => {
        const done = at?.step === step ? at : NOTHING;
        if (work.train > 0) total += (work.train - done.train) * pace('train', NaN) + (done.train > 0 ? 0 : pace('rest', 0));
        if (work.score > 0) total += (work.score - done.score) * pace('score', NaN);
      });
    });
    const runs = this.left.filter((steps) => steps.some(({ score }) => score > 0)).length;
    return Number.isNaN(total) ? null : total / Math.max(1, Math.min(this.lanes, runs));
  }
}
