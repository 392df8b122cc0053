import { createRandom } from '@lethe/core';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { logProbabilities } from '../src/head.js';
import { ACTIVATIONS, type Activation, gated } from '../src/mlp.js';
import { layerNorm } from '../src/norm.js';
import { bucketBothWays, bucketOf } from '../src/relative.js';
import type { ModelConfig } from '../src/types.js';

const random = (name: string, shape: number[]) => tf.tensor(createRandom(3, name).normals(shape.reduce((a, b) => a * b, 1), 1), shape);

/** Compares gradients of sum(f * weights) by every argument with finite differences along a random direction. */
function expectGradients(f: (...at: tf.Tensor[]) => tf.Tensor, args: readonly tf.Tensor[]): void {
  const weights = random('weights', f(...args).shape);
  const loss = (...at: tf.Tensor[]) => tf.sum(tf.mul(f(...at), weights)) as tf.Scalar;
  tf.grads(loss)([...args]).forEach((gradient, i) => {
    const direction = random(`direction ${i}`, args[i]!.shape);
    const moved = (step: number) => loss(...args.map((x, j) => (j === i ? tf.add(x, tf.mul(direction, step)) : x))).dataSync()[0]!;
    const analytic = tf.sum(tf.mul(gradient, direction)).dataSync()[0]!;
    const step = 1e-2;
    expect(analytic, `argument ${i}`).to.be.closeTo((moved(step) - moved(-step)) / (2 * step), 2e-3 * (1 + Math.abs(analytic)));
  });
}

/** A gradient of sum(sin f) along fixed directions, as a function whose own gradients are of second order. */
const slopeOf =
  (f: (...at: tf.Tensor[]) => tf.Tensor) =>
  (...at: tf.Tensor[]): tf.Tensor => {
    const gradients = tf.grads((...xs: tf.Tensor[]) => tf.sum(tf.sin(f(...xs))))(at);
    return tf.addN(gradients.map((gradient, i) => tf.sum(tf.mul(gradient, random(`slope ${i}`, at[i]!.shape)))));
  };

describe('the parts of a model without rms norm and gate', () => {
  before(() => tf.setBackend('cpu'));

  it('norm by mean and deviation, with the gradients of input, gain and bias', () => {
    const args = [random('x', [2, 3, 8]), random('gain', [8]), random('bias', [8])] as const;
    const normed = layerNorm(args[0] as tf.Tensor3D, tf.ones([8]), tf.zeros([8]), 1e-5);
    for (const mean of tf.mean(normed, -1).dataSync()) expect(mean).to.be.closeTo(0, 1e-6);
    for (const square of tf.mean(tf.square(normed), -1).dataSync()) expect(square).to.be.closeTo(1, 1e-3);
    const norm = (x?: tf.Tensor, gain?: tf.Tensor, bias?: tf.Tensor) => layerNorm(x as tf.Tensor3D, gain!, bias!, 1e-5);
    expectGradients(norm, args);
    expectGradients(slopeOf(norm), args);
  });

  it('gate, with the gradients of both sides', () => {
    const args = [random('gate', [2, 3, 4]), random('up', [2, 3, 4])];
    const gate = (...[g, u]: tf.Tensor[]) => gated(g as tf.Tensor3D, u as tf.Tensor3D);
    expectGradients(gate, args);
    expectGradients(slopeOf(gate), args);
  });

  it('score tokens, with the gradients of states and table', () => {
    const token = tf.tensor1d([1, 4, 1], 'int32');
    const config = { hiddenSize: 4, vocabSize: 6, tiedHead: true } as ModelConfig;
    const score = (...[states, embed]: tf.Tensor[]) => logProbabilities(config, states as tf.Tensor3D, { token, index: null }, { embed: embed! });
    const args = [tf.mul(random('states', [1, 3, 4]), 0.5), tf.mul(random('embed', [6, 4]), 0.5)];
    expectGradients(score, args);
    expectGradients(slopeOf(score), args);
  });

  const known: Readonly<Record<Activation, readonly number[]>> = {
    // x Phi(x) of the normal distribution, and its approximation by tanh, at -3, -1, 0, 0.5 and 2
    gelu: [-0.00404969, -0.15865525, 0, 0.34573123, 1.95449974],
    gelu_new: [-0.00363739, -0.15880801, 0, 0.34571401, 1.95459769],
    gelu_fast: [-0.00363739, -0.15880801, 0, 0.34571401, 1.95459769],
    gelu_pytorch_tanh: [-0.00363739, -0.15880801, 0, 0.34571401, 1.95459769],
    relu: [0, 0, 0, 0.5, 2],
  };
  for (const [name, values] of Object.entries(known)) {
    it(`compute ${name}, with its gradient`, () => {
      const activation = ACTIVATIONS[name as Activation];
      const at = activation(tf.tensor1d([-3, -1, 0, 0.5, 2])) as tf.Tensor;
      at.dataSync().forEach((value, i) => expect(value).to.be.closeTo(values[i]!, 1e-6));
      const call = (x?: tf.Tensor) => activation(x!) as tf.Tensor;
      expectGradients(call, [random('x', [4, 5])]);
      if (name !== 'relu') expectGradients(slopeOf(call), [random('x', [4, 5])]); // whose slope has none of its own
    });
  }

  // by transformers 5.24.0: the distances at which another bucket begins, up to 400
  const spans: readonly (readonly [what: string, bucket: (distance: number) => number, begins: readonly number[], first: number])[] = [
    ['32 up to 128, back', (d) => bucketOf(d, 32, 128), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 19, 21, 24, 27, 31, 35, 40, 46, 52, 59, 67, 77, 87, 99, 113], 0],
    ['32 up to 100, back', (d) => bucketOf(d, 32, 100), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 21, 23, 26, 29, 32, 36, 40, 45, 51, 57, 64, 71, 80, 90], 0],
    ['32 up to 128, ahead', (d) => bucketBothWays(d + 1, 32, 128), [0, 1, 2, 3, 4, 5, 6, 7, 11, 15, 22, 31, 45, 63, 90], 17],
    ['32 up to 128, both ways, back', (d) => bucketBothWays(-d, 32, 128), [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91], 0],
    ['8 up to 12, back', (d) => bucketOf(d, 8, 12), [0, 1, 2, 3, 4, 6, 7, 10], 0],
  ];
  for (const [what, bucket, begins, first] of spans) {
    it(`put distances into buckets: ${what}`, () => {
      const all = Array.from({ length: 400 }, (_, distance) => bucket(distance));
      expect(all).to.deep.equal(all.map((_, distance) => first + begins.findLastIndex((begin) => begin <= distance)));
    });
  }
});
