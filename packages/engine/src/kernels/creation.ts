import * as tf from '@tensorflow/tfjs';
import type { Kernels } from '../trace.js';
import { ARRAY, type DType } from '../types.js';
import { full, literal } from './common.js';

export const creationKernels: Kernels = {
  Fill: (t, _, { shape, value, dtype }) => full(t, shape, dtype ?? tf.util.inferDtype(value), Number(value)),
  ZerosLike: (t, { x }) => full(t, x!.shape, x!.dtype as DType, 0),
  OnesLike: (t, { x }) => full(t, x!.shape, x!.dtype as DType, 1),
  Range: (t, _, { start, stop, step: given, dtype }: { start: number; stop: number; step: number; dtype: 'float32' | 'int32' }) => {
    // as TensorFlow.js counts down where no step is given
    const step = given === 1 && stop < start ? -1 : given;
    const size = Math.max(0, Math.ceil((stop - start) / step));
    return literal(t, [size], dtype, new ARRAY[dtype](size).map((_value, i) => start + i * step));
  },
  LinSpace: (t, _, { start, stop, num }) => {
    const step = (stop - start) / (num - 1);
    return literal(t, [num], 'float32', new Float32Array(num).map((_value, i) => start + (i === 0 ? 0 : i * step)));
  },
};
