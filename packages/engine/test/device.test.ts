import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import fc from 'fast-check';
import { InferenceSession } from 'onnxruntime-node';
import { type Device, type ProgramDefinition, openDevice } from '../src/index.js';
import { openInstalled } from './installed.js';

const step: ProgramDefinition = {
  name: 'train-step',
  inputs: { x: { shape: [4, 3], dtype: 'float32' }, w: { shape: [3, 2], dtype: 'float32' }, y: { shape: [4], dtype: 'int32' } },
  compute: ({ x, w, y }) => {
    const loss = (v: tf.Tensor) =>
      tf.neg(
        tf.mean(
          tf.sum(tf.mul(tf.oneHot(tf.cast(y!, 'int32'), 2), tf.logSoftmax(tf.matMul(x as tf.Tensor2D, v as tf.Tensor2D))), -1),
        ),
      ) as tf.Scalar;
    const { value, grad } = tf.valueAndGrad(loss)(w!);
    return { loss: value, w: tf.sub(w!, tf.mul(0.1, grad)) };
  },
};
const feeds = {
  x: Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)),
  w: Float32Array.from({ length: 6 }, (_, i) => Math.cos(i)),
  y: Int32Array.of(0, 1, 1, 0),
};

async function train(device: Device, steps: number): Promise<{ losses: number[]; w: Float32Array }> {
  const program = await device.compile(step);
  let { w } = feeds;
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    const out = await program.run({ ...feeds, w });
    w = out['w'] as typeof w;
    losses.push(out['loss']![0]!);
  }
  await program.dispose();
  return { losses, w };
}

describe('openDevice', () => {
  for (const name of ['cpu', 'wasm', 'tfjs-node', 'tfjs-node-gpu']) {
    it(`trains on ${name} as the plain backend does, and leaves no tensors`, async function () {
      const [device, plain] = [await openInstalled(this, name), await openDevice({ name: 'tfjs-cpu' })];
      const before = tf.memory().numTensors;
      const [a, b] = [await train(device, 20), await train(plain, 20)];
      expect(tf.memory().numTensors).to.equal(before);
      a.losses.forEach((loss, i) => expect(loss).to.be.closeTo(b.losses[i]!, 1e-5));
      a.w.forEach((value, i) => expect(value).to.be.closeTo(b.w[i]!, 1e-5));
      await device.dispose();
    });
  }

  it('tells inputs apart, whatever their names', async () => {
    const device = await openDevice({ name: 'cpu' });
    const names = ['a', 'b,in:c', 'a,in:b', 'c'];
    const program = await device.compile({
      name: 'commas',
      inputs: Object.fromEntries(names.map((name) => [name, { shape: [1], dtype: 'float32' }])),
      compute: (given) => ({ first: tf.sub(given['a']!, given['b,in:c']!), second: tf.sub(given['a,in:b']!, given['c']!) }),
    });
    const { first, second } = await program.run(Object.fromEntries(names.map((name, i) => [name, Float32Array.of(i * i)])));
    expect([first![0], second![0]]).to.deep.equal([0 - 1, 4 - 9]);
    await device.dispose();
  });

  it('gives the same bytes on every run and with every number of threads that it was opened with', async () => {
    const runs = await Promise.all(
      [1, 1, 2, 2].map(async (threads) => {
        const device = await openDevice({ name: 'cpu', threads });
        const { w } = await train(device, 10);
        await device.dispose();
        return Buffer.from(w.buffer, w.byteOffset, w.byteLength).toString('hex');
      }),
    );
    expect(new Set(runs.slice(0, 2)).size).to.equal(1);
    expect(new Set(runs.slice(2)).size).to.equal(1);
  });

  it('shares the session of equal programs until the last one lets go', async () => {
    const device = await openDevice({ name: 'cpu' });
    const weight = { shape: [2], dtype: 'float32', data: Float32Array.of(3, 4) } as const;
    const inputs = { x: { shape: [2], dtype: 'float32' } } as const;
    const define = (data = weight): ProgramDefinition => ({
      name: 'scale',
      inputs,
      constants: { k: data },
      compute: ({ x }, { k }) => ({ y: tf.mul(x!, k!) }),
    });
    const [a, b, other] = [
      await device.compile(define()),
      await device.compile(define()),
      await device.compile(define({ ...weight, data: Float32Array.of(5, 6) })),
    ];
    await a.dispose();
    await a.dispose();
    expect([...(await b.run({ x: Float32Array.of(1, 1) }))['y']!]).to.deep.equal([3, 4]);
    expect([...(await other.run({ x: Float32Array.of(1, 1) }))['y']!]).to.deep.equal([5, 6]);
    await device.dispose();
  });

  it('compiles a program again after it was let go, however many came between', async () => {
    const device = await openDevice({ name: 'cpu' });
    const scaleOf = (size: number): ProgramDefinition => ({
      name: 'scale',
      inputs: { x: { shape: [size], dtype: 'float32' } },
      constants: { k: { shape: [size], dtype: 'float32', data: new Float32Array(size).fill(size % 7) } },
      compute: ({ x }, { k }) => ({ y: tf.mul(x!, k!) }),
    });
    // the large ones are past what may lie unused, so that each drives the earlier ones out
    const definitions = [2, 20e6, 3, 20e6 + 1].map(scaleOf);
    for (const definition of [...definitions, ...definitions]) {
      const program = await device.compile(definition);
      const [size] = definition.inputs['x']!.shape as [number];
      const { y } = await program.run({ x: new Float32Array(size).fill(1) });
      expect([y![0], y![size - 1]]).to.deep.equal([size % 7, size % 7]);
      await program.dispose();
      await program.dispose();
    }
    await device.dispose();
  });

  it('lets go of programs side by side, and lends what is still there', async () => {
    const device = await openDevice({ name: 'cpu' });
    const filled = (size: number): ProgramDefinition => ({
      name: 'filled',
      inputs: { x: { shape: [size], dtype: 'float32' } },
      constants: { k: { shape: [size], dtype: 'float32', data: new Float32Array(size).fill(2) } },
      compute: ({ x }, { k }) => ({ y: tf.mul(x!, k!) }),
    });
    const [small, ...large] = [filled(3), filled(20e6), filled(20e6 + 1)];
    for (const program of await Promise.all([small!, filled(4), filled(5)].map((one) => device.compile(one)))) await program.dispose();
    const programs = await Promise.all(large.map((one) => device.compile(one)));
    const [again] = await Promise.all([device.compile(small!), ...programs.map((one) => one.dispose())]);
    expect([...(await again!.run({ x: Float32Array.of(1, 2, 3) }))['y']!]).to.deep.equal([2, 4, 6]);
    await device.dispose();
  });

  it('lets go of most programs that nobody uses, small ones too', async () => {
    const device = await openDevice({ name: 'cpu' });
    const sessions = InferenceSession as unknown as { prototype: { release(): Promise<void> } };
    const { release } = sessions.prototype;
    let released = 0;
    sessions.prototype.release = function (this: unknown) {
      released++;
      return release.call(this);
    };
    try {
      for (let size = 1; size <= 40; size++) {
        await (await device.compile({
          name: 'grown', inputs: { x: { shape: [size], dtype: 'float32' } }, compute: ({ x }) => ({ y: tf.neg(x!) }),
        })).dispose();
      }
      expect(released).to.equal(40 - 32);
      await device.dispose();
      expect(released).to.equal(40);
    } finally {
      sessions.prototype.release = release;
    }
  });

  it('looks at constants when it compiles, and never again', async () => {
    const device = await openDevice({ name: 'cpu' });
    const data = new Float32Array(4096).fill(3);
    const program = await device.compile({
      name: 'table',
      inputs: { i: { shape: [2], dtype: 'int32' } },
      constants: { table: { shape: [4096], dtype: 'float32', data } },
      compute: ({ i }, { table }) => ({ y: tf.gather(table!, i as tf.Tensor1D) }),
    });
    data.fill(7);
    expect([...(await program.run({ i: Int32Array.of(0, 4095) }))['y']!]).to.deep.equal([3, 3]);
    await device.dispose();
  });

  it('keeps what it gave when it runs again', async () => {
    const device = await openDevice({ name: 'cpu' });
    const program = await device.compile({
      name: 'neg',
      inputs: { x: { shape: [2], dtype: 'float32' } },
      compute: ({ x }) => ({ y: tf.neg(x!), same: x! }),
    });
    const x = Float32Array.of(1, 2);
    const first = await program.run({ x });
    x.fill(9);
    await program.run({ x });
    expect([...first['y']!, ...first['same']!]).to.deep.equal([-1, -2, 1, 2]);
    await device.dispose();
  });

  it('uses no more memory after many runs and many programs', async () => {
    const device = await openDevice({ name: 'cpu' });
    const size = 256;
    const inputs = { x: { shape: [size, size], dtype: 'float32' } } as const;
    const x = new Float32Array(size * size).fill(0.01);
    const spend = async (programs: number, runs: number) => {
      for (let p = 0; p < programs; p++) {
        const program = await device.compile({
          name: 'grow',
          inputs,
          compute: ({ x: at }) => ({ y: tf.relu(tf.matMul(at as tf.Tensor2D, tf.mul(at!, p) as tf.Tensor2D)) }),
        });
        for (let i = 0; i < runs; i++) await program.run({ x });
        await program.dispose();
      }
    };
    await spend(2, 40);
    const before = process.memoryUsage.rss();
    await spend(4, 125); // 500 results of 256 KB are 125 MB when they are kept
    expect((process.memoryUsage.rss() - before) / 2 ** 20).to.be.below(50);
    await device.dispose();
  });

  it('broadcasts as the plain backend does, whatever the shapes', async () => {
    const [cpu, plain] = [await openDevice({ name: 'cpu' }), await openDevice({ name: 'tfjs-cpu' })];
    const operations = [tf.add, tf.sub, tf.mul, tf.maximum, tf.minimum, tf.squaredDifference] as const;
    // a full shape, and for each side how many leading dimensions it lacks and which of its dimensions are 1
    const side = fc.record({ dropped: fc.nat(3), ones: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }) });
    const shapes = fc.tuple(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }), side, side);
    const shapeOf = (full: number[], { dropped, ones }: { dropped: number; ones: boolean[] }) =>
      full.map((d, i) => (ones[i] ? 1 : d)).slice(dropped);
    await fc.assert(
      fc.asyncProperty(shapes, fc.nat(operations.length - 1), async ([full, left, right], which) => {
        const [a, b] = [shapeOf(full, left), shapeOf(full, right)];
        const values = (shape: number[], seed: number) =>
          Float32Array.from({ length: shape.reduce((p, d) => p * d, 1) }, (_, i) => Math.sin(seed + 3 * i));
        const definition: ProgramDefinition = {
          name: 'broadcast',
          inputs: { a: { shape: a, dtype: 'float32' }, b: { shape: b, dtype: 'float32' } },
          compute: (given) => {
            const [u, v] = [given['a']!, given['b']!];
            const op = operations[which]!;
            const [du, dv] = tf.grads((p, q) => tf.sum(tf.square(op(p!, q!))))([u, v]);
            return { y: op(u, v), du: du!, dv: dv! };
          },
        };
        const feed = { a: values(a, 1), b: values(b, 2) };
        const [p, q] = [await cpu.compile(definition), await plain.compile(definition)];
        const [got, wanted] = [await p.run(feed), await q.run(feed)];
        expect(p.outputs).to.deep.equal(q.outputs);
        for (const [name, expected] of Object.entries(wanted))
          expected.forEach((value, i) => expect(got[name]![i]).to.be.closeTo(value, 2e-5 * (1 + Math.abs(value))));
        await p.dispose();
      }),
      { numRuns: 30, seed: 1 },
    );
    await cpu.dispose();
  });
});
