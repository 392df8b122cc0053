import { createRandom, sizeOf } from '@lethe/core';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { type Device, type DType, type ProgramDefinition, type TensorSpec, type Values, openDevice } from '../src/index.js';
import { record } from '../src/trace.js';
import { evaluate } from './evaluate.js';

type Random = ReturnType<typeof createRandom>;
/** One more tensor from one that is there; undefined where it does not go. `other` is a second one, `any(n)` a number below n. */
type Step = (x: tf.Tensor, other: tf.Tensor, any: (n: number) => number) => tf.Tensor | undefined;

const fit = (a: tf.Tensor, b: tf.Tensor) => {
  const [short, long] = [a, b].map(({ shape }) => [...shape].reverse()).sort((s, t) => s.length - t.length) as [number[], number[]];
  return short.every((d, i) => d === 1 || long[i] === 1 || d === long[i]);
};
const both = (call: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Step => (x, other) => (fit(x, other) ? call(x, other) : undefined);
const ranked = (call: (x: tf.Tensor, axis: number, any: (n: number) => number) => tf.Tensor): Step => (x, _, any) =>
  x.rank > 0 ? call(x, any(2 * x.rank) - x.rank, any) : undefined;
const permutation = (rank: number, any: (n: number) => number) =>
  Array.from({ length: rank }, (_, i) => [any(100), i] as const).sort(([a], [b]) => a - b).map(([, i]) => i);
/** With a tensor of equal elements, on the left or on the right. */
const filled = (calls: readonly ((a: tf.Tensor, b: tf.Tensor) => tf.Tensor)[], x: tf.Tensor, any: (n: number) => number): tf.Tensor => {
  const sides = [x, tf.fill(x.shape, any(3) - 1, x.dtype as DType)] as const;
  return calls[any(calls.length)]!(...(any(2) ? sides : ([sides[1], sides[0]] as const)));
};
const bits = (x: tf.Tensor, n: number) => x.shape.map((_, i) => (n >> i) & 1);

/** What only moves elements, of any type. */
const MOVES: readonly Step[] = [
  (x, _, any) => tf.transpose(x, permutation(x.rank, any)),
  (x, _, any) => tf.transpose(tf.transpose(x, permutation(x.rank, any)), permutation(x.rank, any)),
  (x) => tf.reshape(x, [-1]),
  (x) => tf.reshape(x, [1, x.size, 1]),
  (x, _, any) => (x.rank > 1 ? tf.reshape(x, [x.shape[0]! * x.shape[1]!, ...x.shape.slice(2)]) : tf.expandDims(x, any(x.rank + 1))),
  ranked((x, _, any) => tf.pad(x, bits(x, any(16)).map((n, i) => [n, i % 2] as [number, number]), 1)),
  ranked((x, _, any) => tf.tile(x, bits(x, any(16)).map((n) => n + 1))),
  ranked((x, axis) => tf.reverse(x, axis)),
  ranked((x, axis) => tf.concat([x, x], axis)),
  ranked((x, axis, any) => tf.gather(x, tf.tensor1d([any(x.shape.at(axis)!), 0], 'int32'), axis)),
  ranked((x, _, any) => tf.slice(x, x.shape.map((d) => any(Math.ceil(d / 2))), x.shape.map(() => -1))),
];
const counted = (x: tf.Tensor) => (x.dtype === 'bool' ? tf.cast(x, 'int32') : x);
/** Integers and truth values, whose results are exact. */
const WHOLE: readonly Step[] = [
  ...MOVES,
  ...[tf.add, tf.sub, tf.maximum, tf.minimum, tf.mod, tf.floorDiv].map((call) => both((a, b) => call(counted(a), counted(b)))),
  ...[tf.mul, tf.greater, tf.lessEqual, tf.notEqual].map((call) => both(call)),
  both((a, b) => tf.where(tf.less(a, b), counted(a), counted(b))),
  (x, _, any) => tf.cast(x, any(2) ? 'bool' : 'int32'),
  (x, _, any) => filled([tf.add, tf.sub, tf.mul, tf.maximum, tf.equal], counted(x), any),
  (x) => (x.size < 30 ? tf.oneHot(tf.cast(x, 'int32'), 3, 5, -1, 'int32') : undefined),
  (x) => (x.rank === 2 ? tf.matMul(counted(x), counted(x), false, true) : undefined),
  ranked((x, axis, any) => (any(2) ? tf.sum : tf.max)(x, axis, any(2) === 1)),
  ranked((x, axis) => tf.argMax(x, axis)),
  ranked((x, axis, any) => tf.cumsum(counted(x), axis, any(2) === 1, any(2) === 1)),
];
/** Functions of real numbers that stay small and have no jumps, so that rounding stays small too. */
const REAL: readonly Step[] = [
  ...MOVES,
  ...[tf.tanh, tf.sigmoid, tf.softplus, tf.abs, tf.neg, tf.erf, tf.elu].map((call): Step => (x) => call(x)),
  (x) => tf.mul(x, tf.sigmoid(x)),
  ranked((x) => tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), 0.01)))),
  ...[tf.add, tf.sub, tf.maximum, tf.minimum].map((call) => both(call)),
  both((a, b) => tf.mul(tf.tanh(a), b)),
  both((a, b) => tf.div(a, tf.add(tf.square(b), 1))),
  both((a, b) => tf.where(tf.greater(a, b), a, b)),
  (x, _, any) => filled([tf.add, tf.sub, tf.mul, tf.maximum], x, any),
  (x, other) => (x.rank === 2 && other.rank === 2 && x.shape[1] === other.shape[1] ? tf.matMul(tf.tanh(x), other, false, true) : undefined),
  // three narrow products of one left side, as of an adapter
  (x) => (x.rank === 2 ? tf.concat([0, 1, 2].map((n) => tf.matMul(x, tf.add(tf.tanh(tf.transpose(x)), n))), 1) : undefined),
  ranked((x, axis, any) => [tf.sum, tf.mean, tf.max, tf.logSumExp][any(4)]!(x, axis, any(2) === 1)),
  ranked((x) => tf.softmax(x)),
  ranked((x, _, any) => tf.topk(x, 1 + any(x.shape.at(-1)!)).values),
  ranked((x, axis) => tf.cumsum(tf.tanh(x), axis)),
];

/** Steps drawn from a list, mostly on the newest tensors: shapes are all that they may depend on, so that they are the same in every call. */
function walk(seed: number, steps: readonly Step[], given: readonly tf.Tensor[]): tf.Tensor[] {
  const random = createRandom(seed, 'steps');
  const any = (n: number) => random.below(n);
  const tensors = [...given];
  for (let step = 0; step < 24; step++) {
    const newest = tensors.slice(any(3) ? -3 : 0);
    const next = steps[any(steps.length)]!(newest[any(newest.length)]!, tensors[any(tensors.length)]!, any);
    if (next && next.rank < 5 && next.size > 1 && next.size < 300) tensors.push(next);
  }
  return tensors.slice(-5);
}

/** The last tensors of such a program, and, of real ones, the gradients of a sum in which each element counts otherwise. */
function programOf(seed: number, steps: readonly Step[], dtypes: readonly DType[]): { definition: ProgramDefinition; feeds: Record<string, Values> } {
  const random: Random = createRandom(seed, 'inputs');
  const inputs: Record<string, TensorSpec> = {};
  const feeds: Record<string, Values> = {};
  const whole = Array.from({ length: 3 }, () => 1 + random.below(4));
  for (const [i, dtype] of dtypes.entries()) {
    const shape = whole.slice(i); // so that they go together
    const length = sizeOf(shape);
    inputs[`x${i}`] = { shape, dtype };
    if (dtype === 'float32') feeds[`x${i}`] = random.normals(length, 1);
    else feeds[`x${i}`] = dtype === 'bool' ? Uint8Array.from({ length }, () => random.below(2)) : Int32Array.from({ length }, () => random.below(13) - 6);
  }
  const loss = (results: readonly tf.Tensor[]) =>
    tf.addN(results.map((y) => tf.sum(tf.mul(y, tf.tensor(Float32Array.from({ length: y.size }, (_, i) => Math.sin(1 + i)), y.shape)))));
  const compute: ProgramDefinition['compute'] = (named) => {
    const given = Object.values(named);
    const results: [string, tf.Tensor][] = walk(seed, steps, given).map((y, i) => [`y${i}`, y]);
    if (!dtypes.includes('float32')) return Object.fromEntries(results);
    const { grads } = tf.engine().gradients(() => loss(walk(seed, steps, given)), given, undefined, true);
    const slopes = (grads as (tf.Tensor | null)[]).flatMap((dx, i): [string, tf.Tensor][] => (dx ? [[`d${i}`, dx]] : []));
    return Object.fromEntries([...results, ...slopes]);
  };
  return { definition: { name: `random ${seed}`, inputs, compute }, feeds };
}

describe('random programs', () => {
  const devices: Device[] = [];
  before(async () => {
    for (const name of ['cpu', 'tfjs-cpu']) devices.push(await openDevice({ name }));
  });
  after(async () => {
    for (const device of devices) await device.dispose();
  });

  for (const [what, steps, dtypes, tolerance] of [
    ['integers and truth values', WHOLE, ['int32', 'bool', 'int32'], 0],
    ['real numbers, with gradients', REAL, ['float32', 'float32', 'float32'], 3e-4],
  ] as const) {
    it(`of ${what} give what they give op by op, with the rules of graphs and without`, async () => {
      for (let seed = 0; seed < 24; seed++) {
        const { definition, feeds } = programOf(seed, steps, dtypes);
        const [compiled, plain] = [await devices[0]!.compile(definition), await devices[1]!.compile(definition)];
        expect(compiled.outputs, `${seed}`).to.deep.equal(plain.outputs);
        const wanted = await plain.run(feeds);
        for (const found of [await compiled.run(feeds), await evaluate(record(definition, 'cpu').graph, definition.inputs, feeds)])
          for (const [name, values] of Object.entries(wanted)) {
            const size = Math.max(1, ...Array.from(values, Math.abs));
            values.forEach((value, i) => expect(found[name]![i], `seed ${seed}, ${name}, element ${i}`).to.be.closeTo(value, tolerance * size));
          }
        await compiled.dispose();
      }
    });
  }
});
