import { type Arrays, type Tensors, type TrainingBudget, checkPenalty } from '@lethe/core';
import type { Device, Program } from '@lethe/engine';
import * as tf from '@tensorflow/tfjs';
import { type BatchShape, batchInputs } from './batch.js';
import { type Forward, taskLoss } from './loss.js';
import { optimizerInputs, optimizerStep } from './optimizer.js';
import { arrayInputs, arrayTensors } from './scope.js';
import { keptInputs, madeOf } from './step-gradients.js';

/** Prefix of the program inputs that hold the learner's frozen arrays. */
export const FROZEN = 'frozen.';
/** Prefix of the inputs that hold its running arrays, and of the outputs with their next values. */
export const RUNNING = 'running.';
/** Prefix of the inputs that hold what a step alone reads. */
export const STEP = 'step.';

/** What one optimizer step is compiled for. */
export interface TrainingStep {
  readonly device: Device;
  readonly forward: Forward;
  readonly budget: TrainingBudget;
}

/**
 * Compiles one optimizer step: forward, gradients, what the method makes of them, clipping and update are one graph. Inputs are the packed batch (with the task of
 * its rows for a learner that is told, and {@link keptInputs}), the learner's frozen arrays under {@link FROZEN}, its running ones under {@link RUNNING}, those of
 * the step under {@link STEP}, and those of {@link optimizerInputs} for its trainable ones. Outputs are the next `flat`, `m` and `v`, the next values of running
 * arrays, and `loss` (with the method's penalty) and `task` (without it), each of shape [1].
 *
 * @param own arrays of the shapes that those of the step have
 */
export function compileTrainingStep({ device, forward, budget }: TrainingStep, shape: BatchShape, own: Arrays = {}): Promise<Program> {
  const { learner, model } = forward;
  const { trainable, frozen, running = {} } = learner;
  return device.compile({
    name: 'train-step',
    inputs: {
      ...batchInputs(shape, true, forward.told ?? false), ...keptInputs(learner, shape), ...arrayInputs(frozen, FROZEN), ...arrayInputs(running, RUNNING),
      ...arrayInputs(own, STEP), ...optimizerInputs(trainable),
    },
    constants: model.weights,
    compute: (inputs, weights) => {
      let task: tf.Scalar | undefined;
      let next: Tensors = {};
      const arrays = (parts: Tensors) => ({
        ...arrayTensors(frozen, FROZEN, inputs), ...arrayTensors(running, RUNNING, inputs), ...arrayTensors(own, STEP, inputs), ...parts,
      });
      const step = optimizerStep(inputs, trainable, budget, (parts) => {
        const { loss, scope } = taskLoss(forward, inputs, weights, arrays(parts));
        const penalty = learner.penalty ? checkPenalty(learner.penalty(scope)) : null;
        if (penalty === null) return loss;
        // the tape frees what it does not give back
        task = tf.keep(loss);
        return loss.add(penalty);
      }, (found, parts) => {
        const made = madeOf(forward, inputs, weights, arrays(parts), found);
        next = Object.fromEntries(Object.entries(made.running).map(([name, value]) => [RUNNING + name, value]));
        return made.taken;
      });
      const shown = task?.reshape([1]) ?? step.loss;
      task?.dispose();
      return { ...step, ...next, task: shown };
    },
  });
}
