import * as tf from '@tensorflow/tfjs';
import { sizeOf } from '@lethe/core';
import { denseBincount, searchSorted, segmentSum } from '../composed.js';
import type { Info, Kernel, Kernels, Trace } from '../trace.js';
import type { DType } from '../types.js';
import { axisOf, choose, composed, full, literal, numeric, pairs, reshape, scalar, wide } from './common.js';

/** Indices of which those below 0 are moved past the end, where the runtime refuses them: ONNX would count them from the back. */
function counted(t: Trace, indices: Info, sizes: readonly number[]): Info {
  const [index, ends] = [t.cast(indices, 'int32'), literal(t, sizes.length === 1 ? [] : [sizes.length], 'int32', Int32Array.from(sizes))];
  return choose(t, pairs(t, 'Less', index, scalar(t, 0, 'int32'), 'int32', 'bool'), ends, index);
}

/**
 * tf.gather. With batch dimensions, every index is moved to its own part of the merged leading dimensions; one that is out of range, past
 * the end of all, where it would reach another part.
 */
const gather: Kernel = (t, { x, indices }, { axis, batchDims: given = 0 }: { axis: number; batchDims?: number }) => {
  const batchDims = axisOf(given, indices!.shape.length);
  const [at] = tf.util.parseAxisParam(axis, x!.shape) as [number];
  const [lead, size, rest] = [x!.shape.slice(0, at), x!.shape[at]!, x!.shape.slice(at + 1)];
  const shape = [...lead, ...indices!.shape.slice(batchDims), ...rest];
  if (batchDims === 0) return t.emit('Gather', [t.ref(x!), t.ref(counted(t, indices!, [size]))], shape, x!.dtype, { axis: at });
  const [batch, outer] = [sizeOf(lead.slice(0, batchDims)), sizeOf(lead.slice(batchDims))];
  const offsets = literal(t, [batch, outer, 1], 'int32', Int32Array.from({ length: batch * outer }, (_, n) => n * size));
  const index = reshape(t, t.cast(indices!, 'int32'), [batch, 1, sizeOf(indices!.shape.slice(batchDims))]);
  const beside = (op: string, bound: number) => pairs(t, op, index, scalar(t, bound, 'int32'), 'int32', 'bool');
  const outside = pairs(t, 'Or', beside('Less', 0), beside('GreaterOrEqual', size), 'bool');
  const moved = choose(t, outside, scalar(t, batch * outer * size, 'int32'), pairs(t, 'Add', index, offsets, 'int32'));
  const rows = reshape(t, x!, [batch * outer * size, sizeOf(rest)]);
  const found = t.emit('Gather', [t.ref(rows), t.ref(moved)], [...moved.shape, sizeOf(rest)], x!.dtype, { axis: 0 });
  return reshape(t, found, shape);
};

const gatherNd: Kernel = (t, { params, indices }) => {
  const depth = indices!.shape.at(-1)!;
  const shape = [...indices!.shape.slice(0, -1), ...params!.shape.slice(depth)];
  const index = counted(t, indices!, params!.shape.slice(0, depth));
  return t.emit('GatherND', [t.ref(params!), wide(t, index)], shape, params!.dtype);
};

const placesIn = (t: Trace, shape: readonly number[], indices: Info): string =>
  wide(t, counted(t, indices, shape.slice(0, indices.shape.at(-1)!)));

/** tf.scatterND: values at equal indices add up. */
const scatterNd: Kernel = (t, { indices, updates }, { shape }: { shape: number[] }) =>
  t.emit(
    'ScatterND',
    [t.ref(full(t, shape, updates!.dtype as DType, 0)), placesIn(t, shape, indices!), t.ref(updates!)],
    shape,
    updates!.dtype,
    { reduction: 'add' },
  );

const tensorScatterUpdate: Kernel = (t, { tensor, indices, updates }) =>
  t.emit('ScatterND', [t.ref(tensor!), placesIn(t, tensor!.shape, indices!), t.ref(updates!)], tensor!.shape, tensor!.dtype);

/** tf.oneHot by comparison: an index out of range gives a row of off values, where ONNX would count from the back. */
const oneHot: Kernel = (t, { indices }, { depth, onValue, offValue, dtype = 'float32' }) => {
  const classes = literal(t, [depth], 'int32', Int32Array.from({ length: depth }, (_, i) => i));
  const hot = pairs(t, 'Equal', reshape(t, indices!, [...indices!.shape, 1]), classes, 'int32', 'bool');
  return choose(t, hot, scalar(t, onValue, dtype), scalar(t, offValue, dtype));
};

/** tf.topk over the last axis: values and int32 indices, largest first, the first of equal ones first. */
const topK: Kernel = (t, { x }, { k, sorted }: { k: number; sorted: boolean }) => {
  const [input, dtype] = [numeric(t, x!), x!.dtype as DType];
  const shape = [...x!.shape.slice(0, -1), k];
  // the runtime ends the process
  if (sizeOf(shape) === 0) return [full(t, shape, dtype, 0), full(t, shape, 'int32', 0)];
  const results = [
    { shape, dtype: input.dtype as DType },
    { shape, dtype: 'int64' as const },
  ];
  const [values, indices] = t.builder.nodeOf('TopK', [t.ref(input), t.builder.ints([k])], results, {
    axis: -1,
    sorted: sorted ? 1 : 0,
  });
  return [t.cast(t.bind(values!, shape, input.dtype), dtype), t.cast(t.bind(indices!, shape, 'int64'), 'int32')];
};

export const indexingKernels: Kernels = {
  GatherV2: gather,
  GatherNd: gatherNd,
  ScatterNd: scatterNd,
  TensorScatterUpdate: tensorScatterUpdate,
  OneHot: oneHot,
  UnsortedSegmentSum: composed(segmentSum),
  TopK: topK,
  Bincount: composed(denseBincount),
  DenseBincount: composed(denseBincount),
  SearchSorted: composed(searchSorted),
};
