import { type Learner, LetheError, type MadeOfGradients, type Scope, type StepGradients, type Tensors, madeOfGradients } from '@lethe/core';
import { namedGradients, picked } from '@lethe/core/tensor';
import type { TensorSpec, Values } from '@lethe/engine';
import * as tf from '@tensorflow/tfjs';
import { type BatchShape, batchOf } from './batch.js';
import { type Forward, taskLoss } from './loss.js';
import { createScope } from './scope.js';

/** Whether a step is to know which of its rows are kept ones: they can be told apart, and somebody may ask. */
const tellsKept = ({ transformGradients, track, batch }: Learner): boolean => Boolean((transformGradients ?? track) && batch);

/** The input that says which rows of a step are kept ones, where it is asked for. */
export function keptInputs(learner: Learner, { batch }: Pick<BatchShape, 'batch'>): Record<string, TensorSpec> {
  return tellsKept(learner) ? { kept: { shape: [batch], dtype: 'float32' } } : {};
}

/** Values of {@link keptInputs}. */
export function keptFeeds(learner: Learner, kept: readonly boolean[]): Record<string, Values> {
  return tellsKept(learner) ? { kept: Float32Array.from(kept, Number) } : {};
}

/**
 * Traced. What a learner makes of the gradients that were found.
 *
 * @param inputs those of the program that takes the step
 * @param arrays all of the learner's, as tensors, those that train and that run among them
 * @param found of the whole loss, by the names of what trains
 * @throws LETHE_METHOD_FAILED for what is no gradient of every array that trains, no value of every one that runs
 */
export function madeOf(forward: Forward, inputs: Tensors, weights: Tensors, arrays: Tensors, found: Tensors): MadeOfGradients {
  const { learner, model } = forward;
  const batch = batchOf(inputs);
  const size = batch.ids.shape[0];
  const gradients: StepGradients = {
    loss: found,
    of(rows) {
      // a target has its share of 1/rows of the mean over rows, and every row as many places
      const weight = inputs['weight']!.reshape([size, -1]).mul(rows.mul(size).expandDims(1)).reshape([-1]);
      return namedGradients(() => taskLoss(forward, { ...inputs, weight }, weights, arrays).loss, picked(arrays, Object.keys(found))).gradients;
    },
    kept: () => (inputs['kept'] as tf.Tensor1D | undefined) ?? tf.zeros([size]),
  };
  return madeOfGradients(learner, gradients, createScope({
    params: arrays, training: true, batch: size, features: () => model.features(batch, weights), weights, task: inputs['task'] as tf.Tensor1D | undefined,
  }));
}

/** Throws LETHE_METHOD_FAILED: of a step that was taken in micro-batches only the sum of its gradients is left. */
function wholeOnly(what: string): never {
  throw new LetheError('LETHE_METHOD_FAILED', `A method makes something of ${what} of a whole step, which is taken in micro-batches.`, {
    remedy: 'Run it without --micro-batch, or with one of as many rows as a step has.',
  });
}

/**
 * Traced. What a learner makes of the gradients of a step that was taken in micro-batches.
 *
 * @param arrays all of the learner's, as tensors, those of the step not among them
 * @param found the sum of the gradients of all micro-batches
 * @param rows of the step
 * @throws LETHE_METHOD_FAILED for one that asks for more of the step
 */
export function madeOfSum({ learner }: Forward, weights: Tensors, arrays: Tensors, found: Tensors, rows: number): MadeOfGradients {
  if (!(learner.transformGradients ?? learner.track)) return { taken: found, running: {} };
  if (learner.stepArrays) wholeOnly('arrays');
  const scope: Scope = {
    ...createScope({ params: arrays, training: true, batch: rows, features: () => wholeOnly('features'), weights, task: undefined }), task: () => wholeOnly('tasks'),
  };
  return madeOfGradients(learner, { loss: found, of: () => wholeOnly('gradients of some rows'), kept: () => wholeOnly('kept rows') }, scope);
}
