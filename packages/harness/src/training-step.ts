import { type Tensors, type TrainingBudget, checkPenalty } from '@lethe/core';
import type { Device, Program } from '@lethe/engine';
import * as tf from '@tensorflow/tfjs';
import { type BatchShape, batchInputs } from './batch.js';
import { type Forward, taskLoss } from './loss.js';
import { optimizerInputs, optimizerStep } from './optimizer.js';
import { arrayInputs, arrayTensors } from './scope.js';
import { keptInputs, transformed } from './step-gradients.js';

/** Prefix of the program inputs that hold the learner's frozen arrays. */
export const FROZEN = 'frozen.';

/** What one optimizer step is compiled for. */
export interface TrainingStep {
  readonly device: Device;
  readonly forward: Forward;
  readonly budget: TrainingBudget;
}

/**
 * Compiles one optimizer step: forward, gradients, what the method makes of them, clipping and update are one graph. Inputs are the packed batch (with the task of
 * its rows for a learner that is told, and {@link keptInputs}), the learner's frozen arrays under {@link FROZEN}, and those of {@link optimizerInputs} for its
 * trainable ones. Outputs are the next `flat`, `m` and `v`, and `loss` (with the method's penalty) and `task` (without it), each of shape [1].
 */
export function compileTrainingStep({ device, forward, budget }: TrainingStep, shape: BatchShape): Promise<Program> {
  const { learner, model } = forward;
  const { trainable, frozen } = learner;
  return device.compile({
    name: 'train-step',
    inputs: {
      ...batchInputs(shape, true, forward.told ?? false), ...keptInputs(learner, shape), ...arrayInputs(frozen, FROZEN), ...optimizerInputs(trainable),
    },
    constants: model.weights,
    compute: (inputs, weights) => {
      let task: tf.Scalar | undefined;
      const arrays = (parts: Tensors) => ({ ...arrayTensors(frozen, FROZEN, inputs), ...parts });
      const transform = learner.transformGradients && ((found: Tensors, parts: Tensors) => transformed(forward, inputs, weights, arrays(parts), found));
      const step = optimizerStep(inputs, trainable, budget, (parts) => {
        const { loss, scope } = taskLoss(forward, inputs, weights, arrays(parts));
        const penalty = learner.penalty ? checkPenalty(learner.penalty(scope)) : null;
        if (penalty === null) return loss;
        // the tape frees what it does not give back
        task = tf.keep(loss);
        return loss.add(penalty);
      }, transform);
      const shown = task?.reshape([1]) ?? step.loss;
      task?.dispose();
      return { ...step, task: shown };
    },
  });
}
