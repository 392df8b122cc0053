import type { Arrays, TrainingBudget } from '@lethe/core';
import { LetheError, rowChoice } from '@lethe/core';
import { unflatten } from './flat.js';
import { roomBehind } from './length.js';
import { type SteppedTask, Stepper } from './stepper.js';

export interface TrainingTask extends SteppedTask {
  /** Whether the method may make rows (capability `pseudoRehearsal`). */
  readonly makesRows: boolean;
  /** For messages: the method and the task. */
  readonly name: string;
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
 * Trains the learner's `trainable` arrays on the rows of one task, and lets its `running` ones run, in place: AdamW, a rate that rises and then follows its
 * schedule, gradients clipped by their global norm, rows shuffled anew each epoch.
 *
 * @returns the number of tokens read, padding not counted
 * @throws LETHE_ENGINE_NUMBERS for a loss that is not finite, LETHE_RUN_STOPPED when asked to stop, LETHE_METHOD_FAILED
 * for rows of a step that it may not choose or make, arrays of a step that do not fit, and arrays that are others in the end
 */
export async function trainTask(task: TrainingTask): Promise<{ tokens: number }> {
  const { budget, rows, forward: { learner, model } } = task;
  const total = stepsFor(rows.length, budget);
  const made = task.makesRows ? { room: roomBehind(learner.virtualTokens, budget, model), vocabulary: model.config.vocabSize } : null;
  const choose = rowChoice(learner, rows, made);
  const arrays = learner.trainable;
  const stepper = new Stepper(task, total);
  let [tokens, step] = [0, 0];
  try {
    for (let epoch = 0; epoch < budget.epochs; epoch++) {
      const shuffled = task.random.fork('shuffle', epoch).shuffle(rows);
      for (let at = 0; at < shuffled.length; at += budget.batch) {
        if (task.stop()) throw new LetheError('LETHE_RUN_STOPPED', `Stopped at step ${step} of ${total} of ${task.name}.`);
        step++;
        const taken = await stepper.take(choose(shuffled.slice(at, at + budget.batch), step), step);
        if (!Number.isFinite(taken.loss)) {
          throw new LetheError('LETHE_ENGINE_NUMBERS', `The loss of ${task.name} is ${taken.loss} at step ${step} of ${total}.`, {
            where: task.name, remedy: 'Lower the learning rate of the suite, or look for a division or logarithm of zero in the method.',
          });
        }
        tokens += taken.tokens;
        task.onStep(step, total, taken.task);
      }
    }
  } finally {
    await stepper.dispose();
  }
  checkSameArrays(arrays, task);
  unflatten(stepper.values, arrays);
  for (const [name, { data }] of Object.entries(learner.running ?? {})) data.set(stepper.run(name));
  return { tokens };
}
