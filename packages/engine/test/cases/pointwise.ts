import * as tf from '@tensorflow/tfjs';
import { type Case, type Kind, PAIRS, SHAPES, flat, smooth } from './case.js';

const unary = (kernel: string, call: (x: tf.Tensor) => tf.Tensor, kind: Kind = 'normal'): Case[] =>
  SHAPES.map((shape) => smooth(kernel, call, [shape, kind]));
const binary = (kernel: string, call: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, left: Kind = 'normal', right: Kind = left): Case[] =>
  PAIRS.flatMap(([a, b]) => [smooth(kernel, call, [a, left], [b, right]), smooth(kernel, call, [b, left], [a, right])]);
const compared = (kernel: string, call: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, kind: Kind = 'int'): Case[] =>
  PAIRS.flatMap(([a, b]) => [flat(kernel, call, [a, kind], [b, kind])]);
/** Integers that are never 0; a plain 2 would make floats of them. */
const odd = (x: tf.Tensor) => tf.sub(tf.mul(x, tf.scalar(2, 'int32')), tf.scalar(1, 'int32'));
const special = () => tf.tensor1d([NaN, Infinity, -Infinity, 0, 1]);

export const ARITHMETIC: readonly Case[] = [
  ...binary('Add', tf.add), ...binary('Sub', tf.sub), ...binary('Multiply', tf.mul), ...binary('RealDiv', tf.div, 'normal', 'positive'),
  ...binary('Pow', tf.pow, 'positive', 'normal'), ...binary('SquaredDifference', tf.squaredDifference), ...binary('Atan2', tf.atan2),
  ...binary('Maximum', tf.maximum), ...binary('Minimum', tf.minimum),
  ...PAIRS.map(([a, b]) => smooth('Mod', tf.mod, [a, 'normal'], [b, 'above1'])), ...compared('Mod', (a, b) => tf.mod(a, odd(b))),
  ...compared('Mod', tf.mod, 'normal'),
  ...compared('Add', tf.add), ...compared('Sub', tf.sub), ...compared('Multiply', tf.mul), ...compared('Maximum', tf.maximum), ...compared('Minimum', tf.minimum),
  ...compared('SquaredDifference', tf.squaredDifference), ...compared('Pow', tf.pow, 'counts'),
  ...compared('FloorDiv', (a, b) => tf.floorDiv(a, odd(b))), ...compared('FloorDiv', (a, b) => tf.div(a, odd(b))),
  flat('FloorDiv', (a) => tf.floorDiv(a, tf.scalar(3, 'int32')), [[4], { below: 2 ** 30 }]),
  flat('FloorDiv', (a, b) => tf.floorDiv(a, b), [[4, 3]], [[3], 'above1']),
  flat('Add', tf.add, [[2, 3], 'int'], [[3], 'normal']), flat('Multiply', tf.mul, [[3], 'normal'], [[2, 3], 'counts']),
  flat('Sub', (a) => tf.sub(a, 1), [[3], 'int']), flat('Add', (a, b) => tf.add(tf.cast(a, 'int32'), b), [[3], 'bool'], [[2, 1], 'int']),
  smooth('Multiply', (a) => tf.mul(a, tf.ones([2, 3])), [[2, 3]]), smooth('Multiply', (a) => tf.mul(tf.ones([2, 3]), a), [[3]]),
  smooth('Add', (a) => tf.add(tf.fill([2, 3], 0.5), a), [[2, 1]]), smooth('Sub', (a) => tf.sub(tf.zeros([2, 3]), a), [[2, 3]]),
  smooth('RealDiv', (a) => tf.div(tf.ones([2, 3]), a), [[2, 3], 'positive']),
  flat('Atan2', () => tf.atan2(tf.tensor1d([0, 0, 1, -1, 0]), tf.tensor1d([1, -1, 0, 0, 0]))),
  ...SHAPES.map((shape) => smooth('AddN', (a, b, c) => tf.addN([a!, b!, c!]), [shape], [shape], [shape])), smooth('AddN', (a) => tf.addN([a!]), [[2, 3]]),
];

export const COMPARISON: readonly Case[] = [
  ...compared('Equal', tf.equal), ...compared('NotEqual', tf.notEqual), ...compared('Greater', tf.greater), ...compared('GreaterEqual', tf.greaterEqual),
  ...compared('Less', tf.less), ...compared('LessEqual', tf.lessEqual),
  ...compared('LogicalAnd', tf.logicalAnd, 'bool'), ...compared('LogicalOr', tf.logicalOr, 'bool'), ...compared('LogicalOr', tf.logicalXor, 'bool'),
  ...[tf.equal, tf.notEqual, tf.greater, tf.greaterEqual, tf.less, tf.lessEqual].map((call, i) =>
    flat(['Equal', 'NotEqual', 'Greater', 'GreaterEqual', 'Less', 'LessEqual'][i]!, (a, b) => call(a!, b!), [[2, 3], 'normal'], [[3], 'int'])),
  flat('Equal', tf.equal, [[2, 3], 'bool'], [[3], 'bool']),
  ...SHAPES.map((shape) => flat('LogicalNot', tf.logicalNot, [shape, 'bool'])),
  flat('IsNan', () => tf.isNaN(special())), flat('IsInf', () => tf.isInf(special())), flat('IsFinite', () => tf.isFinite(special())),
  ...SHAPES.map((shape) => flat('IsNan', (x) => tf.isNaN(tf.log(x)), [shape])),
  flat('IsFinite', tf.isFinite, [[2, 3]]), flat('IsInf', tf.isInf, [[], 'normal']),
  ...SHAPES.map((shape) => smooth('Select', (c, a, b) => tf.where(c!, a!, b!), [shape, 'bool'], [shape], [shape])),
  ...PAIRS.map(([a, b]) => (Math.max(a.length, b.length) < 5 ? smooth : flat)('Select', (x, y) => tf.where(tf.greater(x!, 0), x!, y!), [a], [b])),
  flat('Select', (c, a, b) => tf.where(c!, a!, b!), [[2, 3], 'bool'], [[2, 3], 'int'], [[2, 3], 'int']),
  flat('Select', (c, a, b) => tf.where(c!, a!, b!), [[2, 3], 'bool'], [[2, 3], 'bool'], [[2, 3], 'bool']),
];

export const UNARY: readonly Case[] = [
  ...unary('Abs', tf.abs), ...unary('Neg', tf.neg), ...unary('Sign', tf.sign), ...unary('Square', tf.square), ...unary('Exp', tf.exp),
  ...unary('Expm1', tf.expm1), ...unary('Log', tf.log, 'positive'), ...unary('Log1p', tf.log1p, 'positive'), ...unary('Sqrt', tf.sqrt, 'positive'),
  ...unary('Rsqrt', tf.rsqrt, 'positive'), ...unary('Reciprocal', tf.reciprocal, 'positive'), ...unary('Erf', tf.erf), ...unary('Sin', tf.sin),
  ...unary('Cos', tf.cos), ...unary('Tan', tf.tan, 'unit'), ...unary('Asin', tf.asin, 'unit'), ...unary('Acos', tf.acos, 'unit'), ...unary('Atan', tf.atan),
  ...unary('Sinh', tf.sinh), ...unary('Cosh', tf.cosh), ...unary('Tanh', tf.tanh), ...unary('Asinh', tf.asinh), ...unary('Acosh', tf.acosh, 'above1'),
  ...unary('Atanh', tf.atanh, 'unit'), ...unary('Sigmoid', tf.sigmoid), ...unary('Softplus', tf.softplus), ...unary('Softplus', tf.logSigmoid),
  ...unary('Relu', tf.relu), ...unary('Relu6', (x) => tf.relu6(tf.mul(x, 5))), ...unary('Elu', tf.elu), ...unary('EluGrad', tf.elu), ...unary('Selu', tf.selu),
  ...unary('LeakyRelu', (x) => tf.leakyRelu(x, 0.3)), ...unary('Step', (x) => tf.step(x, 0.2)), ...unary('Step', (x) => tf.step(x)),
  ...unary('ClipByValue', (x) => tf.clipByValue(x, -0.5, 0.7)), ...unary('Floor', tf.floor), ...unary('Ceil', tf.ceil), ...unary('Round', tf.round),
  ...unary('Identity', tf.clone), ...unary('Tanh', (x) => tf.mul(tf.mul(x, 0.5), tf.add(1, tf.tanh(tf.mul(0.79788456, tf.add(x, tf.mul(0.044715, tf.pow(x, 3)))))))),
  ...unary('Prelu', (x) => tf.prelu(x, tf.scalar(0.4))), smooth('Prelu', tf.prelu, [[2, 3, 4]], [[4]]), smooth('Prelu', tf.prelu, [[2, 3]], [[1]]),
  ...SHAPES.flatMap((shape) => [
    flat('Cast', (x) => tf.cast(x!, 'int32'), [shape]), flat('Cast', (x) => tf.cast(x!, 'bool'), [shape, 'int']), flat('Cast', (x) => tf.cast(x!, 'float32'), [shape, 'bool']),
    smooth('Cast', (x) => tf.cast(x!, 'float32'), [shape]),
  ]),
  flat('Abs', tf.abs, [[2, 3], 'int']), flat('Neg', tf.neg, [[2, 3], 'int']), flat('Sign', tf.sign, [[2, 3], 'int']), flat('Square', tf.square, [[2, 3], 'int']),
  flat('Relu', tf.relu, [[2, 3], 'int']), flat('Exp', tf.exp, [[3], 'int']),
  flat('ClipByValue', (x) => tf.clipByValue(x!, -2, 3), [[2, 3], 'int']), flat('Round', () => tf.round(tf.tensor1d([0.5, 1.5, 2.5, -0.5, -1.5, 0.4, 0.6]))),
  flat('Step', () => tf.step(special(), 0.5)),
  flat('Expm1', () => tf.expm1(tf.tensor1d([1e-6, -1e-6, 1e-30, 0, 3, -40, 90]))), flat('Log1p', () => tf.log1p(tf.tensor1d([1e-6, -1e-6, 1e-30, 0, 3, 1e6, -0.99]))),
  flat('Sigmoid', () => tf.sigmoid(tf.tensor1d([-100, -20, 20, 100]))), flat('Tanh', () => tf.tanh(tf.tensor1d([-100, -20, 1e-4, 100]))),
];
