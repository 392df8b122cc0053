import * as tf from '@tensorflow/tfjs';
import { LetheError } from '@lethe/core';
import { callerOf } from '../caller.js';
import type { Composed } from '../composed.js';
import { ONNX_TYPE } from '../graph/onnx-types.js';
import type { Attribute } from '../graph/types.js';
import type { Info, Kernel, Trace } from '../trace.js';
import type { DType, Values } from '../types.js';

/** The constant `value` as a scalar. */
export const scalar = (t: Trace, value: number, dtype: DType = 'float32'): Info =>
  t.bind(t.builder.scalar(value, dtype), [], dtype);

/** A constant with these values. */
export const literal = (t: Trace, shape: readonly number[], dtype: DType, values: Values): Info =>
  t.bind(t.builder.literal(shape, dtype, values), shape, dtype);

/** A value of `shape` whose elements are all `value`. */
export const full = (t: Trace, shape: readonly number[], dtype: DType, value: number): Info =>
  t.bind(t.builder.splat(shape, dtype, value), shape, dtype);

/** Truth values count as 0 and 1. */
export const numeric = (t: Trace, x: Info): Info => (x.dtype === 'bool' ? t.cast(x, 'int32') : x);

/** The type that TensorFlow.js computes two sides in. */
export const wider = (a: Info, b: Info): DType => (a.dtype === 'float32' || b.dtype === 'float32' ? 'float32' : 'int32');

/** An operation on each element. */
export const each = (t: Trace, op: string, x: Info, attributes: Record<string, Attribute> = {}, dtype: string = x.dtype): Info =>
  t.emit(op, [t.ref(x)], x.shape, dtype, attributes);

/** An operation on pairs of elements, with broadcasting, computed in type `as`. */
export function pairs(t: Trace, op: string, a: Info, b: Info, as: DType, dtype: DType = as): Info {
  const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
  return t.emit(op, [t.ref(t.cast(a, as)), t.ref(t.cast(b, as))], shape, dtype);
}

/** tf.mul; of two truth values TensorFlow.js makes one, by which tf.where may choose. */
export const product = (t: Trace, a: Info, b: Info): Info =>
  a.dtype === 'bool' && b.dtype === 'bool' ? pairs(t, 'And', a, b, 'bool') : pairs(t, 'Mul', a, b, wider(a, b));

/** `yes` where `condition`, else `no`; all three broadcast. */
export function choose(t: Trace, condition: Info, yes: Info, no: Info): Info {
  const { assertAndGetBroadcastShape: broadcast } = tf.broadcast_util;
  const shape = broadcast(condition.shape, broadcast(yes.shape, no.shape));
  // the runtime chooses among numbers only
  if (yes.dtype === 'bool') return t.cast(choose(t, condition, t.cast(yes, 'int32'), t.cast(no, 'int32')), 'bool');
  return t.emit('Where', [t.ref(t.cast(condition, 'bool')), t.ref(yes), t.ref(no)], shape, yes.dtype);
}

export const reshape = (t: Trace, x: Info, shape: readonly number[]): Info =>
  t.emit('Reshape', [t.ref(x), t.builder.ints(shape)], shape, x.dtype, { allowzero: 1 });

/** `size` elements from `begin` on, along every axis. */
export const slice = (t: Trace, x: Info, begin: readonly number[], size: readonly number[]): Info =>
  t.emit('Slice', [t.ref(x), t.builder.ints(begin), t.builder.ints(begin.map((b, i) => b + size[i]!))], size, x.dtype);

/** `size` elements from `begin` on, along one axis. */
export const part = (t: Trace, x: Info, axis: number, begin: number, size: number): Info =>
  slice(
    t,
    x,
    x.shape.map((_, i) => (i === axis ? begin : 0)),
    x.shape.map((d, i) => (i === axis ? size : d)),
  );

/** The elements along some axes in the other order. */
export const reverse = (t: Trace, x: Info, axes: readonly number[]): Info => {
  const of = (value: (axis: number) => number) => t.builder.ints(axes.map(value));
  return t.emit(
    'Slice',
    [t.ref(x), of(() => -1), of((axis) => -x.shape[axis]! - 1), t.builder.ints(axes), of(() => -1)],
    x.shape,
    x.dtype,
  );
};

/** Throws LETHE_ENGINE_SHAPE with the line that asked for what these shapes do not allow. */
export function mismatch(what: string, ...shapes: (readonly number[])[]): never {
  throw new LetheError('LETHE_ENGINE_SHAPE', `${what} of shapes ${shapes.map((shape) => `(${shape.join(', ')})`).join(' and ')} does not exist.`, {
    where: callerOf(new Error()) ?? what,
    remedy: 'Compare the shapes where the tensors are made: tensor.shape is known while tracing.',
  });
}

export const concat = (t: Trace, all: readonly Info[], axis: number): Info => {
  const odd = all.find((x) => x.shape.some((d, i) => i !== axis && d !== all[0]!.shape[i]));
  if (odd) mismatch(`A concatenation along axis ${axis}`, all[0]!.shape, odd.shape);
  const shape = [...all[0]!.shape];
  shape[axis] = all.reduce((sum, x) => sum + x.shape[axis]!, 0);
  return t.emit(
    'Concat',
    all.map((x) => t.ref(x)),
    shape,
    all[0]!.dtype,
    { axis },
  );
};

/** Indices as ONNX wants them. */
export const wide = (t: Trace, indices: Info): string =>
  t.builder.node('Cast', [t.ref(indices)], { shape: indices.shape, dtype: 'int64' }, { to: ONNX_TYPE.int64 });

/** An axis counted from the front. */
export const axisOf = (axis: number, rank: number): number => (axis < 0 ? rank + axis : axis);

export const transpose = (t: Trace, x: Info, perm: readonly number[]): Info =>
  t.emit(
    'Transpose',
    [t.ref(x)],
    perm.map((p) => x.shape[p]!),
    x.dtype,
    { perm },
  );

/** A kernel that calls other operations, which are recorded in its place. */
export const composed =
  (compute: Composed): Kernel =>
  (_, inputs, attributes) =>
    compute(inputs as Record<string, tf.Tensor>, attributes);
