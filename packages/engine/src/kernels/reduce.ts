import * as tf from '@tensorflow/tfjs';
import { ONNX_TYPE } from '../onnx.js';
import { addKernel } from '../trace.js';
import { cast } from './elementwise.js';

const REDUCTIONS = { Sum: 'ReduceSum', Max: 'ReduceMax', Min: 'ReduceMin', Mean: 'ReduceMean', Prod: 'ReduceProd' };
for (const [name, op] of Object.entries(REDUCTIONS))
  addKernel(name, (t, { x }, attributes) => {
    const axes = tf.util.parseAxisParam(attributes.axis ?? x!.shape.map((_, i) => i), x!.shape);
    const keep = Boolean(attributes.keepDims);
    const shape = x!.shape.flatMap((d, i) => (axes.includes(i) ? (keep ? [1] : []) : [d]));
    const dtype = op === 'ReduceMean' ? 'float32' : x!.dtype === 'bool' ? 'int32' : x!.dtype;
    const ref = cast(t, x!, dtype as 'float32');
    if (axes.length === 0) return t.bind(ref, shape, dtype);
    return t.emit(op, [ref, t.builder.ints(axes)], shape, dtype, { keepdims: keep ? 1 : 0 });
  });
for (const op of ['ArgMax', 'ArgMin'])
  addKernel(op, (t, { x }, attributes) => {
    const [axis] = tf.util.parseAxisParam(attributes.axis, x!.shape) as [number];
    const index = t.builder.node(op, [t.ref(x!)], { axis, keepdims: 0 });
    return t.emit('Cast', [index], x!.shape.filter((_, i) => i !== axis), 'int32', { to: ONNX_TYPE.int32 });
  });
addKernel('Softmax', (t, { logits }, { dim }) => t.emit('Softmax', [t.ref(logits!)], logits!.shape, 'float32', { axis: dim }));
addKernel('LogSoftmax', (t, { logits }, { axis }) => t.emit('LogSoftmax', [t.ref(logits!)], logits!.shape, 'float32', { axis }));
addKernel('BatchMatMul', (t, { a, b }, { transposeA, transposeB }) => {
  const turned = (x: typeof a, flip: boolean) => {
    if (!flip) return t.ref(x!);
    const n = x!.shape.length;
    return t.builder.node('Transpose', [t.ref(x!)], { perm: [...Array(n - 2).keys(), n - 1, n - 2] });
  };
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(a!.shape.slice(0, -2), b!.shape.slice(0, -2));
  const shape = [...batch, a!.shape.at(transposeA ? -1 : -2)!, b!.shape.at(transposeB ? -2 : -1)!];
  return t.emit('MatMul', [turned(a, transposeA), turned(b, transposeB)], shape, 'float32');
});
