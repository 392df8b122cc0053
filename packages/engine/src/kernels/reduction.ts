import * as tf from '@tensorflow/tfjs';
import { sizeOf } from '@lethe/core';
import type { Info, Kernel, Kernels, Trace } from '../trace.js';
import type { DType } from '../types.js';
import { axisOf, concat, full, numeric, pairs, part, reverse } from './common.js';

function reduce(t: Trace, op: string, x: Info, axis: number | readonly number[] | null | undefined, keepDims: boolean): Info {
  const axes = tf.util.parseAxisParam((axis ?? x.shape.map((_, i) => i)) as number[], x.shape);
  const shape = x.shape.flatMap((d, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [d]));
  // ONNX reads an empty list of axes as all of them
  if (axes.length === 0) return x;
  return t.emit(op, [t.ref(x), t.builder.ints(axes)], shape, x.dtype, { keepdims: keepDims ? 1 : 0 });
}

const numbers =
  (op: string): Kernel =>
  (t, { x }, { axis, keepDims }) =>
    reduce(t, op, numeric(t, x!), axis, Boolean(keepDims));
/** @param empty what holds of no elements, where the runtime gives the end of the range */
const truth =
  (op: string, empty: number): Kernel =>
  (t, { x }, { axis, keepDims }) => {
    const found = reduce(t, op, t.cast(x!, 'int32'), axis, Boolean(keepDims));
    return sizeOf(x!.shape) === 0 ? full(t, found.shape, 'bool', empty) : t.cast(found, 'bool');
  };
const [all, any] = [truth('ReduceMin', 1), truth('ReduceMax', 0)];
/** The largest or smallest element: of truth values, whether any or all hold. tf.max calls its axis otherwise. */
const extreme =
  (op: string, ofTruth: Kernel): Kernel =>
  (t, { x }, { axis: given, reductionIndices, keepDims }) => {
    const axis = given ?? reductionIndices;
    return x!.dtype === 'bool' ? ofTruth(t, { x: x! }, { axis, keepDims }) : reduce(t, op, x!, axis, Boolean(keepDims));
  };

/** The index of the largest or smallest element, the first of equal ones; 0 of none, where the runtime fails. */
const argument =
  (op: string): Kernel =>
  (t, { x }, attributes) => {
    const input = numeric(t, x!);
    const [axis] = tf.util.parseAxisParam(attributes.axis, x!.shape) as [number];
    const shape = x!.shape.filter((_, i) => i !== axis);
    if (sizeOf(x!.shape) === 0) return full(t, shape, 'int32', 0);
    const index = t.builder.node(op, [t.ref(input)], { shape, dtype: 'int64' }, { axis, keepdims: 0 });
    return t.cast(t.bind(index, shape, 'int64'), 'int32');
  };

const cumsum: Kernel = (t, { x: given }, { axis, exclusive, reverse: back }) => {
  const x = numeric(t, given!);
  return t.emit('CumSum', [t.ref(x), t.builder.ints([axis])], x.shape, x.dtype, {
    exclusive: exclusive ? 1 : 0,
    reverse: back ? 1 : 0,
  });
};

/** tf.cumprod: ONNX has none, so the products over 1, 2, 4, … elements are made one after the other (Hillis and Steele 1986). */
const cumprod: Kernel = (t, { x: given }, attributes) => {
  const x = numeric(t, given!);
  const axis = axisOf(attributes.axis, x.shape.length);
  const size = x.shape[axis]!;
  if (size === 0) return x;
  const dtype = x.dtype as DType;
  const shifted = (y: Info, by: number): Info =>
    concat(
      t,
      [
        full(
          t,
          y.shape.map((d, i) => (i === axis ? by : d)),
          dtype,
          1,
        ),
        part(t, y, axis, 0, size - by),
      ],
      axis,
    );
  let y = attributes.reverse ? reverse(t, x, [axis]) : x;
  if (attributes.exclusive) y = shifted(y, 1);
  for (let by = 1; by < size; by *= 2) y = pairs(t, 'Mul', y, shifted(y, by), dtype);
  return attributes.reverse ? reverse(t, y, [axis]) : y;
};

export const reductionKernels: Kernels = {
  Sum: numbers('ReduceSum'),
  Prod: numbers('ReduceProd'),
  Max: extreme('ReduceMax', any),
  Min: extreme('ReduceMin', all),
  Mean: (t, { x }, { axis, keepDims }) => reduce(t, 'ReduceMean', t.cast(x!, 'float32'), axis, Boolean(keepDims)),
  All: all,
  Any: any,
  ArgMax: argument('ArgMax'),
  ArgMin: argument('ArgMin'),
  Cumsum: cumsum,
  Cumprod: cumprod,
  Softmax: (t, { logits }, { dim }) =>
    t.emit('Softmax', [t.ref(t.cast(logits!, 'float32'))], logits!.shape, 'float32', { axis: dim }),
};
