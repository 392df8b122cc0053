import * as tf from '@tensorflow/tfjs';
import { createRandom } from '@lethe/core';
import { expect } from 'chai';
import { openDevice } from '../src/index.js';

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
    'matMul, batch broadcast': [(x) => tf.matMul(x, random('m', 4, 3, 2)), random('x', 1, 2, 3)],
    'matMul, both turned': [(x) => tf.matMul(random('m', 1, 3, 2), x, true, true), random('x', 4, 2, 3)],
    'matMul, right turned': [(x) => tf.matMul(x, random('m', 4, 5, 3), false, true), random('x', 4, 2, 3)],
    'matMul, left turned': [(x) => tf.matMul(x, random('m', 4, 3, 5), true), random('x', 4, 3, 2)],
    'cumsum along the first axis': [(x) => tf.cumsum(x, 0, true, true), a],
    'unstack of one': [(x) => tf.mul(tf.unstack(x)[0]!, 2), random('x', 1, 3)],
    'a choice by its own input': [(x) => tf.where(tf.greater(x, 0), tf.mul(x, 3), x), a],
    'the largest by its own index': [(x) => tf.mul(tf.cast(tf.argMax(x, 1), 'float32'), tf.sum(x, 1)), a],
    'a row by its own place': [(x) => tf.gather(x, tf.topk(x.max(1), 1).indices), tf.tensor2d([[0, 1, 2], [5, 6, 8]])],
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
