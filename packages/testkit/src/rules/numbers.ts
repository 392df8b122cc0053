import { type Arrays, LetheError, checkGates, createRandom } from '@lethe/core';
import { namedGradients, picked, valueAndGradients } from '@lethe/core/tensor';
import { type TensorSpec, type Values, openDevice } from '@lethe/engine';
import * as tf from '@tensorflow/tfjs';
import { type Rule, STEPS, type Subject } from '../rule.js';
import type { ToyStream } from '../toy-stream.js';
import { type Rows, batchOf, forward, squaredError, tensorsOf } from '../toy-world.js';

/** A stream in the midst of its second stage, or of its only one, where penalties and earlier adapters are at work. */
async function midway(subject: Subject): Promise<ToyStream> {
  const stream = await subject.open();
  const last = Math.min(2, stream.stages);
  for (let stage = 1; stage < last; stage++) await stream.learn(stage, STEPS);
  await stream.begin(last);
  stream.train(STEPS);
  return stream;
}

/** Where there is no loss to lower and no gradient to check. */
const TRAINS_NOTHING = { why: 'it trains nothing' };

const TASK_LOSS = 'the task loss, through prefix and adapt';

/** The two terms of the loss of a step's rows, as functions of the learner's arrays. */
const TERMS = {
  [TASK_LOSS]: (stream: ToyStream, params: Record<string, tf.Tensor>, rows: Rows) => {
    const batch = batchOf(rows);
    return squaredError(forward(stream.learner, params, batch, true, stream.told).output, batch.y);
  },
  'the penalty': (stream: ToyStream, params: Record<string, tf.Tensor>, rows: Rows) =>
    stream.learner.penalty?.(forward(stream.learner, params, batchOf(rows), true, stream.told).scope) ?? tf.scalar(0),
} as const;

/** Steps of the central difference: large ones cross kinks, small ones drown in rounding; the one that agrees best counts. */
const STEP_SIZES = [0.1, 0.03, 0.01, 0.003, 0.001];
/** How far gradient and difference may be apart, relative to the larger; and what is nothing, relative to the value differentiated. */
const [APART, NOTHING] = [0.03, 1e-4];

/** (f(theta + h v) - f(theta - h v)) / 2h for the values of one array, which it changes and puts back. */
function difference(value: () => number, data: Float32Array, direction: Float32Array, h: number): number {
  const before = data.slice();
  const at = (sign: number) => {
    data.forEach((_, i) => (data[i] = before[i]! + sign * h * direction[i]!));
    return value();
  };
  const result = (at(1) - at(-1)) / (2 * h);
  data.set(before);
  return result;
}

export const gradients: Rule = {
  id: 'gradients',
  title: 'has gradients that agree with finite differences, and trains what its predictions depend on, in a later task too',
  remedy: 'Read arrays from scope.params, never from the learner itself, in prefix, adapt and penalty, and those that train now among them; check custom '
    + 'gradients, and where they are to be others than those of what is computed, say so with surrogateGradients.',
  async check(subject) {
    const stream = await midway(subject);
    const trainable = Object.entries(stream.learner.trainable);
    if (trainable.length === 0) return TRAINS_NOTHING;
    // away from where the descent has settled: kinks of absolute values lie there
    for (const [name, { data }] of trainable) createRandom(1, 'away', name).normals(data.length, 0.1).forEach((v, i) => (data[i]! += v));
    const { rows, arrays } = stream.stepOf(1);
    for (const [term, compute] of Object.entries(TERMS)) {
      const value = () => tf.tidy(() => compute(stream, tensorsOf(arrays), rows).dataSync()[0]!);
      const found = tf.tidy(() => {
        const params = tensorsOf(arrays);
        return valueAndGradients(() => compute(stream, params, rows), trainable.map(([name]) => params[name]!)).gradients.map((g) => g.dataSync());
      });
      if (term === TASK_LOSS && found.every((values) => values.every((v: number) => v === 0))) {
        return `no trainable array has a slope of ${term}: what trains in stage ${Math.min(2, stream.stages)} is not read`;
      }
      if (stream.learner.surrogateGradients) return { why: 'the method says that its gradients are others on purpose' };
      const scale = Math.abs(value());
      for (const [i, [name, { data }]] of trainable.entries()) {
        const direction = createRandom(1, 'direction', name).normals(data.length, 1 / Math.sqrt(data.length));
        const slope = direction.reduce((sum, v, k) => sum + v * found[i]![k]!, 0);
        const differences = STEP_SIZES.map((h) => difference(value, data, direction, h));
        const off = (d: number) => Math.abs(d - slope) / Math.max(Math.abs(d), Math.abs(slope), NOTHING * (1 + scale));
        const best = differences.reduce((a, b) => (off(b) < off(a) ? b : a));
        if (!(off(best) <= APART)) return `the slope of ${term} along "${name}" is ${slope} by its gradient and ${best} by finite differences`;
      }
    }
    return null;
  },
};

/** How far what is compiled may be from what is computed op by op, relative to 1 + the value. */
const COMPILED = 1e-3;

const specsOf = (arrays: Arrays, prefix: string): Record<string, TensorSpec> =>
  Object.fromEntries(Object.entries(arrays).map(([name, { shape }]) => [prefix + name, { shape, dtype: 'float32' }]));
const feedsOf = (arrays: Arrays, prefix: string): Record<string, Values> =>
  Object.fromEntries(Object.entries(arrays).map(([name, { data }]) => [prefix + name, data]));

/** Both passes over a batch: what is answered and how far gates open, and loss with what is made of its gradients while training. */
function passes(stream: ToyStream, params: Record<string, tf.Tensor>, batch: ReturnType<typeof batchOf>): Record<string, tf.Tensor> {
  const names = Object.keys(stream.learner.trainable);
  const { scope: before } = forward(null, params, batch, false, stream.told); // gates are asked before any site is passed
  const answered = {
    'the predictions': forward(stream.learner, params, batch, false, stream.told).output,
    ...(stream.learner.gates ? { 'how far the gates open': checkGates(stream.learner.gates(before), before.batch).open } : {}),
  };
  if (names.length === 0) return answered;
  const { value, gradients: found } = namedGradients(() => {
    const { output, scope } = forward(stream.learner, params, batch, true, stream.told);
    const loss = squaredError(output, batch.y);
    const penalty = stream.learner.penalty?.(scope) ?? null;
    return penalty ? loss.add(penalty) : loss;
  }, picked(params, names));
  const made = stream.madeOf(params, batch, found);
  return {
    ...answered, 'the loss': value.reshape([1]),
    ...Object.fromEntries(Object.entries(made.taken).map(([name, g]) => [`the gradient by "${name}"`, g])),
    ...Object.fromEntries(Object.entries(made.running).map(([name, next]) => [`the running "${name}"`, next])),
  };
}

export const compiles: Rule = {
  id: 'compiles',
  title: 'is compiled by the engine to the numbers that it has op by op',
  remedy: 'Let prefix, adapt, penalty, transformGradients, track and gates read no values (no dataSync, no branch on a value) and use operations that packages/engine/README.md lists.',
  async check(subject) {
    const stream = await midway(subject);
    const { arrays, rows: { ...rows } } = stream.stepOf(1);
    const eager = tf.tidy(() => Object.entries(passes(stream, tensorsOf(arrays), batchOf(rows))).map(([name, t]) => [name, t.dataSync()] as const));
    const device = await openDevice({ name: 'cpu', threads: 1 });
    try {
      const program = await device.compile({
        name: 'conformance',
        inputs: { ...specsOf(arrays, 'params.'), ...specsOf(rows, 'rows.') },
        compute: (inputs) => {
          const params = Object.fromEntries(Object.keys(arrays).map((name) => [name, inputs[`params.${name}`]!]));
          const { 'rows.x': x, 'rows.y': y, 'rows.z': z, 'rows.task': task } = inputs as Record<string, tf.Tensor>;
          return passes(stream, params, { x, y, z, task } as ReturnType<typeof batchOf>);
        },
      });
      const out = await program.run({ ...feedsOf(arrays, 'params.'), ...feedsOf(rows, 'rows.') });
      for (const [name, values] of eager) {
        const at = values.findIndex((value: number, i: number) => !(Math.abs(value - out[name]![i]!) <= COMPILED * (1 + Math.abs(value))));
        if (at >= 0) return `value ${at} of ${name} is ${out[name]![at]} compiled and ${values[at]} op by op`;
      }
      return null;
    } catch (error) {
      if (error instanceof LetheError) return `it cannot be compiled: ${error.describe().replaceAll('\n', ' ')}`;
      throw error;
    } finally {
      await device.dispose();
    }
  },
};

/** Steps in which a loss must fall. */
const LEARNING = 30;

export const learns: Rule = {
  id: 'learns',
  title: 'lowers the loss of the first task it learns',
  remedy: 'See that prefix or adapt reads every trainable array from scope.params and that what it gives is not multiplied away.',
  async check(subject) {
    const stream = await subject.open();
    await stream.begin(1);
    // asked before the end: some methods put away there what they have trained
    if (Object.keys(stream.learner.trainable).length === 0) return TRAINS_NOTHING;
    const losses = stream.train(LEARNING);
    const [first, last] = [losses[0]!, losses.at(-1)!];
    return last < first ? null : `${LEARNING} steps of descent take the loss from ${first} to ${last}`;
  },
};
