import * as tf from '@tensorflow/tfjs';
import type { Tensors } from '@lethe/core';
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
  const head = tf.customGrad((rows, table, save) => {
    const [h, e] = [rows as tf.Tensor2D, table as tf.Tensor2D]; // (N, hidden), (vocabulary, hidden)
    const logits = tf.matMul(h, e, false, true); // (N, vocabulary)
    const top = tf.max(logits, -1, true);
    const exponentials = tf.exp(tf.sub(logits, top));
    const total = tf.sum(exponentials, -1, true); // (N, 1)
    const chosen = tf.gather(e, token); // (N, hidden)
    const score = tf.sum(tf.mul(h, chosen), -1, true);
    const value = tf.reshape(tf.sub(score, tf.add(tf.log(total), top)), [-1]);
    (save as tf.GradSaveFunc)([h, e, exponentials, total, chosen]);
    return {
      value,
      gradFunc: (dy, saved) => {
        const [hs, es, exps, sums, picked] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
        const d = tf.reshape(dy, [-1, 1]);
        const scaled = tf.div(d, sums); // (N, 1)
        const toHidden = tf.sub(tf.mul(picked, d), tf.mul(tf.matMul(exps, es), scaled));
        const toTable = tf.sub(
          tf.unsortedSegmentSum(tf.mul(hs, d), token, config.vocabSize),
          tf.matMul(exps, tf.mul(hs, scaled) as tf.Tensor2D, true, false),
        );
        return [toHidden, toTable];
      },
    };
  });
  const flat = tf.reshape(states, [-1, config.hiddenSize]);
  return head(targets.index ? tf.gather(flat, targets.index) : flat, tableOf(config, weights)) as tf.Tensor1D;
}
