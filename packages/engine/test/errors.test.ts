import * as tf from '@tensorflow/tfjs';
import { LetheError } from '@lethe/core';
import { expect } from 'chai';
import { GraphBuilder } from '../src/graph/builder.js';
import { type Device, type ProgramDefinition, openDevice, rotary } from '../src/index.js';
import { serialise } from '../src/onnx.js';
import { openSession } from '../src/session.js';

const inputs = { x: { shape: [2], dtype: 'float32' } } as const;

async function failure(work: Promise<unknown>): Promise<LetheError> {
  const error: unknown = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).to.be.instanceOf(LetheError);
  return error as LetheError;
}

describe('errors of the engine', () => {
  let cpu: Device;
  before(async () => {
    cpu = await openDevice({ name: 'cpu' });
  });
  after(() => cpu.dispose());
  const compile = (compute: ProgramDefinition['compute']) => failure(cpu.compile({ name: 'prog', inputs, compute }));

  it('name an operation without kernel, the program, and the line that called it', async () => {
    const error = await compile(({ x }) => ({ y: tf.unique(x as tf.Tensor1D).values }));
    expect(error.code).to.equal('LETHE_ENGINE_KERNEL');
    expect(error.message).to.match(/Unique.*"prog"/);
    expect(error.where).to.match(/errors\.test\.ts:\d+$/);
    expect(error.remedy).to.contain('kernels');
  });

  it('name the line of a convolution whose channels do not come last', async () => {
    const image = { x: { shape: [1, 2, 4, 4], dtype: 'float32' } } as const;
    const compute: ProgramDefinition['compute'] = ({ x }) => ({ y: tf.conv2d(x as tf.Tensor4D, tf.ones([2, 2, 2, 3]), 1, 'same', 'NCHW') });
    const error = await failure(cpu.compile({ name: 'prog', inputs: image, compute }));
    expect(error.code).to.equal('LETHE_ENGINE_KERNEL');
    expect(error.where).to.match(/errors\.test\.ts:\d+$/);
  });

  it('name the line of a pooling that rounds its size up', async () => {
    const image = { x: { shape: [1, 4, 4, 1], dtype: 'float32' } } as const;
    const compute: ProgramDefinition['compute'] = ({ x }) => ({ y: tf.maxPool(x as tf.Tensor4D, 3, 2, 0, 'ceil') });
    const error = await failure(cpu.compile({ name: 'prog', inputs: image, compute }));
    expect(error.code).to.equal('LETHE_ENGINE_KERNEL');
    expect(error.where).to.match(/errors\.test\.ts:\d+$/);
    expect(error.remedy).to.contain('tf.pad');
  });

  it('name the line of a convolution or pooling that leaves no pixel, and their shapes', async () => {
    const image = { x: { shape: [1, 1, 4, 1], dtype: 'float32' } } as const;
    const refused = (compute: ProgramDefinition['compute']) => failure(cpu.compile({ name: 'prog', inputs: image, compute }));
    for (const error of [
      await refused(({ x }) => ({ y: tf.conv2d(x as tf.Tensor4D, tf.ones([2, 2, 1, 1]), 1, 'valid') })),
      await refused(({ x }) => ({ y: tf.maxPool(x as tf.Tensor4D, 2, 1, 'valid') })),
    ]) {
      expect(error.code).to.equal('LETHE_ENGINE_SHAPE');
      expect(error.message).to.match(/\(1, 1, 4, 1\) and \(2, 2/);
      expect(error.where).to.match(/errors\.test\.ts:\d+$/);
    }
  });

  it('name the line of a padding by which TensorFlow.js miscounts the pixels', async () => {
    const image = { x: { shape: [1, 5, 5, 1], dtype: 'float32' } } as const;
    const compute: ProgramDefinition['compute'] = ({ x }) => ({ y: tf.avgPool(x as tf.Tensor4D, [1, 3], 1, 0) });
    const error = await failure(cpu.compile({ name: 'prog', inputs: image, compute }));
    expect(error.code).to.equal('LETHE_ENGINE_KERNEL');
    expect(error.message).to.contain('5 x 5').and.to.contain('5 x 3');
    expect(error.where).to.match(/errors\.test\.ts:\d+$/);
  });

  it('name the shapes of tensors that do not go together, and the line', async () => {
    const product = await compile(({ x }) => ({ y: tf.matMul(tf.reshape(x!, [1, 2]), tf.ones([3, 4])) }));
    const joined = await compile(({ x }) => ({ y: tf.concat([tf.reshape(x!, [1, 2]), tf.ones([1, 3])], 0) }));
    const summed = await compile(({ x }) => ({ y: tf.einsum('ij,jk->ik', tf.reshape(x!, [1, 2]), tf.ones([3, 4])) }));
    const padded = await compile(({ x }) => ({ y: tf.pad(tf.reshape(x!, [2, 1]), [[1, 0]]) }));
    for (const [error, shapes] of [
      [product, '(1, 2) and (3, 4)'], [joined, '(1, 2) and (1, 3)'], [summed, '(1, 2) and (3, 4)'], [padded, '(2, 1) and (1, 2)'],
    ] as const) {
      expect(error.code).to.equal('LETHE_ENGINE_SHAPE');
      expect(error.message).to.contain(shapes);
      expect(error.where).to.match(/errors\.test\.ts:\d+$/);
    }
  });

  it('name an operation without gradient', async () => {
    const error = await compile(({ x }) => ({ y: tf.grad((v) => tf.sum(tf.bincount(tf.tensor1d([0, 1], 'int32'), v as tf.Tensor1D, 2)))(x!) }));
    expect(error.code).to.equal('LETHE_ENGINE_KERNEL');
    expect(error.message).to.contain('no gradient of Bincount');
    expect(error.remedy).to.contain('tf.customGrad');
  });

  it('are the same for a device that runs op by op', async () => {
    const plain = await openDevice({ name: 'tfjs-cpu' });
    const error = await failure(
      plain.compile({ name: 'prog', inputs, compute: ({ x }) => ({ y: tf.grad((v) => tf.sum(tf.bincount(tf.tensor1d([0, 1], 'int32'), v as tf.Tensor1D, 2)))(x!) }) }),
    );
    expect(error.code).to.equal('LETHE_ENGINE_KERNEL');
    expect(error.where).to.match(/errors\.test\.ts:\d+$/);
  });

  it('name the line that read a value while tracing', async () => {
    const error = await compile(({ x }) => ({ y: tf.scalar(x!.dataSync()[0]!) }));
    expect(error.code).to.equal('LETHE_ENGINE_READ');
    expect(error.where).to.match(/errors\.test\.ts:\d+$/);
  });

  it('name the line that called a function whose result has no fixed shape', async () => {
    const choose = (x: tf.Tensor) => tf.booleanMaskAsync(x, tf.greater(x, 0)) as unknown as tf.Tensor;
    const error = await compile(({ x }) => ({ y: choose(x!) }));
    expect(error.code).to.equal('LETHE_ENGINE_READ');
    expect(error.where).to.match(/errors\.test\.ts:\d+$/);
    expect(error.remedy).to.contain('multiply by the mask');
  });

  it('refuse what is no tensor, and functions that wait', async () => {
    const promised = (async () => ({ y: tf.scalar(1) })) as unknown as ProgramDefinition['compute'];
    const plain = await openDevice({ name: 'tfjs-cpu' });
    for (const device of [cpu, plain]) {
      const error = await failure(device.compile({ name: 'prog', inputs, compute: promised }));
      expect(error.code).to.equal('LETHE_ENGINE_TRACE');
      expect(error.remedy).to.contain('without async');
    }
    expect((await compile(() => ({ y: 3 as unknown as tf.Tensor }))).message).to.contain('Output "y"');
    expect((await compile((() => undefined) as unknown as ProgramDefinition['compute'])).message).to.contain('The result');
    expect((await compile(() => ({}))).message).to.contain('The result');
  });

  it('outlive a function that fails after it was refused for waiting', async () => {
    const late = (async ({ x }: Record<string, tf.Tensor>) => {
      await null;
      return { y: tf.mul(x!, 2) };
    }) as unknown as ProgramDefinition['compute'];
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      expect((await compile(late)).code).to.equal('LETHE_ENGINE_TRACE');
      await new Promise((done) => setTimeout(done, 10));
      expect(unhandled).to.deep.equal([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  it('leave the values of constants readable', async () => {
    const program = await cpu.compile({
      name: 'known',
      inputs,
      compute: ({ x }) => ({ y: tf.mul(x!, tf.tensor1d([2, 3]).dataSync()[1]!) }),
    });
    expect([...(await program.run({ x: Float32Array.of(1, 2) }))['y']!]).to.deep.equal([3, 6]);
  });

  it('refuse a tensor that another program made', async () => {
    let kept: tf.Tensor | undefined;
    await cpu.compile({ name: 'first', inputs, compute: ({ x }) => ({ y: (kept = tf.keep(tf.neg(x!))) }) });
    const error = await compile(({ x }) => ({ y: tf.add(x!, kept!) }));
    expect(error.code).to.equal('LETHE_ENGINE_TRACE');
    expect(error.where).to.match(/errors\.test\.ts:\d+$/);
  });

  for (const name of ['cpu', 'tfjs-cpu']) {
    for (const [what, make] of [['made', () => tf.scalar(2)], ['computed', (x: tf.Tensor) => tf.neg(x)]] as const) {
      it(`name the line that uses a tensor which an earlier pass has ${what}, on ${name}`, async () => {
        const device = await openDevice({ name });
        let kept: tf.Tensor | undefined;
        const pass = async () => {
          const program = await device.compile({ name: 'prog', inputs, compute: ({ x }) => ({ y: tf.mul(x!, (kept ??= make(x!))) }) });
          return program.run({ x: Float32Array.of(1, 2) });
        };
        try {
          const error = await failure(pass().then(pass)); // a device that runs op by op has done so once to know the outputs
          expect(error.code).to.equal('LETHE_ENGINE_TRACE');
          expect(error.message).to.contain('an earlier pass');
          expect(error.where).to.match(/errors\.test\.ts:\d+$/);
        } finally {
          await device.dispose();
        }
      });
    }
  }

  it('take a tensor of the plain backend as a constant', async () => {
    await tf.setBackend('cpu');
    const outside = tf.tensor1d([5, 7]);
    const program = await cpu.compile({ name: 'captured', inputs, compute: ({ x }) => ({ y: tf.add(x!, outside) }) });
    outside.dispose();
    expect([...(await program.run({ x: Float32Array.of(1, 2) }))['y']!]).to.deep.equal([6, 9]);
  });

  it('pass an error of the traced function on, and trace the next one', async () => {
    const thrown = await cpu
      .compile({
        name: 'own',
        inputs,
        compute: () => {
          throw new RangeError('mine');
        },
      })
      .catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(RangeError);
    await cpu.compile({ name: 'next', inputs, compute: ({ x }) => ({ y: tf.neg(x!) }) });
  });

  it('blame the kernel, not the device, for a graph that the runtime refuses', async () => {
    for (const [op, dtype] of [
      ['Not', 'float32'],
      ['Sqrt', 'int32'],
      ['Nonsense', 'float32'],
      ['Where', 'float32'],
    ] as const) {
      const builder = new GraphBuilder();
      builder.origin = 'Select';
      builder.input('in:x', { shape: [2], dtype });
      const graph = builder.finish({ y: builder.node(op, ['in:x'], { shape: [2], dtype }) });
      const error = await failure(
        openSession(serialise(graph, { x: { shape: [2], dtype } }), { device: 'cpu', threads: 1, program: 'prog' }),
      );
      expect(error.code, op).to.equal('LETHE_ENGINE_KERNEL');
      expect(error.message, op).to.contain('the kernel of Select');
    }
  });

  it('tell an index out of range, and where it was used, in a table of equal numbers too', async () => {
    const inputs = { i: { shape: [1], dtype: 'int32' } } as const;
    for (const table of [[1, 2, 3], [1, 1, 1]]) {
      const program = await cpu.compile({ name: 'look', inputs, compute: ({ i }) => ({ y: tf.gather(tf.tensor1d(table), i as tf.Tensor1D) }) });
      for (const place of [9, 3, -1, -100]) {
        const error = await failure(program.run({ i: Int32Array.of(place) }));
        expect(error.code, `${place}`).to.equal('LETHE_ENGINE_INPUT');
        expect(error.message).to.contain('at GatherV2');
      }
    }
  });

  it('refuse an index that would reach what belongs to another row, and a position without angles', async () => {
        const calls: Record<string, [call: (i: tf.Tensor) => tf.Tensor, wrong: number[]]> = {
      gather: [(i) => tf.gather(tf.range(0, 6).reshape([2, 3]), i, 1, 1), [3, -1]],
      denseBincount: [(i) => tf.denseBincount(i as tf.Tensor2D, tf.tensor2d([], [0, 0]), 2), [-1, -2]],
      rotary: [(i) => rotary(tf.zeros([1, 1, 4, 2]), tf.concat([tf.zeros([1, 2], 'int32'), tf.reshape(i, [1, 2])], 1) as tf.Tensor2D, { cos: tf.zeros([3, 1]), sin: tf.zeros([3, 1]) }), [3, -1]],
    };
    for (const [name, [call, wrong]] of Object.entries(calls)) {
      const program = await cpu.compile({ name, inputs: { i: { shape: [2, 1], dtype: 'int32' } }, compute: ({ i }) => ({ y: call(i!) }) });
      await program.run({ i: Int32Array.of(0, 1) });
      for (const place of wrong)
        for (const i of [Int32Array.of(place, 0), Int32Array.of(0, place)])
          expect((await failure(program.run({ i }))).code, `${name} ${i.join()}`).to.equal('LETHE_ENGINE_INPUT');
    }
  });

  it('name a constant whose array is of another type or length', async () => {
    const plain = await openDevice({ name: 'tfjs-cpu' });
    for (const device of [cpu, plain])
      for (const data of [Int32Array.of(1, 2), Float32Array.of(1), Uint8Array.from({ length: 8 }, () => 1)]) {
        const weight = { shape: [2], dtype: 'float32', data } as const;
        const error = await failure(device.compile({ name: 'prog', inputs, constants: { weight }, compute: ({ x }, { weight: w }) => ({ y: tf.mul(x!, w!) }) }));
        expect(error.code).to.equal('LETHE_ENGINE_INPUT');
        expect(error.message).to.contain('Constant "weight" of program "prog" is float32 of shape [2]').and.contain(data.constructor.name);
      }
  });

  it('say that memory is short where it is', async () => {
    const size = 10_000_000; // a product of 400 TB, more than any process can address
    const program = await cpu.compile({
      name: 'wide',
      inputs: { x: { shape: [size, 1], dtype: 'float32' } },
      compute: ({ x }) => ({ y: tf.sum(tf.exp(tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D, false, true))) }),
    });
    const error = await failure(program.run({ x: new Float32Array(size) }));
    expect(error.code).to.equal('LETHE_ENGINE_MEMORY');
    expect(error.message).to.contain('Program "wide"');
    expect(error.remedy).to.contain('batch').and.contain('--workers');
  });

  it('name a program whose device was disposed', async () => {
    const device = await openDevice({ name: 'cpu' });
    const program = await device.compile({ name: 'late', inputs, compute: ({ x }) => ({ y: tf.neg(x!) }) });
    await device.dispose();
    const error = await failure(program.run({ x: Float32Array.of(1, 2) }));
    expect(error.code).to.equal('LETHE_ENGINE_DEVICE');
    expect(error.message).to.contain('"late"');
    expect(error.remedy).to.contain('after the last run');
  });

  it('name a type that no program has', async () => {
    const error = await failure(cpu.compile({ name: 'words', inputs, compute: () => ({ y: tf.tensor1d(['a']) }) }));
    expect(error.code).to.equal('LETHE_ENGINE_TRACE');
    expect(error.message).to.contain('Program "words" made a tensor of type string');
    expect(error.where).to.contain('errors.test');
  });

  it('name inputs that do not fit', async () => {
    const program = await cpu.compile({ name: 'fit', inputs, compute: ({ x }) => ({ y: tf.neg(x!) }) });
    expect((await failure(program.run({ x: Float32Array.of(1) }))).message).to.contain('Float32Array of 1');
    expect((await failure(program.run({ x: Int32Array.of(1, 2) }))).code).to.equal('LETHE_ENGINE_INPUT');
    expect((await failure(program.run({}))).message).to.contain('nothing');
    expect((await failure(program.run({ x: Float32Array.of(1, 2), z: Float32Array.of(1) }))).message).to.contain('no input "z"');
  });

  it('name a device that is not there', async () => {
    const error = await failure(openDevice({ name: 'abacus' }));
    expect(error.code).to.equal('LETHE_ENGINE_DEVICE');
    expect(error.remedy).to.contain('webgpu');
  });
});
