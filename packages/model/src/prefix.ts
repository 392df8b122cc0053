import * as tf from '@tensorflow/tfjs';
import type { BatchTensors } from './types.js';

const int32 = (shape: [number, number], value: (row: number, column: number) => number) =>
  tf.tensor2d(Int32Array.from({ length: shape[0] * shape[1] }, (_, n) => value(Math.floor(n / shape[1]), n % shape[1])), shape, 'int32');

/**
 * Traced. The batch as its layers see it, where vectors stand before the tokens: they are of the prompt (segment 1) and take the
 * positions from 0 on, the tokens those behind them. Where an encoder reads the prompt, they stand before that.
 */
export function behindPrefix(batch: BatchTensors): BatchTensors {
  const { prefix, positions, segments, wanted, source } = batch;
  if (!prefix) return batch;
  const [rows, virtual] = prefix.shape;
  const behind = (of: tf.Tensor2D) => tf.concat([int32([rows, virtual], () => 1), of], 1);
  if (source) return { ...batch, source: { ...source, segments: behind(source.segments) } };
  return {
    ...batch,
    positions: tf.concat([int32([rows, virtual], (_, column) => column), tf.add(positions, tf.scalar(virtual, 'int32'))], 1),
    segments: behind(segments),
    // every row before a state, and its own, is longer now
    ...(wanted ? { wanted: tf.add(wanted, int32([rows, 1], (row) => (row + 1) * virtual)) } : {}),
  };
}
