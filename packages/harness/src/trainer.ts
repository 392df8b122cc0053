import type { Arrays, Random, Row, TrainingBudget } from '@lethe/core';
import { LetheError, arraysOfStep, rowChoice } from '@lethe/core';
import type { Device, Program } from '@lethe/engine';
import { batchFeeds, floats, shapeKey, taskFeeds, tokensOf } from './batch.js';
import { unflatten } from './flat.js';
import type { Forward } from './loss.js';
import { OptimizerState } from './optimizer.js';
import { packTraining, roomFor, trainingShape } from './packing.js';
import { arrayFeeds } from './scope.js';
import { keptFeeds } from './step-gradients.js';
import { FROZEN, RUNNING, STEP, compileTrainingStep } from './training-step.js';

export interface TrainingTask {
  readonly device: Device;
  readonly forward: Forward;
  readonly rows: readonly Row[];
  /** {@link TaskView.index}. */
  readonly index: number;
  /** The stage of a row that the learner keeps. */
  readonly stageOf: (row: Row) => number;
  readonly budget: TrainingBudget;
  /** Whether the method may make rows (capability `pseudoRehearsal`). */
  readonly makesRows: boolean;
  /** Decides the order of the rows. */
  readonly random: Random;
  /** For messages: the method and the task. */
  readonly name: string;
  /** True when training is to stop; asked between optimizer steps. */
  readonly stop: () => boolean;
  readonly onStep: (done: number, total: number, loss: number) => void;
}

/** The number of optimizer steps that a budget allows for this many rows. */
export function stepsFor(rows: number, budget: TrainingBudget): number {
  return Math.ceil(rows / budget.batch) * budget.epochs;
}

/** Throws LETHE_METHOD_FAILED where the learner has other arrays to train than those that were trained. */
function checkSameArrays(trained: Arrays, { forward: { learner }, name }: TrainingTask): void {
  const now = learner.trainable;
  if (Object.keys(now).length === Object.keys(trained).length && Object.entries(trained).every(([key, { data }]) => now[key]?.data === data)) return;
  throw new LetheError('LETHE_METHOD_FAILED', 'The arrays of "trainable" were replaced while they were trained.', {
    where: name, remedy: 'Replace them in begin, end and restore alone, and let begin wait for what it starts.',
  });
}

/**
 * Trains the learner's `trainable` arrays on the rows of one task, and lets its `running` ones run, in place: AdamW, a rate that rises and then follows its schedule, gradients
 * clipped by their global norm, rows shuffled anew each epoch.
 *
 * @returns the number of tokens read, padding not counted
 * @throws LETHE_ENGINE_NUMBERS for a loss that is not finite, LETHE_RUN_STOPPED when asked to stop, LETHE_METHOD_FAILED
 * for rows of a step that it may not choose or make, arrays of a step that do not fit, and arrays that are others in the end
 */
export async function trainTask(task: TrainingTask): Promise<{ tokens: number }> {
  const { budget, rows, forward } = task;
  const { learner } = forward;
  const total = stepsFor(rows.length, budget);
  const { tokenizer, config: { vocabSize: vocabulary } } = forward.model;
  const made = task.makesRows ? { room: roomFor(tokenizer, [], budget.maxTokens, 0), vocabulary } : null;
  const choose = rowChoice(learner, rows, made);
  const own = new Set(rows);
  const places = new Map((learner.rows ?? []).map((row, place) => [row, place]));
  const shapes = new Map<number, string>();
  const told = forward.told ?? false;
  const readable = [...rows, ...(learner.rows ?? [])];
  const programs = new Map<string, Program>();
  const frozen = arrayFeeds(learner.frozen, FROZEN);
  const arrays = learner.trainable;
  const optimizer = new OptimizerState(arrays, total, budget);
  const runs = learner.running ?? {};
  let running = arrayFeeds(runs, RUNNING);
  let tokens = 0;
  let step = 0;
  try {
    for (let epoch = 0; epoch < budget.epochs; epoch++) {
      const shuffled = task.random.fork('shuffle', epoch).shuffle(rows);
      for (let at = 0; at < shuffled.length; at += budget.batch) {
        if (task.stop()) throw new LetheError('LETHE_RUN_STOPPED', `Stopped at step ${step} of ${total} of ${task.name}.`);
        step++;
        const batch = choose(shuffled.slice(at, at + budget.batch), step);
        // a last step of fewer rows has a program of its own: a penalty that is a mean over rows would count padding among them
        const shape = trainingShape(tokenizer, batch, readable, batch.length);
        const kept = batch.map((row) => (own.has(row) ? -1 : places.get(row) ?? -1));
        const stepArrays = arraysOfStep(learner, step, kept, shapes);
        let program = programs.get(shapeKey(shape));
        if (!program) programs.set(shapeKey(shape), (program = await compileTrainingStep(task, shape, stepArrays)));
        const packed = packTraining(tokenizer, batch, shape);
        tokens += tokensOf(packed);
        const tasks = told && learner.batch ? batch.map((row) => (own.has(row) ? task.index : task.stageOf(row))) : task.index;
        const out = await program.run({
          ...batchFeeds(packed, true), ...taskFeeds(shape, tasks, told), ...keptFeeds(learner, batch.map((row) => !own.has(row))), ...frozen,
          ...running, ...arrayFeeds(stepArrays, STEP), ...optimizer.feeds(),
        });
        const loss = floats(out['loss'])[0]!;
        if (!Number.isFinite(loss)) {
          throw new LetheError('LETHE_ENGINE_NUMBERS', `The loss of ${task.name} is ${loss} at step ${step} of ${total}.`, {
            where: task.name, remedy: 'Lower the learning rate of the suite, or look for a division or logarithm of zero in the method.',
          });
        }
        optimizer.take(out);
        running = Object.fromEntries(Object.keys(running).map((name) => [name, floats(out[name])]));
        task.onStep(step, total, floats(out['task'])[0]!);
      }
    }
  } finally {
    for (const program of programs.values()) await program.dispose();
  }
  checkSameArrays(arrays, task);
  unflatten(optimizer.values, arrays);
  for (const [name, { data }] of Object.entries(runs)) data.set(floats(running[RUNNING + name]));
  return { tokens };
}
