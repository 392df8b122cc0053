import type { Arrays } from '@lethe/core';
import { sizeOf } from '@lethe/core';
import * as tf from '@tensorflow/tfjs';

/** The number of values of all arrays. */
export function countOf(arrays: Arrays): number {
  return Object.values(arrays).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/** All arrays as one vector, in their order: one optimizer update then serves them all. */
export function flatten(arrays: Arrays): Float32Array<ArrayBuffer> {
  const flat = new Float32Array(countOf(arrays));
  let offset = 0;
  for (const { data } of Object.values(arrays)) {
    flat.set(data, offset);
    offset += data.length;
  }
  return flat;
}

/** Writes a flat vector back into the arrays it came from. */
export function unflatten(flat: Float32Array, arrays: Arrays): void {
  let offset = 0;
  for (const { data } of Object.values(arrays)) {
    data.set(flat.subarray(offset, offset + data.length));
    offset += data.length;
  }
}

/** Traced. The arrays as slices of a flat tensor, by name. */
export function slices(flat: tf.Tensor1D, arrays: Arrays): Record<string, tf.Tensor> {
  let offset = 0;
  return Object.fromEntries(Object.entries(arrays).map(([name, { shape }]) => {
    const size = sizeOf(shape);
    const slice = tf.slice(flat, [offset], [size]).reshape([...shape]);
    offset += size;
    return [name, slice];
  }));
}
