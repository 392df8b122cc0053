import * as tf from '@tensorflow/tfjs';

/** Kernels written with other operations: for the compiler, and for backends of TensorFlow.js that lack them. */
export type Composed = (
  inputs: Readonly<Record<string, tf.Tensor>>,
  // Kernels get attributes as TensorFlow.js passes them, a different record for each.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  attributes: any,
) => tf.Tensor;

const integer = (value: number) => tf.scalar(value, 'int32');

/** A sum by segment as a scatter, which adds up what falls in one place. What has no segment is left out: it counts as a zero of the first. */
export const segmentSum: Composed = ({ x, segmentIds: ids }, { numSegments }) => {
  const inside = tf.logicalAnd(tf.greaterEqual(ids!, integer(0)), tf.less(ids!, integer(numSegments)));
  const mask = tf.reshape(inside, [-1, ...x!.shape.slice(1).map(() => 1)]);
  const rows = tf.expandDims(tf.where(inside, ids!, tf.zerosLike(ids!)), -1);
  return tf.scatterND(rows, tf.where(mask, x!, tf.zerosLike(x!)), [numSegments, ...x!.shape.slice(1)]);
};

/**
 * tf.bincount and tf.denseBincount: each row has a bucket more, for the values that are too large to count. Those below 0 have none, and are
 * refused.
 */
export const denseBincount: Composed = ({ x, weights }, { size, binaryOutput }) => {
  const rows = x!.rank === 1 ? 1 : x!.shape[0]!;
  const starts = tf.mul(tf.range(0, rows, 1, 'int32'), integer(size + 1));
  const given = tf.reshape(x!, [rows, -1]); // (rows, values)
  const counting = tf.add(tf.minimum(given, integer(size)), tf.expandDims(starts, 1));
  const buckets = tf.where(tf.less(given, integer(0)), integer(-1), counting);
  const plain = binaryOutput || weights!.size === 0;
  const counted = plain ? tf.ones([x!.size], weights!.dtype) : tf.reshape(weights!, [-1]);
  const sums = tf.reshape(tf.scatterND(tf.reshape(buckets, [-1, 1]), counted, [rows * (size + 1)]), [rows, size + 1]);
  const counts = tf.reshape(tf.slice(sums, [0, 0], [rows, size]), [...x!.shape.slice(0, -1), size]);
  return binaryOutput ? tf.cast(tf.greater(counts, tf.zerosLike(counts)), weights!.dtype) : counts;
};

/** tf.searchSorted, row by row: how many elements are less than a value, or, from the right, not greater. */
export const searchSorted: Composed = ({ sortedSequence, values }, { side }) => {
  const before = side === 'left' ? tf.less : tf.lessEqual;
  return tf.sum(tf.cast(before(tf.expandDims(sortedSequence!, 1), tf.expandDims(values!, 2)), 'int32'), 2);
};

/** tf.einsum: each operand laid out along all letters, those of the result first, multiplied, and summed over the others. */
export const einsum: Composed = (inputs, { equation }) => {
  const operands = Object.values(inputs);
  const { allDims, summedDims, idDims } = tf.backend_util.decodeEinsumEquation(equation, operands.length);
  tf.backend_util.checkEinsumDimSizes(allDims.length, idDims, operands);
  const laid = operands.map((x, i) => {
    const own = idDims[i]!; // the letter of each axis
    const order = own.map((_, axis) => axis).sort((a, b) => own[a]! - own[b]!);
    return tf.reshape(tf.transpose(x, order), allDims.map((_, letter) => (own.includes(letter) ? x.shape[own.indexOf(letter)]! : 1)));
  });
  return tf.sum(laid.reduce((product, x) => tf.mul(product, x)), summedDims);
};

/** tf.batchNorm: (x - mean) / sqrt(variance + epsilon) * scale + offset. */
export const batchNorm: Composed = ({ x, mean, variance, scale, offset }, { varianceEpsilon }) => {
  const inverse = tf.rsqrt(tf.add(variance!, varianceEpsilon));
  const normed = tf.mul(tf.sub(x!, mean!), scale ? tf.mul(inverse, scale) : inverse);
  return offset ? tf.add(normed, offset) : normed;
};
