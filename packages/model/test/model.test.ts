import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { createRandom, LetheError } from '@lethe/core';
import { parseConfig } from '../src/config.js';
import { layoutOf } from '../src/layout.js';
import { hidden, logProbabilities } from '../src/llama.js';
import { readSafetensors, writeSafetensors } from '../src/safetensors.js';

const config = parseConfig(JSON.stringify({
  model_type: 'llama', vocab_size: 24, hidden_size: 16, intermediate_size: 20, num_hidden_layers: 2,
  num_attention_heads: 4, num_key_value_heads: 2, max_position_embeddings: 32, tie_word_embeddings: true,
}), 'config.json');

const weights = Object.fromEntries(layoutOf(config).map(({ name, shape }) => {
  const size = shape.reduce((product, n) => product * n, 1);
  return [name, tf.tensor(createRandom(7, name).normals(size, 0.4), [...shape])];
}));

const batchOf = (ids: number[][], positions: number[][], segments: number[][]) => ({
  ids: tf.tensor2d(ids, undefined, 'int32'),
  positions: tf.tensor2d(positions, undefined, 'int32'),
  segments: tf.tensor2d(segments, undefined, 'int32'),
});
const score = (batch: ReturnType<typeof batchOf>, index: number[], token: number[]) =>
  [...logProbabilities(config, hidden(config, batch, weights, null), {
    index: tf.tensor1d(index, 'int32'), token: tf.tensor1d(token, 'int32'),
  }, weights).dataSync()];

describe('llama', function () {
  this.timeout(60_000); // the plain backend interprets every operation
  before(() => tf.setBackend('cpu'));

  it('scores packed options as it scores them one by one, whatever the neighbours', () => {
    const first = score(batchOf([[3, 5, 7, 9]], [[0, 1, 2, 3]], [[1, 1, 2, 2]]), [1, 2], [7, 9]);
    const second = score(batchOf([[3, 5, 8, 2]], [[0, 1, 2, 3]], [[1, 1, 2, 2]]), [1, 2], [8, 2]);
    const packed = score(
      batchOf([[3, 5, 7, 9, 8, 2], [4, 0, 0, 0, 0, 0]], [[0, 1, 2, 3, 2, 3], [0, 0, 0, 0, 0, 0]], [[1, 1, 2, 2, 3, 3], [1, 0, 0, 0, 0, 0]]),
      [1, 2, 1, 4], [7, 9, 8, 2],
    );
    [...first, ...second].forEach((value, i) => expect(packed[i]).to.be.closeTo(value, 1e-5));
  });

  it('gives the gradient of every weight that finite differences give', () => {
    const batch = batchOf([[3, 5, 7, 9]], [[0, 1, 2, 3]], [[1, 1, 2, 2]]);
    const targets = { index: tf.tensor1d([1, 2], 'int32'), token: tf.tensor1d([7, 9], 'int32') };
    for (const name of ['embed', 'layers.0.q', 'layers.0.k', 'layers.1.gate', 'layers.0.norm1', 'norm']) {
      const loss = (w: tf.Tensor) => {
        const all = { ...weights, [name]: w };
        return tf.sum(logProbabilities(config, hidden(config, batch, all, null), targets, all)) as tf.Scalar;
      };
      const w = weights[name]!;
      const direction = tf.tensor(createRandom(1, name).normals(w.size, 1 / Math.sqrt(w.size)), w.shape);
      const analytic = tf.sum(tf.mul(tf.grad(loss)(w), direction)).dataSync()[0]!;
      const step = 1e-2;
      const ahead = loss(tf.add(w, tf.mul(direction, step))).dataSync()[0]!;
      const behind = loss(tf.sub(w, tf.mul(direction, step))).dataSync()[0]!;
      expect(analytic, name).to.be.closeTo((ahead - behind) / (2 * step), 2e-3 + 0.01 * Math.abs(analytic));
    }
  });
});

describe('safetensors', () => {
  let folder = '';
  before(async () => { folder = await mkdtemp(join(tmpdir(), 'lethe-model-')); });
  after(() => rm(folder, { recursive: true }));

  it('reads back what it wrote, and names a truncated file and tensor', async () => {
    const file = join(folder, 'a.safetensors');
    const data = Float32Array.of(1, -0.5, 65504, 2 ** -24, 0, 1 / 3);
    await writeSafetensors(file, new Map([['w', { shape: [2, 3], data }]]));
    expect([...(await readSafetensors(file)).get('w')!.data]).to.deep.equal([...data]);
    await writeSafetensors(file, new Map([['w', { shape: [2, 3], data }]]), 'F16');
    const half = [...(await readSafetensors(file)).get('w')!.data];
    expect(half).to.deep.equal([1, -0.5, 65504, 2 ** -24, 0, 0.333251953125]);
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, bytes.length - 3));
    const error: unknown = await readSafetensors(file).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(LetheError);
    expect((error as LetheError).code).to.equal('LETHE_MODEL_WEIGHTS');
    expect((error as LetheError).message).to.contain('"w"');
  });
});
