import { type Arrays, LetheError, type Random, type Row, arraysOfStep } from '@lethe/core';
import type { Program, Values } from '@lethe/engine';
import { type BatchShape, batchFeeds, floats, shapeKey, taskFeeds, tokensOf } from './batch.js';
import { dropoutFeeds } from './dropout.js';
import { OptimizerState } from './optimizer.js';
import { packTraining, trainingShape } from './packing.js';
import { arrayFeeds } from './scope.js';
import { keptFeeds } from './step-gradients.js';
import { FROZEN, RUNNING, STEP, type TrainingStep, compileMicroBatch, compileTrainingStep, compileUpdate } from './training-step.js';

/** The task whose steps are taken. */
export interface SteppedTask extends TrainingStep {
  readonly rows: readonly Row[];
  /** {@link TaskView.index}. */
  readonly index: number;
  /** Decides what is drawn for the task, the order of its rows among it. */
  readonly random: Random;
  /** The stage of a row that the learner keeps. */
  readonly stageOf: (row: Row) => number;
  /** True when training is to stop; asked between optimizer steps, and between the parts of one. */
  readonly stop: () => boolean;
}

/** What one optimizer step was like. */
export interface TakenStep {
  /** The loss that was minimised, and the part of it that is the task's, before the step. */
  readonly loss: number;
  readonly task: number;
  /** Tokens that were read, padding not counted. */
  readonly tokens: number;
}

type Outputs = Readonly<Record<string, Values>>;

/** Some rows of a step as a program takes them. */
interface Packed {
  readonly shape: BatchShape;
  readonly own: Arrays;
  readonly feeds: Readonly<Record<string, Values>>;
  readonly tokens: number;
}

const scalar = (values: Values | undefined): number => floats(values)[0]!;

/**
 * Takes the optimizer steps of a task: a step in one pass over its rows or, where these are more than a micro-batch, in several passes whose gradients are
 * summed, so that no more than a micro-batch of rows is in memory at once.
 */
export class Stepper {
  private readonly optimizer: OptimizerState;
  private readonly programs = new Map<string, Program>();
  private readonly frozen: Outputs;
  private running: Outputs;
  private readonly own: ReadonlySet<Row>;
  private readonly places: ReadonlyMap<Row, number>;
  private readonly readable: readonly Row[];
  /** The arrays that steps had of their own so far, by the number of their rows. */
  private readonly shapes = new Map<number, string>();

  /** @param steps of the whole task */
  constructor(private readonly task: SteppedTask, steps: number) {
    const { rows, budget, forward: { learner } } = task;
    this.optimizer = new OptimizerState(learner.trainable, steps, budget);
    this.frozen = arrayFeeds(learner.frozen, FROZEN);
    this.running = arrayFeeds(learner.running ?? {}, RUNNING);
    this.own = new Set(rows);
    this.places = new Map((learner.rows ?? []).map((row, place) => [row, place]));
    this.readable = [...rows, ...(learner.rows ?? [])];
  }

  /** All trained values as they are now, as one vector. */
  get values(): Float32Array {
    return this.optimizer.values;
  }

  /** The values of a running array as they are now. */
  run(name: string): Float32Array {
    return floats(this.running[RUNNING + name]);
  }

  /**
   * Takes one step on some rows.
   *
   * @throws LETHE_RUN_STOPPED when asked to stop between micro-batches, LETHE_METHOD_FAILED for arrays of the step that do not fit, and for a method that makes something
   * of more than the summed gradients of micro-batches
   */
  async take(rows: readonly Row[], step: number): Promise<TakenStep> {
    const { microBatch = rows.length } = this.task.forward;
    const kept = rows.map((row) => (this.own.has(row) ? -1 : this.places.get(row) ?? -1));
    return rows.length <= microBatch ? this.whole(rows, kept, step) : this.inParts(rows, kept, step, microBatch);
  }

  async dispose(): Promise<void> {
    for (const program of this.programs.values()) await program.dispose();
  }

  private async whole(rows: readonly Row[], kept: readonly number[], step: number): Promise<TakenStep> {
    const { feeds, shape, own, tokens } = this.pack(rows, kept, kept, step, 0);
    const { learner } = this.task.forward;
    const program = await this.program(`whole ${shapeKey(shape)}`, () => compileTrainingStep(this.task, shape, own));
    const out = await program.run({ ...feeds, ...keptFeeds(learner, rows.map((row) => !this.own.has(row))), ...this.optimizer.feeds() });
    this.move(out);
    return { loss: scalar(out['loss']), task: scalar(out['task']), tokens };
  }

  /** The loss is a mean over rows, and so each part counts as much as it has rows; a penalty that does not depend on rows counts once in all. */
  private async inParts(rows: readonly Row[], kept: readonly number[], step: number, size: number): Promise<TakenStep> {
    const { flat, ...others } = this.optimizer.feeds();
    const gradient = new Float32Array(this.values.length);
    const sum = { loss: 0, task: 0, tokens: 0 };
    for (let at = 0; at < rows.length; at += size) {
      if (at > 0 && this.task.stop()) throw new LetheError('LETHE_RUN_STOPPED', `Stopped in the midst of step ${step}.`);
      const part = rows.slice(at, at + size);
      const share = part.length / rows.length;
      const { feeds, shape, own, tokens } = this.pack(part, kept.slice(at, at + size), kept, step, at);
      const program = await this.program(`part ${shapeKey(shape)}`, () => compileMicroBatch(this.task, shape, own));
      const out = await program.run({ ...feeds, flat: flat! });
      const found = floats(out['gradient']);
      for (let i = 0; i < found.length; i++) gradient[i]! += share * found[i]!;
      sum.loss += share * scalar(out['loss']);
      sum.task += share * scalar(out['task']);
      sum.tokens += tokens;
    }
    const update = await this.program(`update ${rows.length}`, () => compileUpdate(this.task, rows.length));
    this.move(await update.run({ ...this.frozen, ...this.running, flat: flat!, ...others, gradient }));
    return sum;
  }

  /** Goes on with what a step gave. */
  private move(out: Outputs): void {
    this.optimizer.take(out);
    this.running = Object.fromEntries(Object.keys(this.running).map((name) => [name, floats(out[name])]));
  }

  /**
   * Rows of a step that are read at once, with all that the pass reads but what trains.
   *
   * @param kept, whole as `stepArrays` gets them
   * @param first the place of the first of them in the step
   */
  private pack(rows: readonly Row[], kept: readonly number[], whole: readonly number[], step: number, first: number): Packed {
    const { forward: { learner, model: { tokenizer }, told = false, dropout }, index, stageOf, random } = this.task;
    // a last step of fewer rows has a program of its own: a penalty that is a mean over rows would count padding among them
    const shape = trainingShape(tokenizer, rows, this.readable, rows.length);
    const own = arraysOfStep(learner, step, kept, whole, this.shapes);
    const packed = packTraining(tokenizer, rows, shape);
    const tasks = told && learner.batch ? rows.map((row) => (this.own.has(row) ? index : stageOf(row))) : index;
    const drawn = dropout ? dropoutFeeds(shape, rows.map((_, i) => random.fork('dropout', step, first + i)), learner.virtualTokens) : {};
    return {
      shape, own, tokens: tokensOf(packed),
      feeds: { ...batchFeeds(packed, true), ...drawn, ...taskFeeds(shape, tasks, told), ...this.frozen, ...this.running, ...arrayFeeds(own, STEP) },
    };
  }

  private async program(key: string, compile: () => Promise<Program>): Promise<Program> {
    const program = this.programs.get(key) ?? await compile();
    this.programs.set(key, program);
    return program;
  }
}
