import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { createRandom } from '@lethe/core';
import { openDevice, type Constant, type ProgramDefinition, type Values } from '@lethe/engine';
import { hidden, layoutOf, parseConfig } from '../src/architectures/index.js';
import { logProbabilities } from '../src/head.js';

const config = parseConfig(
  JSON.stringify({
    model_type: 'llama',
    vocab_size: 24,
    hidden_size: 16,
    intermediate_size: 20,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 32,
    tie_word_embeddings: true,
  }),
  'config.json',
);
const weights = Object.fromEntries(
  layoutOf(config).map(({ name, shape }): [string, Constant] => [
    name,
    {
      shape,
      dtype: 'float32',
      data: createRandom(7, name).normals(
        shape.reduce((a, b) => a * b, 1),
        0.4,
      ),
    },
  ]),
);
const [rows, tokens, n] = [3, 6, 2];
const grid = { shape: [rows, tokens], dtype: 'int32' } as const;

/** Loss of three rows with two targets each, and its gradient by an adapter on every site; states of the targets only, or of all. */
const definition = (only: boolean): ProgramDefinition => ({
  name: only ? 'wanted' : 'all',
  inputs: {
    ids: grid,
    positions: grid,
    segments: grid,
    index: { shape: [rows * n], dtype: 'int32' },
    token: { shape: [rows * n], dtype: 'int32' },
  },
  constants: weights,
  compute: (inputs, frozen) => {
    const [ids, positions, segments] = ['ids', 'positions', 'segments'].map((name) => inputs[name] as tf.Tensor2D) as [
      tf.Tensor2D,
      tf.Tensor2D,
      tf.Tensor2D,
    ];
    const [index, token] = [inputs['index'] as tf.Tensor1D, inputs['token'] as tf.Tensor1D];
    const adapters = tf.fill([16, 20], 0.01);
    const loss = (a: tf.Tensor) => {
      const batch = { ids, positions, segments, ...(only ? { wanted: index.reshape([rows, n]) as tf.Tensor2D } : {}) };
      const states = hidden(
        config,
        batch,
        frozen,
        (site, x) =>
          tf
            .matMul(
              x.reshape([-1, site.in]),
              tf
                .pad(a, [
                  [0, 4],
                  [0, 0],
                ])
                .slice([0, 0], [site.in, site.out]) as tf.Tensor2D,
            )
            .reshape([rows, -1, site.out]) as tf.Tensor3D,
      );
      return tf.neg(tf.sum(logProbabilities(config, states, { index: only ? null : index, token }, frozen))) as tf.Scalar;
    };
    const { value, grad } = tf.valueAndGrad(loss)(adapters);
    return { loss: value, grad };
  },
});
const feeds: Record<string, Values> = {
  ids: Int32Array.from({ length: rows * tokens }, (_, i) => (i * 5 + 3) % 24),
  positions: Int32Array.of(0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 2, 3, 0, 1, 0, 0, 0, 0),
  segments: Int32Array.of(1, 1, 1, 2, 2, 2, 1, 1, 2, 2, 3, 3, 1, 2, 0, 0, 0, 0),
  index: Int32Array.of(2, 4, 7, 10, 12, 13),
  token: Int32Array.of(3, 9, 1, 20, 7, 7),
};

describe('hidden states that are wanted', () => {
  for (const name of ['cpu', 'tfjs-cpu']) {
    it(`are what they are among all of them, and so are the gradients, on ${name}`, async () => {
      const device = await openDevice({ name });
      const [some, all] = [
        await (await device.compile(definition(true))).run(feeds),
        await (await device.compile(definition(false))).run(feeds),
      ];
      expect(some['loss']![0]).to.be.closeTo(all['loss']![0]!, 1e-4);
      all['grad']!.forEach((value, i) => expect(some['grad']![i]).to.be.closeTo(value, 1e-4 * (1 + Math.abs(value))));
      await device.dispose();
    });
  }

  it('come out of the compiler as out of the plain backend', async () => {
    const [cpu, plain] = [await openDevice({ name: 'cpu' }), await openDevice({ name: 'tfjs-cpu' })];
    const [a, b] = [
      await (await cpu.compile(definition(true))).run(feeds),
      await (await plain.compile(definition(true))).run(feeds),
    ];
    expect(a['loss']![0]).to.be.closeTo(b['loss']![0]!, 1e-4);
    b['grad']!.forEach((value, i) => expect(a['grad']![i]).to.be.closeTo(value, 1e-4 * (1 + Math.abs(value))));
    await cpu.dispose();
  });
});
