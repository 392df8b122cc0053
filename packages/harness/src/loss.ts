import type { Learner, Predictions, Scope, Site, Tensors, TrainingBudget } from '@lethe/core';
import type { LanguageModel } from '@lethe/model';
import * as tf from '@tensorflow/tfjs';
import { batchOf } from './batch.js';
import { KEYS, dropped } from './dropout.js';
import { adaptWith, createScope, noPredictions, withPrefix } from './scope.js';

/** What a forward pass needs besides values. */
export interface Forward {
  readonly model: LanguageModel;
  readonly learner: Learner;
  readonly sites: readonly Site[];
  /** Whether the method is told which task a row belongs to (capability `taskIdentity`). */
  readonly told?: boolean;
  /** The share of the inputs of sites that is dropped where a pass trains on rows, none where absent: {@link TrainingBudget.dropout}. */
  readonly dropout?: number | undefined;
  /** The most rows that are in memory at once, where that is less than a step or a pass has: a step of more is taken in parts whose gradients are summed. */
  readonly microBatch?: number | undefined;
}

/** How many rows a pass without gradients takes that takes so many where there is room. */
export const rowsAtOnce = ({ microBatch = Infinity }: Forward, most: number): number => Math.min(most, microBatch);

/** Traced. Log probabilities of the targets, (targets), the scope they were computed in, and whether the learner added anything. */
export function targetLogProbabilities(
  { model, learner, sites, dropout }: Forward, inputs: Tensors, weights: Tensors, params: Tensors, training: boolean,
): { logp: tf.Tensor1D; scope: Scope; adapted: boolean } {
  const batch = batchOf(inputs);
  const task = inputs['task'] as tf.Tensor1D | undefined;
  // every row has the same number of targets, so that the last layer can be computed for these alone
  const wanted = inputs['index']!.reshape([batch.ids.shape[0], -1]) as tf.Tensor2D;
  const keys = inputs[KEYS] as tf.Tensor3D | undefined;
  const drop = dropout && keys ? (site: Site, x: tf.Tensor3D) => dropped(site, x, keys, dropout) : undefined;
  let adapted = Boolean(learner.virtualTokens);

  const pass = (given: Tensors, learning: boolean): { scope: Scope; hidden: tf.Tensor3D } => {
    let states: tf.Tensor3D | undefined;
    const predict = (at: tf.Tensor3D): Predictions => ({
      logp: tf.logSoftmax(model.logits(at, weights)), states: at.reshape([-1, model.config.hiddenSize]) as tf.Tensor2D, weights: inputs['weight'] as tf.Tensor1D,
    });
    const scope = createScope({
      params: given, training: learning, batch: batch.ids.shape[0], features: () => model.features(batch, weights), weights, task,
      predictions: (others) => (states ? predict(others ? pass({ ...given, ...others }, false).hidden : states) : noPredictions()),
    });
    states = model.hidden(withPrefix(learner, scope, { ...batch, wanted }, model.config.hiddenSize), weights, adaptWith(
      learner, sites, scope, () => { adapted = true; }, learning ? drop : undefined,
    ));
    return { scope, hidden: states };
  };

  const { scope, hidden } = pass(params, training);
  const targets = { index: null, token: inputs['token'] as tf.Tensor1D };
  return { logp: model.logProbabilities(hidden, targets, weights), scope, adapted };
}

/** Traced. The task loss -sum(weight * log p): the mean over rows of the mean over their answer tokens. */
export function taskLoss(
  forward: Forward, inputs: Tensors, weights: Tensors, params: Tensors,
): { loss: tf.Scalar; scope: Scope } {
  const { logp, scope } = targetLogProbabilities(forward, inputs, weights, params, true);
  return { loss: tf.neg(tf.sum(tf.mul(logp, inputs['weight']!))), scope };
}
