import type { TrainingBudget } from '@lethe/core';
import { valueAndGradients } from '@lethe/core/tensor';
import type { Device, Program } from '@lethe/engine';
import * as tf from '@tensorflow/tfjs';
import { type BatchShape, batchInputs } from './batch.js';
import { countOf, slices } from './flat.js';
import { type Forward, taskLoss } from './loss.js';
import { adamW } from './optimizer.js';
import { arrayInputs, arrayTensors } from './scope.js';

/** Prefix of the program inputs that hold the learner's frozen arrays. */
export const FROZEN = 'frozen.';
const SCALAR = { shape: [], dtype: 'float32' } as const;

/** What one optimizer step is compiled for. */
export interface TrainingStep {
  readonly device: Device;
  readonly forward: Forward;
  readonly budget: TrainingBudget;
}

/**
 * Compiles one optimizer step: forward, gradients, clipping and update are one graph. Inputs are the packed batch (with the task of
 * its rows for a learner that is told), the learner's frozen arrays under {@link FROZEN}, the trainable arrays and both moments as flat vectors `flat`, `m` and `v`, and
 * the scalars `rate`, `first` and `second` (bias corrections). Outputs are the next `flat`, `m` and `v`, and `loss` (with the
 * method's penalty) and `task` (without it), each of shape [1].
 */
export function compileTrainingStep({ device, forward, budget }: TrainingStep, shape: BatchShape): Promise<Program> {
  const { learner, model } = forward;
  const { trainable, frozen } = learner;
  const vector = { shape: [countOf(trainable)], dtype: 'float32' } as const;
  return device.compile({
    name: 'train-step',
    inputs: {
      ...batchInputs(shape, true, forward.told ?? false), ...arrayInputs(frozen, FROZEN),
      flat: vector, m: vector, v: vector, rate: SCALAR, first: SCALAR, second: SCALAR,
    },
    constants: model.weights,
    compute: (inputs, weights) => {
      const parts = slices(inputs['flat'] as tf.Tensor1D, trainable);
      const params = { ...arrayTensors(frozen, FROZEN, inputs), ...parts };
      let task: tf.Scalar | undefined;
      const { value, gradients } = valueAndGradients(() => {
        const { loss, scope } = taskLoss(forward, inputs, weights, params);
        const penalty = learner.penalty?.(scope) ?? null;
        if (penalty === null) return loss;
        // the tape frees what it does not give back
        task = tf.keep(loss);
        return loss.add(penalty);
      }, Object.values(parts));
      const gradient = tf.concat(gradients.map((g) => g.reshape([-1])));
      const at = {
        flat: inputs['flat']!, m: inputs['m']!, v: inputs['v']!,
        rate: inputs['rate']!, first: inputs['first']!, second: inputs['second']!,
      };
      const shown = (task ?? value).reshape([1]);
      task?.dispose();
      return { ...adamW(at, gradient, budget), loss: value.reshape([1]), task: shown };
    },
  });
}
