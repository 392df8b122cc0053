import * as tf from '@tensorflow/tfjs';
import { sameShape } from '../graph/shapes.js';
import type { Info, Kernel, Kernels, Trace } from '../trace.js';
import type { DType } from '../types.js';
import { choose, each, numeric, pairs, product, scalar } from './common.js';

/** A function of real numbers, computed and given as floats. */
const real =
  (op: string): Kernel =>
  (t, { x }) =>
    each(t, op, t.cast(x!, 'float32'));
/** A function that keeps the type: truth values stay as they are. */
const kept =
  (op: string): Kernel =>
  (t, { x }) =>
    x!.dtype === 'bool' ? x! : each(t, op, x!);
/** Rounding: integers and truth values stay as they are. */
const rounded =
  (op: string): Kernel =>
  (t, { x }) =>
    x!.dtype === 'float32' ? each(t, op, x!) : x!;

const binary = (t: Trace, op: string, a: Info, b: number | Info) =>
  pairs(t, op, a, typeof b === 'number' ? scalar(t, b) : b, 'float32');
const isSmall = (t: Trace, x: Info) => pairs(t, 'Less', each(t, 'Abs', x), scalar(t, 0.5), 'float32', 'bool');
const is = (t: Trace, x: Info, value: number) => pairs(t, 'Equal', x, scalar(t, value), 'float32', 'bool');

/** exp(x) - 1 without loss of digits near 0: the rounding of u = exp(x) cancels in (u - 1) x / log(u) (Higham 2002, 1.14.1). */
const expm1: Kernel = (t, inputs) => {
  const x = t.cast(inputs['x']!, 'float32');
  const u = each(t, 'Exp', x);
  const plain = binary(t, 'Sub', u, 1);
  const near = binary(t, 'Div', binary(t, 'Mul', plain, x), each(t, 'Log', u));
  return choose(t, isSmall(t, x), choose(t, is(t, u, 1), x, near), plain);
};

/** log(1 + x) without loss of digits near 0, as {@link expm1}. */
const log1p: Kernel = (t, inputs) => {
  const x = t.cast(inputs['x']!, 'float32');
  const u = binary(t, 'Add', x, 1);
  const plain = each(t, 'Log', u);
  const near = binary(t, 'Div', binary(t, 'Mul', plain, x), binary(t, 'Sub', u, 1));
  return choose(t, isSmall(t, x), choose(t, is(t, u, 1), x, near), plain);
};

const clip = (t: Trace, given: Info, low: number, high: number): Info => {
  const x = numeric(t, given);
  const dtype = x.dtype as DType;
  const bound = (value: number) => (dtype === 'int32' ? Math.min(Math.max(value, -(2 ** 31)), 2 ** 31 - 1) : value);
  const bounds = [low, high].map((value) => t.builder.scalar(bound(value), dtype));
  return t.cast(t.emit('Clip', [t.ref(x), ...bounds], x.shape, dtype), given.dtype as DType);
};

/** tf.relu. The runtime joins its own one with a clip behind it, and then refuses integers. */
const relu: Kernel = (t, { x }) => (x!.dtype === 'int32' ? pairs(t, 'Max', x!, scalar(t, 0, 'int32'), 'int32') : kept('Relu')(t, { x: x! }, {}));

/** tf.prelu: x where x >= 0, else alpha x. */
const prelu: Kernel = (t, { x: given, alpha: slope }) => {
  const [x, alpha] = [t.cast(given!, 'float32'), t.cast(slope!, 'float32')];
  const shape = tf.broadcast_util.assertAndGetBroadcastShape(x.shape, alpha.shape);
  if (sameShape(shape, x.shape)) return t.emit('PRelu', [t.ref(x), t.ref(alpha)], shape, 'float32');
  // the runtime repeats the slopes for x, never x for the slopes
  return choose(t, pairs(t, 'Less', x, scalar(t, 0), 'float32', 'bool'), binary(t, 'Mul', x, alpha), x);
};

/** tf.step: 1 above 0, else alpha; what is not a number stays so, and the type is kept. */
const step: Kernel = (t, { x }, { alpha }: { alpha?: number }) => {
  const input = t.cast(x!, 'float32');
  const above = pairs(t, 'Greater', input, scalar(t, 0), 'float32', 'bool');
  const value = alpha ? choose(t, above, scalar(t, 1), scalar(t, alpha)) : t.cast(above, 'float32');
  return x!.dtype === 'float32' ? choose(t, each(t, 'IsNaN', input, {}, 'bool'), input, value) : t.cast(value, x!.dtype as DType);
};

/** The gradient of elu by its result y: dy where y >= 0, else dy (y + 1). */
const eluGrad: Kernel = (t, { dy, y }) =>
  choose(t, pairs(t, 'GreaterOrEqual', y!, scalar(t, 0), 'float32', 'bool'), dy!, binary(t, 'Mul', dy!, binary(t, 'Add', y!, 1)));

export const unaryKernels: Kernels = {
  Abs: kept('Abs'),
  Neg: kept('Neg'),
  Sign: kept('Sign'),
  Relu: relu,
  Square: (t, { x }) => product(t, x!, x!),
  Identity: (_, { x }) => x!,
  Cast: (t, { x }, { dtype }: { dtype: DType }) => t.cast(x!, dtype),
  Floor: rounded('Floor'),
  Ceil: rounded('Ceil'),
  Round: rounded('Round'),
  Exp: real('Exp'),
  Expm1: expm1,
  Log: real('Log'),
  Log1p: log1p,
  Sqrt: real('Sqrt'),
  Rsqrt: (t, { x }) => each(t, 'Reciprocal', each(t, 'Sqrt', t.cast(x!, 'float32'))),
  Reciprocal: real('Reciprocal'),
  Erf: real('Erf'),
  Sin: real('Sin'),
  Cos: real('Cos'),
  Tan: real('Tan'),
  Asin: real('Asin'),
  Acos: real('Acos'),
  Atan: real('Atan'),
  Sinh: real('Sinh'),
  Cosh: real('Cosh'),
  Tanh: real('Tanh'),
  Asinh: real('Asinh'),
  Acosh: real('Acosh'),
  Atanh: real('Atanh'),
  Sigmoid: real('Sigmoid'),
  Softplus: real('Softplus'),
  Elu: real('Elu'),
  EluGrad: eluGrad,
  Selu: real('Selu'),
  Relu6: (t, { x }) => clip(t, x!, 0, 6),
  LeakyRelu: (t, { x }, { alpha }: { alpha: number }) => each(t, 'LeakyRelu', t.cast(x!, 'float32'), { alpha: { float: alpha } }),
  Prelu: prelu,
  Step: step,
  ClipByValue: (t, { x }, { clipValueMin, clipValueMax }) => clip(t, x!, clipValueMin, clipValueMax),
};
