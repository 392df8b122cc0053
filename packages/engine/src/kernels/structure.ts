import * as tf from '@tensorflow/tfjs';
import { ONNX_TYPE } from '../onnx.js';
import { addKernel, type Info, type Trace } from '../trace.js';
import type { DType } from '../types.js';
import { cast } from './elementwise.js';

function reshape(t: Trace, x: Info, shape: readonly number[]): Info {
  const splat = t.builder.splats.get(t.ref(x));
  if (splat) return t.bind(t.builder.splat(shape, x.dtype as DType, splat.value), shape, x.dtype);
  return t.emit('Reshape', [t.ref(x), t.builder.ints(shape)], shape, x.dtype, { allowzero: 1 });
}
const slice = (t: Trace, x: Info, begin: readonly number[], size: readonly number[]): Info =>
  t.emit('Slice', [t.ref(x), t.builder.ints(begin), t.builder.ints(begin.map((b, i) => b + size[i]!))], size, x.dtype);
const concat = (t: Trace, all: readonly Info[], axis: number): Info => {
  const shape = [...all[0]!.shape];
  shape[axis] = all.reduce((sum, x) => sum + x.shape[axis]!, 0);
  return t.emit('Concat', all.map((x) => t.ref(x)), shape, all[0]!.dtype, { axis });
};
const inserted = (shape: readonly number[], axis: number) => [...shape.slice(0, axis), 1, ...shape.slice(axis)];

addKernel('Reshape', (t, { x }, { shape }) => reshape(t, x!, tf.util.inferFromImplicitShape(shape, tf.util.sizeFromShape(x!.shape))));
addKernel('ExpandDims', (t, { input }, { dim }) => reshape(t, input!, inserted(input!.shape, dim < 0 ? input!.shape.length + 1 + dim : dim)));
addKernel('Transpose', (t, { x }, { perm }) => t.emit('Transpose', [t.ref(x!)], perm.map((p: number) => x!.shape[p]), x!.dtype, { perm }));
addKernel('Slice', (t, { x }, { begin, size }) => {
  const [start, extent] = tf.slice_util.parseSliceParams(x as unknown as tf.Tensor, begin, size) as [number[], number[]];
  return slice(t, x!, start, extent);
});
addKernel('Concat', (t, inputs, { axis }) => concat(t, Object.values(inputs), tf.util.parseAxisParam(axis, inputs[0]!.shape)[0]!));
addKernel('Pack', (t, inputs, { axis }) => {
  const all = Object.values(inputs);
  const at = axis < 0 ? all[0]!.shape.length + 1 + axis : axis;
  return concat(t, all.map((x) => reshape(t, x, inserted(x.shape, at))), at);
});
addKernel('Unpack', (t, { value }, { axis }) => {
  const at = axis < 0 ? value!.shape.length + axis : axis;
  const size = value!.shape.map((d, i) => (i === at ? 1 : d));
  return Array.from({ length: value!.shape[at]! }, (_, k) =>
    reshape(t, slice(t, value!, size.map((_, i) => (i === at ? k : 0)), size), size.filter((_, i) => i !== at)));
});
addKernel('SplitV', (t, { x }, { numOrSizeSplits, axis }) => {
  const [at] = tf.util.parseAxisParam(axis, x!.shape) as [number];
  let start = 0;
  return tf.backend_util.prepareSplitSize(x as unknown as tf.Tensor, numOrSizeSplits, at).map((extent) => {
    const part = slice(t, x!, x!.shape.map((_, i) => (i === at ? start : 0)), x!.shape.map((d, i) => (i === at ? extent : d)));
    start += extent;
    return part;
  });
});
addKernel('Tile', (t, { x }, { reps }) => {
  const shape = x!.shape.map((d, i) => d * reps[i]);
  const splat = t.builder.splats.get(t.ref(x!));
  if (splat) return t.bind(t.builder.splat(shape, x!.dtype as DType, splat.value), shape, x!.dtype);
  return t.emit('Tile', [t.ref(x!), t.builder.ints(reps)], shape, x!.dtype);
});
addKernel('PadV2', (t, { x }, { paddings, constantValue }: { paddings: [number, number][]; constantValue: number }) => {
  const pads = t.builder.ints([...paddings.map((p) => p[0]), ...paddings.map((p) => p[1])]);
  const shape = x!.shape.map((d, i) => d + paddings[i]![0] + paddings[i]![1]);
  return t.emit('Pad', [t.ref(x!), pads, t.builder.scalar(constantValue ?? 0, x!.dtype as DType)], shape, x!.dtype);
});

addKernel('Fill', (t, _, { shape, value, dtype }) => t.bind(t.builder.splat(shape, dtype ?? 'float32', value), shape, dtype ?? 'float32'));
addKernel('ZerosLike', (t, { x }) => t.bind(t.builder.splat(x!.shape, x!.dtype as DType, 0), x!.shape, x!.dtype));
addKernel('OnesLike', (t, { x }) => t.bind(t.builder.splat(x!.shape, x!.dtype as DType, 1), x!.shape, x!.dtype));
addKernel('Step', (t, { x }, { alpha }) => {
  if (alpha) throw new Error("Kernel 'Step' not registered with alpha");
  return t.emit('Cast', [t.builder.node('Greater', [t.ref(x!), t.builder.scalar(0, 'float32')])], x!.shape, 'float32', { to: ONNX_TYPE.float32 });
});

addKernel('GatherV2', (t, { x, indices }, { axis, batchDims }) => {
  if (batchDims) throw new Error("Kernel 'GatherV2' not registered with batchDims");
  const [at] = tf.util.parseAxisParam(axis, x!.shape) as [number];
  const shape = [...x!.shape.slice(0, at), ...indices!.shape, ...x!.shape.slice(at + 1)];
  return t.emit('Gather', [t.ref(x!), cast(t, indices!, 'int32')], shape, x!.dtype, { axis: at });
});
addKernel('OneHot', (t, { indices }, { depth, onValue, offValue }) => {
  const values = t.builder.literal([2], 'float32', Float32Array.of(offValue, onValue));
  return t.emit('OneHot', [t.ref(indices!), t.builder.literal([1], 'int32', Int32Array.of(depth)), values], [...indices!.shape, depth], 'float32', { axis: -1 });
});
addKernel('UnsortedSegmentSum', (t, { x, segmentIds }, { numSegments }) => {
  const shape = [numSegments, ...x!.shape.slice(1)];
  const rows = t.builder.node('Reshape', [t.ref(segmentIds!), t.builder.ints([segmentIds!.shape[0]!, 1])]);
  const zeros = t.builder.splat(shape, x!.dtype as DType, 0);
  return t.emit('ScatterND', [zeros, t.builder.node('Cast', [rows], { to: ONNX_TYPE.int64 }), t.ref(x!)], shape, x!.dtype, { reduction: 'add' });
});
addKernel('Cumsum', (t, { x }, { axis, exclusive, reverse }) =>
  t.emit('CumSum', [t.ref(x!), t.builder.ints([axis])], x!.shape, x!.dtype, { exclusive: exclusive ? 1 : 0, reverse: reverse ? 1 : 0 }));
