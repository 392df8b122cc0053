import * as tf from '@tensorflow/tfjs';
import { sizeOf } from '@lethe/core';
import type { Info, Kernel, Kernels, Trace } from '../trace.js';
import type { DType } from '../types.js';
import { axisOf, concat, mismatch, part, reshape, reverse, slice, transpose } from './common.js';

const inserted = (shape: readonly number[], axis: number) => [...shape.slice(0, axis), 1, ...shape.slice(axis)];
const removed = (shape: readonly number[], axis: number) => shape.filter((_, i) => i !== axis);

const expandDims: Kernel = (t, { input }, { dim }: { dim: number }) =>
  reshape(t, input!, inserted(input!.shape, axisOf(dim, input!.shape.length + 1)));

const sliced: Kernel = (t, { x }, { begin, size }) => {
  const [start, extent] = tf.slice_util.parseSliceParams(x as unknown as tf.Tensor, begin, size) as [number[], number[]];
  return slice(t, x!, start, extent);
};

const stridedSlice: Kernel = (
  t,
  { x },
  { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask },
) => {
  const info = tf.slice_util.sliceInfo(
    x!.shape,
    begin,
    end,
    strides,
    beginMask,
    endMask,
    ellipsisMask,
    newAxisMask,
    shrinkAxisMask,
  );
  const whole = tf.slice_util.computeOutShape(info.begin, info.end, info.strides);
  // counted from the back, an end before the first element would be the last one
  const ends = info.end.map((e, i) => (e < 0 ? -x!.shape[i]! - 1 : e));
  const axes = t.builder.ints(whole.map((_, i) => i));
  const inputs = [t.ref(x!), t.builder.ints(info.begin), t.builder.ints(ends), axes, t.builder.ints(info.strides)];
  return reshape(t, t.emit('Slice', inputs, whole, x!.dtype), info.finalShape);
};

const concatenated: Kernel = (t, inputs, { axis }) => {
  const [first, ...rest] = Object.values(inputs);
  const all = [first!, ...rest.map((x) => t.cast(x, first!.dtype as DType))];
  return concat(t, all, tf.util.parseAxisParam(axis, all[0]!.shape)[0]!);
};

const pack: Kernel = (t, inputs, { axis }) => {
  const all = Object.values(inputs);
  const at = axisOf(axis, all[0]!.shape.length + 1);
  tf.util.assert(all.every(({ dtype }) => dtype === all[0]!.dtype), () => 'All tensors passed to stack must have matching dtypes');
  return concat(
    t,
    all.map((x) => reshape(t, x, inserted(x.shape, at))),
    at,
  );
};

const unpack: Kernel = (t, { value }, { axis }) => {
  const at = axisOf(axis, value!.shape.length);
  return Array.from({ length: value!.shape[at]! }, (_, k) => reshape(t, part(t, value!, at, k, 1), removed(value!.shape, at)));
};

const splitV: Kernel = (t, { x }, { numOrSizeSplits, axis }) => {
  const [at] = tf.util.parseAxisParam(axis, x!.shape) as [number];
  let start = 0;
  return tf.backend_util.prepareSplitSize(x as unknown as tf.Tensor, numOrSizeSplits, at).map((size) => {
    start += size;
    return part(t, x!, at, start - size, size);
  });
};

const tile: Kernel = (t, { x }, { reps }: { reps: number[] }) =>
  t.emit(
    'Tile',
    [t.ref(x!), t.builder.ints(reps)],
    x!.shape.map((d, i) => d * reps[i]!),
    x!.dtype,
  );

type Paddings = readonly (readonly [number, number])[];

const padV2: Kernel = (t, { x }, { paddings, constantValue }: { paddings: Paddings; constantValue: number }) => {
  if (paddings.length !== x!.shape.length) mismatch('A padding', x!.shape, [paddings.length, 2]);
  const pads = t.builder.ints([...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)]);
  const shape = x!.shape.map((d, i) => d + paddings[i]![0] + paddings[i]![1]);
  return t.emit('Pad', [t.ref(x!), pads, t.builder.scalar(constantValue ?? 0, x!.dtype as DType)], shape, x!.dtype);
};

/** tf.mirrorPad: `reflect` leaves the border out of the mirror image, `symmetric` repeats it. */
const mirrorPad: Kernel = (t, { x }, { paddings, mode }: { paddings: Paddings; mode: 'reflect' | 'symmetric' }) => {
  const skip = mode === 'reflect' ? 1 : 0;
  return paddings.reduce((y: Info, [before, after], axis) => {
    const size = y.shape[axis]!;
    const image = (begin: number, extent: number) => (extent > 0 ? [reverse(t, part(t, y, axis, begin, extent), [axis])] : []);
    return concat(t, [...image(skip, before), y, ...image(size - after - skip, after)], axis);
  }, x!);
};

/** tf.diag: each element is followed by n zeros, so that the rows of the matrix come one place later each. */
function diagonal(t: Trace, x: Info): Info {
  const n = sizeOf(x.shape);
  const spread = padV2(
    t,
    { x: reshape(t, x, [n, 1]) },
    {
      paddings: [
        [0, 0],
        [0, n],
      ],
      constantValue: 0,
    },
  ) as Info;
  return reshape(t, slice(t, reshape(t, spread, [n * (n + 1)]), [0], [n * n]), [...x.shape, ...x.shape]);
}

export const shapeKernels: Kernels = {
  Reshape: (t, { x }, { shape }) => reshape(t, x!, tf.util.inferFromImplicitShape(shape, sizeOf(x!.shape))),
  ExpandDims: expandDims,
  Transpose: (t, { x }, { perm }) => transpose(t, x!, perm),
  Slice: sliced,
  StridedSlice: stridedSlice,
  Concat: concatenated,
  Pack: pack,
  Unpack: unpack,
  SplitV: splitV,
  Tile: tile,
  PadV2: padV2,
  MirrorPad: mirrorPad,
  Reverse: (t, { x }, { dims }) => {
    const axes = tf.util.parseAxisParam(dims, x!.shape);
    return axes.length === 0 ? x! : reverse(t, x!, axes);
  },
  Diag: (t, { x }) => diagonal(t, x!),
};
