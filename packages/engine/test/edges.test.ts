import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { type Device, type ProgramDefinition, openDevice } from '../src/index.js';
import { openInstalled } from './installed.js';

/** What a program without inputs gives. */
async function valueOf(device: Device, compute: () => tf.Tensor): Promise<number[]> {
  const program = await device.compile({ name: 'edge', inputs: {}, compute: () => ({ y: compute() }) });
  return [...(await program.run({}))['y']!];
}

describe('numbers at the edges', () => {
  const devices: Device[] = [];
  before(async () => {
    for (const name of ['cpu', 'tfjs-cpu']) devices.push(await openDevice({ name }));
  });
  after(async () => {
    for (const device of devices) await device.dispose();
  });

  it('are integers as JavaScript has them: cut off, modulo 2^32, and 0 for what is none', async () => {
    const floats = [NaN, Infinity, -Infinity, 3e38, 1.9, -1.9, 2 ** 31, -(2 ** 31), 2 ** 31 - 128, 3e9, -3e9, 2 ** 32, 2 ** 40 + 2 ** 17];
    const wanted = [...Int32Array.from(Float32Array.from(floats))];
    expect(wanted.slice(0, 9)).to.deep.equal([0, 0, 0, 0, 1, -1, -(2 ** 31), -(2 ** 31), 2 ** 31 - 128]);
    for (const device of devices) {
      expect(await valueOf(device, () => tf.cast(tf.tensor1d(floats), 'int32')), device.name).to.deep.equal(wanted);
      expect(await valueOf(device, () => tf.floorDiv(tf.tensor1d([NaN, Infinity, 3e9]), 1)), device.name).to.deep.equal([0, 0, -1294967296]);
    }
  });

  it('are told apart where programs differ in nothing else', async () => {
    const define = (slope: number): ProgramDefinition => ({
      name: 'slopes', inputs: { x: { shape: [2], dtype: 'float32' } }, compute: ({ x }) => ({ y: tf.leakyRelu(x!, slope) }),
    });
    for (const device of devices)
      for (const slope of [NaN, Infinity, -Infinity, 0, -0]) {
        const program = await device.compile(define(slope));
        expect([...(await program.run({ x: Float32Array.of(-2, 3) }))['y']!], `${device.name}, ${slope}`).to.deep.equal([-2 * slope, 3]);
      }
  });

  it('of truth values: the largest of none does not hold, the smallest does', async () => {
    const none = () => tf.zeros([2, 0], 'bool');
    expect(await valueOf(devices[0]!, () => tf.max(none(), 1))).to.deep.equal([0, 0]);
    expect(await valueOf(devices[0]!, () => tf.min(none(), 1))).to.deep.equal([1, 1]);
  });

  it('of products whose batches are repeated, each along an axis of its own, are the same on wasm', async function () {
    const side = (...shape: number[]) => tf.tensor(Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => Math.sin(i)), shape);
    const compute = () => tf.matMul(side(3, 1, 2, 3), side(1, 4, 3, 3));
    const [wasm, wanted] = [await openInstalled(this, 'wasm'), await valueOf(devices[0]!, compute)];
    const found = await valueOf(wasm, compute);
    expect(found).to.have.length(wanted.length);
    found.forEach((value, i) => expect(value).to.be.closeTo(wanted[i]!, 1e-5));
  });
});
