import * as tf from '@tensorflow/tfjs';
import type { KeysValues } from './memory.js';
import type { Pass } from './pass.js';

/** Lets queries or keys, (batch, heads, n, headSize), know their positions, (batch, n) int32. */
export type Place = (x: tf.Tensor4D, positions: tf.Tensor2D, kind: 'q' | 'k') => tf.Tensor4D;

/** (batch, n, count * size) -> (batch, count, n, size) */
export function split(x: tf.Tensor3D, count: number, size: number): tf.Tensor4D {
  return tf.transpose(tf.reshape(x, [x.shape[0], x.shape[1], count, size]), [0, 2, 1, 3]) as tf.Tensor4D;
}

/**
 * Traced. softmax(scale q k^T + bias) v (Vaswani et al. 2017, arXiv 1706.03762, equation 1), with key-value heads that groups of
 * query heads share (Ainslie et al. 2023, arXiv 2305.13245).
 *
 * @param q (batch, heads, n, headSize)
 * @param read keys and values, both (batch, keyValueHeads, tokens, headSize)
 * @param bias broadcast to (batch, heads, n, tokens)
 * @returns the heads side by side, (batch, n, heads * headSize)
 */
export function mix(q: tf.Tensor4D, { keys, values }: KeysValues, bias: tf.Tensor4D, scale: number): tf.Tensor3D {
  const [rows, heads, n, headSize] = q.shape;
  const [, keyValueHeads, tokens] = keys.shape;
  const group = heads / keyValueHeads;
  // The query heads that share a key head are stacked along the tokens, so that keys need no copies.
  const stacked = tf.reshape(scale === 1 ? q : tf.mul(q, scale), [rows, keyValueHeads, group * n, headSize]);
  const scores = tf.reshape(tf.matMul(stacked, keys, false, true), [rows, heads, n, tokens]);
  const shares = tf.reshape(tf.softmax(tf.add(scores, bias)), [rows, keyValueHeads, group * n, tokens]);
  const mixed = tf.reshape(tf.matMul(shares, values), [rows, heads, n, headSize]);
  return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [rows, n, heads * headSize]) as tf.Tensor3D;
}

/**
 * Traced. Causal attention of one layer through its sites q, k, v and o (arXiv 1706.03762, section 3.2).
 *
 * @param h what the layer's projections read, (batch, tokens, hidden)
 * @param place what tells queries and keys their positions
 * @returns (batch, n, hidden), for the tokens whose states the layer gives on
 */
export function attention(pass: Pass, layer: number, h: tf.Tensor3D, place: Place): tf.Tensor3D {
  const { heads, keyValueHeads, headSize } = pass.config;
  const site = (kind: 'q' | 'k' | 'v' | 'o', x: tf.Tensor3D) => pass.linear(`layers.${layer}.${kind}`, x);
  const keys = place(split(site('k', h), keyValueHeads, headSize), pass.batch.positions, 'k'); // (batch, keyValueHeads, tokens, headSize)
  const values = split(site('v', h), keyValueHeads, headSize);
  const read = pass.recall(layer, { keys, values });
  const { positions, bias, pick } = pass.readers(layer);
  const q = place(split(site('q', pick(h)), heads, headSize), positions, 'q'); // (batch, heads, n, headSize)
  return site('o', mix(q, read, bias, headSize ** -0.5));
}
