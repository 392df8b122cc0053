import type { Learner, Site, Tensors } from '@lethe/core';
import type { BatchTensors, LanguageModel } from '@lethe/model';
import * as tf from '@tensorflow/tfjs';
import { adaptWith, createScope } from './scope.js';

/** What a forward pass needs besides values. */
export interface Forward {
  readonly model: LanguageModel;
  readonly learner: Learner;
  readonly sites: readonly Site[];
}

/** The batch among a program's inputs, all of its states wanted. */
export function batchOf(inputs: Tensors): BatchTensors {
  return {
    ids: inputs['ids'] as tf.Tensor2D,
    positions: inputs['positions'] as tf.Tensor2D,
    segments: inputs['segments'] as tf.Tensor2D,
  };
}

/** Traced. Log probabilities of the targets, (targets), the scope they were computed in, and whether the learner added to any site. */
export function targetLogProbabilities(
  { model, learner, sites }: Forward, inputs: Tensors, weights: Tensors, params: Tensors, training: boolean,
): { logp: tf.Tensor1D; scope: ReturnType<typeof createScope>; adapted: boolean } {
  const batch = batchOf(inputs);
  const scope = createScope({ params, training, batch: batch.ids.shape[0] }, () => model.features(batch, weights));
  // every row has the same number of targets, so that the last layer can be computed for these alone
  const wanted = inputs['index']!.reshape([batch.ids.shape[0], -1]) as tf.Tensor2D;
  let adapted = false;
  const hidden = model.hidden({ ...batch, wanted }, weights, adaptWith(learner, sites, scope, () => { adapted = true; }));
  const targets = { index: null, token: inputs['token'] as tf.Tensor1D };
  return { logp: model.logProbabilities(hidden, targets, weights), scope, adapted };
}

/** Traced. The task loss -sum(weight * log p): the mean over rows of the mean over their answer tokens. */
export function taskLoss(
  forward: Forward, inputs: Tensors, weights: Tensors, params: Tensors,
): { loss: tf.Scalar; scope: ReturnType<typeof createScope> } {
  const { logp, scope } = targetLogProbabilities(forward, inputs, weights, params, true);
  return { loss: tf.neg(tf.sum(tf.mul(logp, inputs['weight']!))), scope };
}

/**
 * Traced. The value of `f` and its gradients by `at`, zeros where `f` does not read an array (a method may hold arrays
 * that are silent now, which `tf.valueAndGrads` refuses).
 */
export function valueAndGradients(
  f: () => tf.Scalar, at: readonly tf.Tensor[],
): { value: tf.Scalar; gradients: readonly tf.Tensor[] } {
  const { value, grads } = tf.engine().gradients(f, [...at], undefined, true);
  const found = grads as readonly (tf.Tensor | null | undefined)[];
  return { value: value as tf.Scalar, gradients: at.map((x, i) => found[i] ?? tf.zeros(x.shape)) };
}
