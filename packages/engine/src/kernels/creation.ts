import * as tf from '@tensorflow/tfjs';
import type { Kernels } from '../trace.js';
import type { DType } from '../types.js';
import { full } from './common.js';

export const creationKernels: Kernels = {
  Fill: (t, _, { shape, value, dtype }) => full(t, shape, dtype ?? tf.util.inferDtype(value), Number(value)),
  ZerosLike: (t, { x }) => full(t, x!.shape, x!.dtype as DType, 0),
  OnesLike: (t, { x }) => full(t, x!.shape, x!.dtype as DType, 1),
  Range: (t, _, { start, stop, step, dtype }) => {
    const size = Math.max(0, Math.ceil((stop - start) / step));
    const values = Array.from({ length: size }, (_value, i) => start + i * step);
    const data = dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values);
    return t.bind(t.builder.literal([size], dtype, data), [size], dtype);
  },
  LinSpace: (t, _, { start, stop, num }) => {
    const step = (stop - start) / (num - 1);
    const values = Float32Array.from({ length: num }, (_value, i) => start + (i === 0 ? 0 : i * step));
    return t.bind(t.builder.literal([num], 'float32', values), [num], 'float32');
  },
};
