import * as tf from '@tensorflow/tfjs';
import { ONNX_TYPE } from '../onnx.js';
import { addKernel, type Info, type Trace } from '../trace.js';
import type { DType } from '../types.js';

const same = (a: readonly number[], b: readonly number[]) => a.length === b.length && a.every((d, i) => d === b[i]);

/** The value of `info` as `dtype`. */
export function cast(trace: Trace, info: Info, dtype: DType): string {
  const ref = trace.ref(info);
  return info.dtype === dtype ? ref : trace.builder.node('Cast', [ref], { to: ONNX_TYPE[dtype] });
}

function binary(trace: Trace, op: string, a: Info, b: Info, dtype: DType, as: DType): Info {
  const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
  let [x, y] = [cast(trace, a, as), cast(trace, b, as)];
  const [sx, sy] = [trace.builder.splats.get(x), trace.builder.splats.get(y)];
  // tape gradients of sum and mean multiply by ones of the full shape
  if (op === 'Mul' && sy?.value === 1 && same(a.shape, shape)) return trace.bind(x, shape, dtype);
  if (op === 'Mul' && sx?.value === 1 && same(b.shape, shape)) return trace.bind(y, shape, dtype);
  if (sy && same(a.shape, shape)) y = sy.scalar;
  else if (sx && same(b.shape, shape)) x = sx.scalar;
  return trace.emit(op, [x, y], shape, dtype);
}

const ARITHMETIC = { Add: 'Add', AddV2: 'Add', Sub: 'Sub', Multiply: 'Mul', Maximum: 'Max', Minimum: 'Min', Pow: 'Pow' };
for (const [name, op] of Object.entries(ARITHMETIC))
  addKernel(name, (t, { a, b }) => {
    const dtype = a!.dtype === 'float32' || b!.dtype === 'float32' ? 'float32' : 'int32';
    return binary(t, op, a!, b!, dtype, dtype);
  });
addKernel('RealDiv', (t, { a, b }) => binary(t, 'Div', a!, b!, 'float32', 'float32'));
addKernel('SquaredDifference', (t, { a, b }) => {
  const d = binary(t, 'Sub', a!, b!, 'float32', 'float32');
  return binary(t, 'Mul', d, d, 'float32', 'float32');
});

const COMPARE = { Equal: 'Equal', Greater: 'Greater', GreaterEqual: 'GreaterOrEqual', Less: 'Less', LessEqual: 'LessOrEqual' };
for (const [name, op] of Object.entries(COMPARE))
  addKernel(name, (t, { a, b }) =>
    binary(t, op, a!, b!, 'bool', a!.dtype === 'float32' || b!.dtype === 'float32' ? 'float32' : 'int32'));
const not = (t: Trace, x: Info) => t.emit('Not', [t.ref(x)], x.shape, 'bool');
addKernel('NotEqual', (t, { a, b }) =>
  not(t, binary(t, 'Equal', a!, b!, 'bool', a!.dtype === 'float32' || b!.dtype === 'float32' ? 'float32' : 'int32')));
addKernel('LogicalAnd', (t, { a, b }) => binary(t, 'And', a!, b!, 'bool', 'bool'));
addKernel('LogicalOr', (t, { a, b }) => binary(t, 'Or', a!, b!, 'bool', 'bool'));
addKernel('LogicalNot', (t, { x }) => not(t, x!));

const FLOAT = { Exp: 'Exp', Log: 'Log', Sqrt: 'Sqrt', Tanh: 'Tanh', Sigmoid: 'Sigmoid', Erf: 'Erf', Reciprocal: 'Reciprocal', Softplus: 'Softplus', Sin: 'Sin', Cos: 'Cos' };
for (const [name, op] of Object.entries(FLOAT)) addKernel(name, (t, { x }) => t.emit(op, [cast(t, x!, 'float32')], x!.shape, 'float32'));
for (const [name, op] of Object.entries({ Neg: 'Neg', Abs: 'Abs', Sign: 'Sign', Relu: 'Relu', Identity: 'Identity' }))
  addKernel(name, (t, { x }) => (op === 'Identity' ? t.bind(t.ref(x!), x!.shape, x!.dtype) : t.emit(op, [t.ref(x!)], x!.shape, x!.dtype)));
for (const [name, op] of Object.entries({ Floor: 'Floor', Ceil: 'Ceil', Round: 'Round' }))
  addKernel(name, (t, { x }) => (x!.dtype === 'int32' ? t.bind(t.ref(x!), x!.shape, 'int32') : t.emit(op, [t.ref(x!)], x!.shape, 'float32')));
addKernel('Rsqrt', (t, { x }) => t.emit('Reciprocal', [t.builder.node('Sqrt', [cast(t, x!, 'float32')])], x!.shape, 'float32'));
addKernel('Square', (t, { x }) => t.emit('Mul', [t.ref(x!), t.ref(x!)], x!.shape, x!.dtype));
addKernel('IsNan', (t, { x }) => t.emit('IsNaN', [t.ref(x!)], x!.shape, 'bool'));
addKernel('Cast', (t, { x }, { dtype }) => t.bind(cast(t, x!, dtype), x!.shape, dtype));
addKernel('ClipByValue', (t, { x }, { clipValueMin, clipValueMax }) => {
  const dtype = x!.dtype as DType;
  return t.emit('Clip', [t.ref(x!), t.builder.scalar(clipValueMin, dtype), t.builder.scalar(clipValueMax, dtype)], x!.shape, dtype);
});
addKernel('AddN', (t, inputs) => {
  const all = Object.values(inputs);
  return t.emit('Sum', all.map((x) => t.ref(x)), all[0]!.shape, all[0]!.dtype);
});
addKernel('Select', (t, { condition, t: yes, e: no }) => {
  const { shape } = yes!;
  // a condition of rank 1 picks whole rows in TensorFlow.js, where ONNX would broadcast from the right
  const rows = condition!.shape.length === 1 && shape.length > 1;
  const ref = cast(t, condition!, 'bool');
  const pick = rows ? t.builder.node('Reshape', [ref, t.builder.ints([shape[0]!, ...shape.slice(1).map(() => 1)])]) : ref;
  return t.emit('Where', [pick, t.ref(yes!), t.ref(no!)], shape, yes!.dtype);
});
