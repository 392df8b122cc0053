import { bytesOf } from '@lethe/core';
import { checkMethod, describeMethod, methodBeside, ToyStream } from '@lethe/testkit';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';

describeMethod(import.meta.url);

describe('ewc', () => {
  it('keeps the mean of squared per-example gradients as Fisher information', async () => {
    const stream = await ToyStream.open(import.meta.url, { rows: 5, fisher: 'absolute' });
    await stream.learn(1);
    const name = 'lora.layers.0.q.B';
    const { data, shape } = stream.learner.trainable[name]!;
    const expected = new Float32Array(data.length);
    for (let row = 0; row < 5; row++) {
      const g = tf.grads(stream.lossOf([name], 1, row, row + 1))([tf.tensor(data, [...shape])])[0]!.dataSync();
      g.forEach((v, i) => (expected[i]! += v ** 2 / 5));
    }
    stream.learner.frozen[`fisher.${name}`]!.data.forEach((f, i) => expect(f).to.be.closeTo(expected[i]!, 1e-7));
  });

  it('divides the Fisher information of a task by its mean, so that each of them weighs alike', async () => {
    const fisherOf = async (fisher: string, stages: number) => {
      const stream = await ToyStream.open(import.meta.url, { rows: 5, fisher, lambda: 0 });
      for (let stage = 1; stage <= stages; stage++) await stream.learn(stage);
      return Object.entries(stream.learner.frozen).filter(([name]) => name.startsWith('fisher.')).flatMap(([, { data }]) => [...data]);
    };
    const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
    const [absolute, relative] = [await fisherOf('absolute', 1), await fisherOf('relative', 1)];
    relative.forEach((f, i) => expect(f).to.be.closeTo(absolute[i]! / mean(absolute), 1e-4 * f + 1e-9));
    expect(mean(await fisherOf('relative', 3)), 'a sum over tasks').to.be.closeTo(3, 1e-4);
  });

  it('adds lambda / 2 times the Fisher-weighted squared distance, and nothing before the first consolidation', async () => {
    const stream = await ToyStream.open(import.meta.url, { lambda: 10 });
    expect(stream.penalty(1)).to.equal(null);
    await stream.learn(1);
    let expected = 0;
    for (const [name, array] of Object.entries(stream.learner.trainable)) {
      array.data.forEach((_, i) => (array.data[i]! += 0.5));
      expected += stream.learner.frozen[`fisher.${name}`]!.data.reduce((sum, f) => sum + f * 0.25, 0) * 5;
    }
    expect(stream.penalty(1)).to.be.closeTo(expected, 1e-4 * expected);
  });
});

describe('ewc, in other forms', () => {
  it('keeps no anchors where they are what has been learned, and has them again when it goes on', async () => {
    for (const on of ['factors', 'product']) {
      const stream = await ToyStream.open(import.meta.url, { on, rows: 2, lambda: 10 });
      await stream.learn(1);
      const [state, frozen] = [stream.learner.save(), stream.learner.frozen];
      expect(Object.keys(state.frozen).every((name) => name.startsWith('fisher.'))).to.equal(true);
      const again = await ToyStream.open(import.meta.url, { on, rows: 2, lambda: 10 });
      again.learner.restore(state);
      expect(again.learner.frozen).to.deep.equal(frozen);
    }
  });

  it('keeps as much for separate penalties as for one, whatever the number of tasks', async () => {
    for (const on of ['factors', 'product']) {
      const stream = await ToyStream.open(import.meta.url, { penalties: 'separate', on, rows: 2 });
      const sizes: number[] = [];
      for (const task of [1, 2, 3]) {
        await stream.learn(task, 2);
        sizes.push(bytesOf(stream.learner.save().frozen));
      }
      expect(new Set(sizes).size).to.equal(1);
    }
  });

  for (const [form, options] of [['separate', { penalties: 'separate' }], ['product', { on: 'product' }]] as const) {
    it(`${form}: is a method in good standing`, async () => {
      const verdicts = await checkMethod(await methodBeside(import.meta.url, { ...options, lambda: 10 }));
      expect(verdicts.filter(({ status }) => status === 'broken')).to.deep.equal([]);
    });
  }
});
