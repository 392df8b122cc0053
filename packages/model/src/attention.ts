import * as tf from '@tensorflow/tfjs';
import type { Pass } from './pass.js';

/** Lets queries or keys, (batch, heads, n, headSize), know their positions, (batch, n) int32. */
export type Place = (x: tf.Tensor4D, positions: tf.Tensor2D, kind: 'q' | 'k') => tf.Tensor4D;

/** (batch, n, count * size) -> (batch, count, n, size) */
function split(x: tf.Tensor3D, count: number, size: number): tf.Tensor4D {
  return tf.transpose(tf.reshape(x, [x.shape[0], x.shape[1], count, size]), [0, 2, 1, 3]) as tf.Tensor4D;
}

/**
 * Traced. Causal attention of one layer through its sites q, k, v and o (Vaswani et al. 2017, arXiv 1706.03762, section 3.2),
 * with key-value heads that groups of query heads share (Ainslie et al. 2023, arXiv 2305.13245).
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
  const { keys: k, values: v } = pass.recall(layer, { keys, values });
  const { positions, bias, pick } = pass.readers(layer);
  const read = pick(h);
  const q = place(split(site('q', read), heads, headSize), positions, 'q'); // (batch, heads, n, headSize)
  const [rows, n, tokens] = [h.shape[0], read.shape[1], k.shape[2]];
  const group = heads / keyValueHeads;
  // The query heads that share a key head are stacked along the tokens, so that keys need no copies.
  const stacked = tf.reshape(tf.mul(q, headSize ** -0.5), [rows, keyValueHeads, group * n, headSize]);
  const scores = tf.reshape(tf.matMul(stacked, k, false, true), [rows, heads, n, tokens]);
  const shares = tf.reshape(tf.softmax(tf.add(scores, bias)), [rows, keyValueHeads, group * n, tokens]);
  const mixed = tf.reshape(tf.matMul(shares, v), [rows, heads, n, headSize]);
  const joined = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [rows, n, heads * headSize]) as tf.Tensor3D;
  return site('o', joined);
}
