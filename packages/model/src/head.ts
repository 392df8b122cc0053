import type { Tensors } from '@lethe/core';
import { withGradient } from '@lethe/engine';
import * as tf from '@tensorflow/tfjs';
import type { ModelConfig, Targets } from './types.js';

const tableOf = ({ tiedHead }: ModelConfig, weights: Tensors) => weights[tiedHead ? 'embed' : 'head']!;

/** Traced. The scores of all tokens after each of the N states, (N, vocabulary). */
export function logits(config: ModelConfig, states: tf.Tensor3D, weights: Tensors): tf.Tensor2D {
  return tf.matMul(tf.reshape(states, [-1, config.hiddenSize]), tableOf(config, weights) as tf.Tensor2D, false, true);
}

/** Traced. Log-probability of each target token, (N); the gradient is softmax minus the target's row, without one-hot vectors. */
export function logProbabilities(
  config: ModelConfig,
  states: tf.Tensor3D,
  targets: Targets,
  weights: Tensors,
): tf.Tensor1D {
  const { token } = targets;
  const head = withGradient(
    // (N, hidden), (vocabulary, hidden)
    (h: tf.Tensor, e: tf.Tensor) => {
      const logits = tf.matMul(h, e, false, true); // (N, vocabulary)
      const top = tf.max(logits, -1, true);
      const exponentials: tf.Tensor = tf.exp(tf.sub(logits, top));
      const total: tf.Tensor = tf.sum(exponentials, -1, true); // (N, 1)
      const chosen: tf.Tensor = tf.gather(e, token); // (N, hidden)
      const score = tf.sum(tf.mul(h, chosen), -1, true);
      return { value: tf.reshape(tf.sub(score, tf.add(tf.log(total), top)), [-1]), kept: [exponentials, total, chosen] };
    },
    (dy, [h, e], [exponentials, total, chosen]) => {
      const d: tf.Tensor = tf.reshape(dy, [-1, 1]);
      const scaled: tf.Tensor = tf.div(d, total); // (N, 1)
      const toHidden = tf.sub(tf.mul(chosen, d), tf.mul(tf.matMul(exponentials, e), scaled));
      const toTable = tf.sub(
        tf.unsortedSegmentSum(tf.mul(h, d), token, config.vocabSize),
        tf.matMul(exponentials, tf.mul(h, scaled), true, false),
      );
      return [toHidden, toTable];
    },
  );
  const flat = tf.reshape(states, [-1, config.hiddenSize]);
  return head(targets.index ? tf.gather(flat, targets.index) : flat, tableOf(config, weights)) as tf.Tensor1D;
}
