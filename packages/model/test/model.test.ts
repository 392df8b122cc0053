import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { createRandom } from '@lethe/core';
import { hidden, layoutOf, parseConfig } from '../src/architectures/index.js';
import { logProbabilities } from '../src/head.js';
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
  let file = '';
  before(async () => { file = join(await mkdtemp(join(tmpdir(), 'lethe-model-')), 'a.safetensors'); });
  after(() => rm(dirname(file), { recursive: true }));

  /** A file of one vector `w`, byte for byte as the format describes it. */
  const writeRaw = async (dtype: string, body: Uint8Array, length: number) => {
    const header = Buffer.from(JSON.stringify({ __metadata__: { format: 'pt' }, w: { dtype, shape: [length], data_offsets: [0, body.length] } }));
    const start = Buffer.alloc(8);
    start.writeBigUInt64LE(BigInt(header.length));
    await writeFile(file, Buffer.concat([start, header, body]));
  };
  const read = async () => (await readSafetensors(file)).get('w')!;
  const write = (data: Float32Array, dtype: 'F32' | 'F16', shape = [data.length]) => writeSafetensors(file, new Map([['w', { shape, data }]]), dtype);
  const bytesOf = (data: Uint16Array) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

  it('reads back what it wrote, in its shape', async () => {
    const data = Float32Array.of(1, -0.5, 65504, 2 ** -24, -0, 1 / 3);
    await write(data, 'F32', [2, 3]);
    expect((await read()).shape).to.deep.equal([2, 3]);
    expect([...(await read()).data]).to.deep.equal([...data]);
    await write(data, 'F16');
    expect([...(await read()).data]).to.deep.equal([1, -0.5, 65504, 2 ** -24, -0, 0.333251953125]);
    expect(await readdir(dirname(file))).to.deep.equal(['a.safetensors']);
  });

  it('writes the same bytes for the same tensors', async () => {
    await write(Float32Array.of(1, 2, 3), 'F16');
    const first = await readFile(file);
    await write(Float32Array.of(1, 2, 3), 'F16');
    expect((await readFile(file)).equals(first)).to.equal(true);
    expect((8 + Number(first.readBigUInt64LE(0))) % 8, 'tensors are aligned').to.equal(0);
  });

  it('reads every half-precision number by its definition and writes it back as it was', async () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    await writeRaw('F16', bytesOf(bits), bits.length);
    const { data } = await read();
    const valueOf = (i: number) => {
      const [sign, exponent, fraction] = [i >> 15 ? -1 : 1, (i >> 10) & 31, i & 1023];
      if (exponent === 31) return fraction ? NaN : sign * Infinity;
      return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
    };
    expect(data.every((value, i) => Object.is(value, valueOf(i)))).to.equal(true);
    const numbers = data.filter((value) => !Number.isNaN(value));
    await write(numbers, 'F16');
    expect((await read()).data.every((value, i) => Object.is(value, numbers[i]))).to.equal(true);
  });

  it('rounds to the nearest half-precision number, ties to even', async () => {
    const cases = [
      [2049, 2048], [2051, 2052], [65519, 65504], [65520, Infinity], [-70000, -Infinity], [2 ** -25, 0], [3 * 2 ** -25, 2 ** -23],
      [2 ** -25 * 1.01, 2 ** -24], [2 ** -14 - 2 ** -25, 2 ** -14], [1 + 2 ** -11, 1], [1 + 3 * 2 ** -11, 1 + 2 ** -9], [NaN, NaN],
    ] as const;
    await write(Float32Array.from(cases, ([value]) => value), 'F16');
    expect([...(await read()).data]).to.deep.equal(cases.map(([, rounded]) => rounded));
  });

  it('reads bfloat16 as the upper half of a float', async () => {
    const values = Float32Array.of(1, -2.5, 3.140625, 2 ** -126, 2 ** 100);
    const words = new Uint32Array(values.buffer);
    await writeRaw('BF16', bytesOf(Uint16Array.from(words, (word) => word >>> 16)), values.length);
    expect([...(await read()).data]).to.deep.equal([...values]);
  });
});
