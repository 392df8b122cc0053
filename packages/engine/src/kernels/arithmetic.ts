import * as tf from '@tensorflow/tfjs';
import type { Info, Kernel, Kernels, Trace } from '../trace.js';
import { choose, each, pairs, product, scalar, wider } from './common.js';

const arithmetic =
  (op: string): Kernel =>
  (t, { a, b }) =>
    pairs(t, op, a!, b!, wider(a!, b!));

const equals = (t: Trace, x: Info, value: number): Info => pairs(t, 'Equal', x, scalar(t, value, 'int32'), 'int32', 'bool');

/** A quotient of integers, or what is left of one, with 0 for a divisor of 0: the processor faults there, and for the smallest one by -1. */
function whole(t: Trace, op: 'Div' | 'Mod', a: Info, b: Info): Info {
  const [none, turn] = [equals(t, b, 0), equals(t, b, -1)];
  const safe = choose(t, pairs(t, 'Or', none, turn, 'bool'), scalar(t, 1, 'int32'), t.cast(b, 'int32'));
  const by = pairs(t, op, a, safe, 'int32');
  if (op === 'Mod') return by; // 0 for a divisor of 1
  return choose(t, none, scalar(t, 0, 'int32'), choose(t, turn, each(t, 'Neg', t.cast(a, 'int32')), by));
}

/** The remainder with the sign of the divisor. */
function floorMod(t: Trace, a: Info, b: Info): Info {
  const dtype = wider(a, b);
  if (dtype === 'int32') return whole(t, 'Mod', a, b);
  const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
  const [x, y] = [t.cast(a, dtype), t.cast(b, dtype)];
  // for floats ONNX has only the remainder with the sign of the dividend
  const remainder = (u: Info, v: Info) => t.emit('Mod', [t.ref(u), t.ref(v)], shape, dtype, { fmod: 1 });
  const plain = remainder(x, y);
  const negative = (u: Info) => pairs(t, 'Less', u, scalar(t, 0), 'float32', 'bool');
  const alike = pairs(t, 'Equal', negative(x), negative(y), 'bool');
  return choose(t, alike, plain, remainder(pairs(t, 'Add', plain, y, dtype), y));
}

/** tf.floorDiv: rounds towards minus infinity, and gives integers; 0 for a divisor of 0. */
const floorDiv: Kernel = (t, { a, b }) => {
  if (wider(a!, b!) === 'float32') {
    const quotient = t.cast(each(t, 'Floor', pairs(t, 'Div', a!, b!, 'float32')), 'int32');
    return choose(t, pairs(t, 'Equal', b!, scalar(t, 0), 'float32', 'bool'), scalar(t, 0, 'int32'), quotient);
  }
  // exact, where floats would lose integers past 2^24; and the runtime cuts off, which is one too many where the signs differ
  const [cut, rest] = [whole(t, 'Div', a!, b!), floorMod(t, a!, b!)];
  const negative = (x: Info) => pairs(t, 'Less', x, scalar(t, 0, 'int32'), 'int32', 'bool');
  const alike = pairs(t, 'Equal', negative(a!), negative(b!), 'bool');
  return choose(t, pairs(t, 'Or', alike, equals(t, rest, 0), 'bool'), cut, pairs(t, 'Sub', cut, scalar(t, 1, 'int32'), 'int32'));
};

/** tf.pow; of integers, 0 to a power below 0 is 0. */
const pow: Kernel = (t, { a, b }) => {
  const dtype = wider(a!, b!);
  const power = pairs(t, 'Pow', a!, b!, dtype);
  if (dtype === 'float32') return power;
  const endless = pairs(t, 'And', equals(t, a!, 0), pairs(t, 'Less', b!, scalar(t, 0, 'int32'), 'int32', 'bool'), 'bool');
  return choose(t, endless, scalar(t, 0, 'int32'), power);
};

const squaredDifference: Kernel = (t, { a, b }) => {
  const d = pairs(t, 'Sub', a!, b!, wider(a!, b!));
  return pairs(t, 'Mul', d, d, wider(a!, b!));
};

/** tf.atan2 from the angle of a/b, moved to the quadrant of (b, a); of two zeros or two endless sides the signs decide. */
const atan2: Kernel = (t, inputs) => {
  const [a, b] = [t.cast(inputs['a']!, 'float32'), t.cast(inputs['b']!, 'float32')];
  const none = (x: Info) => pairs(t, 'Equal', x, scalar(t, 0), 'float32', 'bool');
  // 1/x tells -0 from 0
  const negative = (x: Info) => pairs(t, 'Less', choose(t, none(x), each(t, 'Reciprocal', x), x), scalar(t, 0), 'float32', 'bool');
  const endless = pairs(t, 'And', each(t, 'IsInf', a, {}, 'bool'), each(t, 'IsInf', b, {}, 'bool'), 'bool');
  const [y, x] = [a, b].map((side) => choose(t, endless, each(t, 'Sign', side), side)) as [Info, Info];
  const slope = each(t, 'Atan', pairs(t, 'Div', y, x, 'float32'));
  const angle = choose(t, pairs(t, 'And', none(a), none(b), 'bool'), a, slope);
  const turn = choose(t, negative(a), scalar(t, -Math.PI), scalar(t, Math.PI));
  return choose(t, negative(b), pairs(t, 'Add', angle, turn, 'float32'), angle);
};

const addN: Kernel = (t, inputs) => {
  const [first, ...rest] = Object.values(inputs);
  return rest.reduce((sum, x) => pairs(t, 'Add', sum, x, wider(sum, x)), first!);
};

export const arithmeticKernels: Kernels = {
  Add: arithmetic('Add'),
  Sub: arithmetic('Sub'),
  Multiply: (t, { a, b }) => product(t, a!, b!),
  RealDiv: (t, { a, b }) => pairs(t, 'Div', a!, b!, 'float32'),
  FloorDiv: floorDiv,
  Mod: (t, { a, b }) => floorMod(t, a!, b!),
  Pow: pow,
  Maximum: arithmetic('Max'),
  Minimum: arithmetic('Min'),
  SquaredDifference: squaredDifference,
  Atan2: atan2,
  AddN: addN,
};
