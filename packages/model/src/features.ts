import * as tf from '@tensorflow/tfjs';
import type { Tensors } from '@lethe/core';
import { embed } from './pass.js';
import type { BatchTensors, ModelConfig } from './types.js';

/** Traced. Mean and standard deviation of the embeddings of the prompt's tokens (segment 1), (batch, 2 * hidden). */
export function features(config: ModelConfig, batch: BatchTensors, weights: Tensors): tf.Tensor2D {
  const { ids, segments } = batch.source ?? batch;
  const [rows, tokens] = ids.shape;
  const embedded = embed(ids, weights);
  const inPrompt = tf.reshape(tf.cast(tf.equal(segments, 1), 'float32'), [rows, tokens, 1]);
  const count = tf.maximum(tf.sum(inPrompt, 1, true), 1); // (batch, 1, 1)
  const mean = tf.div(tf.sum(tf.mul(embedded, inPrompt), 1, true), count); // (batch, 1, hidden)
  const deviation = tf.mul(tf.sub(embedded, mean), inPrompt);
  const spread = tf.sqrt(tf.div(tf.sum(tf.square(deviation), 1, true), count));
  return tf.reshape(tf.concat([mean, spread], 2), [rows, 2 * config.hiddenSize]) as tf.Tensor2D;
}
