import * as tf from '@tensorflow/tfjs';
import { createRandom } from '@lethe/core';
import { expect } from 'chai';
import { type ProgramDefinition, openDevice, rmsNorm, rotary } from '../src/index.js';

const draw = createRandom(3, 'gradients');
const random = (name: string, ...shape: number[]) => tf.tensor(draw.fork(name).normals(tf.util.sizeFromShape(shape), 1), shape);

/** The gradient along a random direction, and what a central difference gives for it. */
function slopes(f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor): [number, number] {
  const loss = (at: tf.Tensor) => {
    const y = f(at);
    return tf.sum(
      tf.mul(
        y,
        tf.tensor(
          Float32Array.from({ length: y.size }, (_, i) => Math.sin(1 + i)),
          y.shape,
        ),
      ),
    ) as tf.Scalar;
  };
  const direction = random(`direction ${x.shape.join()}`, ...x.shape);
  const step = 1e-2;
  const at = (by: number) => loss(tf.add(x, tf.mul(direction, by))).dataSync()[0]!;
  return [tf.sum(tf.mul(tf.grad(loss)(x), direction)).dataSync()[0]!, (at(step) - at(-step)) / (2 * step)];
}

describe('gradients that TensorFlow.js lacks', () => {
  before(async () => {
    await openDevice({ name: 'tfjs-cpu' });
    await tf.setBackend('cpu');
  });
  const [a, b, c] = [random('a', 2, 3), random('b', 3), random('c', 2, 1)];
  const index = tf.tensor2d(
    [
      [0, 1],
      [1, 2],
      [0, 1],
    ],
    [3, 2],
    'int32',
  );
  const cases: Record<string, [(x: tf.Tensor) => tf.Tensor, tf.Tensor]> = {
    'squaredDifference, left broadcast': [(x) => tf.squaredDifference(x, a), b],
    'squaredDifference, right broadcast': [(x) => tf.squaredDifference(a, x), c],
    'maximum, broadcast': [(x) => tf.maximum(x, a), b],
    'minimum, broadcast': [(x) => tf.minimum(a, x), c],
    'prelu, x broadcast': [(x) => tf.prelu(x, a), c],
    'prelu, slopes broadcast': [(x) => tf.prelu(a, x), c],
    'tile of rank 5': [(x) => tf.tile(x, [2, 1, 3, 1, 2]), random('x', 2, 1, 2, 1, 2)],
    'tile of a number': [(x) => tf.tile(x, []), random('x')],
    'matMul, batch broadcast': [(x) => tf.matMul(x, random('m', 4, 3, 2)), random('x', 1, 2, 3)],
    'matMul, both turned': [(x) => tf.matMul(random('m', 1, 3, 2), x, true, true), random('x', 4, 2, 3)],
    'matMul, right turned': [(x) => tf.matMul(x, random('m', 4, 5, 3), false, true), random('x', 4, 2, 3)],
    'matMul, left turned': [(x) => tf.matMul(x, random('m', 4, 3, 5), true), random('x', 4, 3, 2)],
    'cumsum along the first axis': [(x) => tf.cumsum(x, 0, true, true), a],
    'unstack of one': [(x) => tf.mul(tf.unstack(x)[0]!, 2), random('x', 1, 3)],
    'a choice by its own input': [(x) => tf.where(tf.greater(x, 0), tf.mul(x, 3), x), a],
    'the largest by its own index': [(x) => tf.mul(tf.cast(tf.argMax(x, 1), 'float32'), tf.sum(x, 1)), a],
    'a row by its own place': [(x) => tf.gather(x, tf.topk(x.max(1), 1).indices), tf.tensor2d([[0, 1, 2], [5, 6, 8]])],
    'sums by segment, some of them out of range': [(x) => tf.unsortedSegmentSum(x, tf.tensor1d([1, -1, 7, 1], 'int32'), 2), random('x', 4, 2)],
    gatherND: [(x) => tf.gatherND(x, index), a],
    scatterND: [(x) => tf.scatterND(index, x, [2, 3]), b],
    topk: [(x) => tf.topk(x, 2).values, a],
    'einsum, both in the result': [(x) => tf.einsum('ij,jk->ik', x, random('m', 3, 4)), a],
    'einsum, second operand': [(x) => tf.einsum('bij,bjk->bik', random('m', 2, 2, 3), x), random('x', 2, 3, 4)],
    'einsum, a letter of its own': [(x) => tf.einsum('ij->i', x), a],
    'einsum, to a number': [(x) => tf.einsum('ij,ij->', x, random('m', 2, 3)), a],
    'cumprod with a zero': [(x) => tf.cumprod(tf.mul(x, tf.tensor1d([1, 0, 1])), 1), a],
    'cumprod, exclusive, from the back': [(x) => tf.cumprod(x, 0, true, true), random('x', 4, 2)],
    stridedSlice: [(x) => tf.stridedSlice(x, [-1, 0], [-3, 3], [-1, 2], 0, 1), a],
    'mirrorPad, reflect': [(x) => tf.mirrorPad(x, [[1, 0], [2, 1]], 'reflect'), a],
    'mirrorPad, symmetric': [(x) => tf.mirrorPad(x, [[0, 2], [1, 1]], 'symmetric'), a],
    diag: [(x) => tf.diag(x), b],
    'tensorScatterUpdate, the tensor': [(x) => tf.tensorScatterUpdate(x, tf.tensor2d([[1]], [1, 1], 'int32'), random('u', 1, 3)), a],
    'tensorScatterUpdate, the updates': [(x) => tf.tensorScatterUpdate(tf.mul(a, 2), tf.tensor2d([[1], [0]], [2, 1], 'int32'), x), a],
    'prod along the last axis': [(x) => tf.prod(x, -1), a],
    'gather with two batch dimensions': [(x) => tf.gather(x, tf.tensor3d([[[1], [0]], [[2], [2]]], [2, 2, 1], 'int32'), 2, 2), random('x', 2, 2, 3)],
    'avgPool over the border': [(x) => tf.avgPool(x as tf.Tensor4D, 3, 2, 'same'), random('x', 1, 4, 4, 2)],
    'a choice by what holds for all': [(x) => tf.mul(x, tf.cast(tf.all(tf.greater(x, -9)), 'float32')), a],
  };
  for (const [name, [f, x]] of Object.entries(cases)) {
    it(name, () => {
      const [analytic, numeric] = slopes(f, x);
      expect(analytic).to.be.closeTo(numeric, 5e-3 * (1 + Math.abs(numeric)));
    });
  }
});

describe('slopes where a function bends or jumps', () => {
  const cases: Record<string, [call: (x: tf.Tensor) => tf.Tensor, at: number[], slope: number[]]> = {
    '|x| at 0 is 0, as in PyTorch: an l1 penalty leaves alone what starts there': [tf.abs, [-2, 0, 3], [-1, 0, 1]],
    'equal largest elements share it, as in TensorFlow and PyTorch': [(x) => tf.max(tf.reshape(x, [2, 3]), -1), [1, 1, 0, 5, 5, 5], [1 / 2, 1 / 2, 0, 1 / 3, 1 / 3, 1 / 3]],
    'equal smallest elements share it': [(x) => tf.min(x), [2, -1, -1], [0, 1 / 2, 1 / 2]],
    '0 to the powers 0, 1 and 2 has the numbers 0, 1 and 0': [(x) => tf.pow(x, [0, 1, 2]), [0, 0, 0], [0, 1, 0]],
    'a root of what was chosen has none where it was not': [
      (x) => tf.addN([tf.relu(x), tf.relu6(x), tf.maximum(x, 0), tf.neg(tf.minimum(tf.neg(x), 0)), tf.where(tf.greater(x, 0), x, 0)].map((y) => tf.sqrt(y))), [-1, 4, -9], [0, 5 / 4, 0],
    ],
    'a root of the largest is endless there alone': [(x) => tf.sqrt(tf.max(x)), [-1, 0, -2], [0, Infinity, 0]],
    'a quotient rounded down has none': [(x) => tf.mul(tf.floorDiv(x, 2), x), [5, -5, 0.5], [2, -3, 0]],
    'a cast to integers or truth values has none': [(x) => tf.mul(tf.add(tf.cast(tf.cast(x, 'int32'), 'float32'), tf.cast(tf.cast(x, 'bool'), 'float32')), x), [2.5, -1.5, 0.5], [3, 0, 1]],
  };
  for (const [name, [call, at, slope]] of Object.entries(cases)) {
    it(`${name}, compiled and op by op`, async () => {
      const definition: ProgramDefinition = {
        name: 'bend', inputs: { x: { shape: [at.length], dtype: 'float32' } }, compute: ({ x }) => ({ slope: tf.grad((v: tf.Tensor) => tf.sum(call(v)))(x!) }),
      };
      for (const on of ['cpu', 'tfjs-cpu']) {
        const device = await openDevice({ name: on });
        const program = await device.compile(definition);
        expect([...(await program.run({ x: Float32Array.from(at) }))['slope']!], on).to.deep.equal([...Float32Array.from(slope)]);
        await device.dispose();
      }
    });
  }
});

describe('gradients of gradients', () => {
  // of operations whose slope is made of their value
  const made: Record<string, (x: tf.Tensor) => tf.Tensor> = {
    exp: tf.exp, tanh: tf.tanh, sigmoid: tf.sigmoid, elu: tf.elu, softmax: tf.softmax, logSoftmax: tf.logSoftmax, logSumExp: (x) => tf.logSumExp(x, -1),
    'a power': (x) => tf.pow(2, x), 'the largest': (x) => tf.max(tf.square(x), -1), 'a running product': (x) => tf.cumprod(x, 1),
  };
  for (const [name, call] of Object.entries(made)) {
    it(`of ${name} agree with finite differences`, async () => {
      await openDevice({ name: 'tfjs-cpu' });
      await tf.setBackend('cpu');
      const slope = (x: tf.Tensor) => tf.grad((v: tf.Tensor) => tf.sum(tf.sin(call(v))))(x);
      const [analytic, numeric] = slopes(slope, random('x', 2, 3));
      expect(analytic).to.be.closeTo(numeric, 1e-2 * (1 + Math.abs(numeric)));
    });
  }

  const angles = (of: (x: number) => number) => tf.tensor2d(Float32Array.from({ length: 4 }, (_, i) => of(i * 0.7)), [2, 2]);
  /** What is summed in the end is a gradient, so that its own gradient is of second order. */
  const cases: Record<string, [call: (x: tf.Tensor, by: tf.Tensor) => tf.Tensor, x: number[], by: number[]]> = {
    rmsNorm: [(x, by) => rmsNorm(x, by, 1e-5), [2, 3], [3]],
    rotary: [(x, by) => tf.mul(tf.square(rotary(x as tf.Tensor4D, tf.tensor2d([[0, 1]], [1, 2], 'int32'), { cos: angles(Math.cos), sin: angles(Math.sin) })), by), [1, 1, 2, 4], [4]],
  };
  for (const [name, [call, x, by]] of Object.entries(cases)) {
    it(`of ${name} agree with finite differences, compiled and op by op`, async () => {
      const direction = draw.fork('direction', name).normals(tf.util.sizeFromShape(x), 1);
      const definition: ProgramDefinition = {
        name,
        inputs: { x: { shape: x, dtype: 'float32' }, by: { shape: by, dtype: 'float32' } },
        compute: (given) => {
          const slope = (at: tf.Tensor, scale: tf.Tensor) => tf.grads((v, w) => tf.sum(tf.sin(call(v!, w!))))([at, scale]);
          const summed = (at: tf.Tensor, scale: tf.Tensor) => {
            const [toX, toScale] = slope(at, scale);
            return tf.add(tf.sum(tf.mul(toX!, tf.tensor(direction, x))), tf.sum(tf.square(toScale!)));
          };
          const [toX, toScale] = tf.grads((v, w) => summed(v!, w!))([given['x']!, given['by']!]);
          return { value: summed(given['x']!, given['by']!), toX: toX!, toScale: toScale! };
        },
      };
      const feeds = { x: draw.fork('x', name).normals(tf.util.sizeFromShape(x), 1), by: draw.fork('by', name).normals(by[0]!, 1) };
      const moved = (key: 'x' | 'by', i: number, step: number) => ({ ...feeds, [key]: feeds[key].map((v, j) => (i === j ? v + step : v)) });
      for (const device of [await openDevice({ name: 'cpu' }), await openDevice({ name: 'tfjs-cpu' })]) {
        const program = await device.compile(definition);
        const value = async (at: typeof feeds) => (await program.run(at))['value']![0]!;
        const found = await program.run(feeds);
        for (const [key, output] of [['x', 'toX'], ['by', 'toScale']] as const)
          for (const i of feeds[key].keys()) {
            const numeric = ((await value(moved(key, i, 1e-2))) - (await value(moved(key, i, -1e-2)))) / 2e-2;
            expect(found[output]![i], `${device.name} ${output} ${i}`).to.be.closeTo(numeric, 2e-2 * (1 + Math.abs(numeric)));
          }
        await program.dispose();
        await device.dispose();
      }
    });
  }
});
