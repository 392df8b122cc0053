import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { openDevice, type ProgramDefinition } from '../src/index.js';

const step: ProgramDefinition = {
  name: 'train-step',
  inputs: { x: { shape: [4, 3], dtype: 'float32' }, w: { shape: [3, 2], dtype: 'float32' }, y: { shape: [4], dtype: 'int32' } },
  compute: ({ x, w, y }) => {
    const loss = (v: tf.Tensor) =>
      tf.neg(tf.mean(tf.sum(tf.mul(tf.oneHot(tf.cast(y!, 'int32'), 2), tf.logSoftmax(tf.matMul(x as tf.Tensor2D, v as tf.Tensor2D))), -1))) as tf.Scalar;
    const { value, grad } = tf.valueAndGrad(loss)(w!);
    return { loss: value, w: tf.sub(w!, tf.mul(0.1, grad)) };
  },
};
const feeds = {
  x: Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)),
  w: Float32Array.from({ length: 6 }, (_, i) => Math.cos(i)),
  y: Int32Array.of(0, 1, 1, 0),
};
const failure = async (work: Promise<unknown>) => work.then(() => 'none', (e: { code?: string }) => e.code);

describe('openDevice', () => {
  it('trains as the plain backend does, and leaves no tensors', async () => {
    const [cpu, plain] = [await openDevice({ name: 'cpu', threads: 1 }), await openDevice({ name: 'tfjs-cpu' })];
    const before = tf.memory().numTensors;
    const [a, b] = [await cpu.compile(step), await plain.compile(step)];
    expect(tf.memory().numTensors).to.equal(before);
    let [u, v] = [feeds.w, feeds.w] as [Float32Array, Float32Array];
    for (let i = 0; i < 20; i++) {
      const [p, q] = [await a.run({ ...feeds, w: u }), await b.run({ ...feeds, w: v })];
      u = p['w'] as Float32Array;
      v = q['w'] as Float32Array;
      expect(p['loss']![0]).to.be.closeTo(q['loss']![0]!, 1e-5);
    }
    u.forEach((value, i) => expect(value).to.be.closeTo(v[i]!, 1e-5));
    await cpu.dispose();
  });

  it('names its errors', async () => {
    const cpu = await openDevice({ name: 'cpu', threads: 1 });
    const x = { x: { shape: [2], dtype: 'float32' } } as const;
    expect(await failure(openDevice({ name: 'abacus' }))).to.equal('LETHE_ENGINE_DEVICE');
    expect(await failure(cpu.compile({ name: 'a', inputs: x, compute: (i) => ({ y: tf.scalar(i['x']!.dataSync()[0]!) }) }))).to.equal('LETHE_ENGINE_READ');
    expect(await failure(cpu.compile({ name: 'b', inputs: x, compute: (i) => ({ y: tf.atan(i['x']!) }) }))).to.equal('LETHE_ENGINE_KERNEL');
    const p = await cpu.compile(step);
    expect(await failure(p.run({ ...feeds, w: Float32Array.of(1) }))).to.equal('LETHE_ENGINE_INPUT');
    await cpu.dispose();
  });
});
