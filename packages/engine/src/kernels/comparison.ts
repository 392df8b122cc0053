import type { Info, Kernel, Kernels, Trace } from '../trace.js';
import type { DType } from '../types.js';
import { choose, each, pairs, reshape, wider } from './common.js';

const compare =
  (op: string): Kernel =>
  (t, { a, b }) =>
    pairs(t, op, a!, b!, wider(a!, b!), 'bool');
const not = (t: Trace, x: Info): Info => each(t, 'Not', x);
const isNan = (t: Trace, x: Info): Info => each(t, 'IsNaN', t.cast(x, 'float32'), {}, 'bool');
const isInf = (t: Trace, x: Info): Info => each(t, 'IsInf', t.cast(x, 'float32'), {}, 'bool');
const logical =
  (op: string): Kernel =>
  (t, { a, b }) =>
    pairs(t, op, a!, b!, 'bool');

/** tf.where. A condition of rank 1 picks whole rows there, where ONNX would broadcast it from the right. */
const select: Kernel = (t, { condition, t: yes, e: no }) => {
  const rows = condition!.shape.length === 1 && yes!.shape.length > 1;
  const dtype = yes!.dtype === no!.dtype ? (yes!.dtype as DType) : wider(yes!, no!);
  const picked = rows ? reshape(t, condition!, [yes!.shape[0]!, ...yes!.shape.slice(1).map(() => 1)]) : condition!;
  return choose(t, picked, t.cast(yes!, dtype), t.cast(no!, dtype));
};

export const comparisonKernels: Kernels = {
  Equal: compare('Equal'),
  NotEqual: (t, { a, b }) => not(t, pairs(t, 'Equal', a!, b!, wider(a!, b!), 'bool')),
  Greater: compare('Greater'),
  GreaterEqual: compare('GreaterOrEqual'),
  Less: compare('Less'),
  LessEqual: compare('LessOrEqual'),
  LogicalAnd: logical('And'),
  LogicalOr: logical('Or'),
  LogicalNot: (t, { x }) => not(t, x!),
  IsNan: (t, { x }) => isNan(t, x!),
  IsInf: (t, { x }) => isInf(t, x!),
  IsFinite: (t, { x }) => not(t, pairs(t, 'Or', isNan(t, x!), isInf(t, x!), 'bool')),
  Select: select,
};
