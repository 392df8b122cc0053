import * as tf from '@tensorflow/tfjs';

/**
 * The bucket of a distance (Raffel et al. 2020, arXiv 1910.10683, section 2.1): half of the buckets hold one distance each, the others
 * spans that grow with the distance, the last all from `farthest` on. In float32, as the original: at the edge of a span it matters.
 *
 * @param distance how far back a token is read, from 0
 */
export function bucketOf(distance: number, buckets: number, farthest: number): number {
  const single = buckets / 2;
  if (distance < single) return distance;
  const f = Math.fround;
  const share = f(f(Math.log(f(distance / single))) / f(Math.log(farthest / single)));
  return Math.min(buckets - 1, single + Math.trunc(f(share * (buckets - single))));
}

/** The same where tokens ahead are read too: theirs is the second half of the buckets. `ahead` is below 0 for tokens further back. */
export function bucketBothWays(ahead: number, buckets: number, farthest: number): number {
  return (ahead > 0 ? buckets / 2 : 0) + bucketOf(Math.abs(ahead), buckets / 2, farthest);
}

/** Traced. What tokens of one sequence add to the scores of each other, (1, heads, tokens, tokens), by a table (buckets, heads). */
export function pairBias(table: tf.Tensor, tokens: number, farthest: number): tf.Tensor4D {
  const [buckets, heads] = table.shape as [number, number];
  const pairs = Int32Array.from({ length: tokens * tokens }, (_, n) => bucketBothWays((n % tokens) - Math.floor(n / tokens), buckets, farthest));
  const byPair = tf.gather(table, tf.tensor1d(pairs, 'int32')); // (tokens * tokens, heads)
  return tf.reshape(tf.transpose(byPair), [1, heads, tokens, tokens]);
}

/**
 * Traced. What tokens add to the scores of those that read them, (batch, heads, n, tokens), by a table (buckets, heads).
 *
 * @param readers positions of the readers, (batch, n) int32
 * @param read positions of what they may read, (batch, tokens) int32; one ahead of its reader counts as one beside it
 * @param count more than any position
 */
export function distanceBias(table: tf.Tensor, readers: tf.Tensor2D, read: tf.Tensor2D, count: number, farthest: number): tf.Tensor4D {
  const [[rows, n], tokens] = [readers.shape, read.shape[1]];
  const [buckets, heads] = table.shape as [number, number];
  const byDistance = tf.gather(table, tf.tensor1d(Int32Array.from({ length: count }, (_, back) => bucketOf(back, buckets, farthest)), 'int32'));
  const back = tf.maximum(tf.sub(tf.reshape(readers, [rows, n, 1]), tf.reshape(read, [rows, 1, tokens])), 0);
  const byPair = tf.gather(byDistance, tf.cast(tf.reshape(back, [-1]), 'int32')); // (batch * n * tokens, heads)
  return tf.transpose(tf.reshape(byPair, [rows, n, tokens, heads]), [0, 3, 1, 2]) as tf.Tensor4D;
}
