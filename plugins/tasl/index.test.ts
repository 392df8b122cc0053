import { type Arrays, type Learner } from '@lethe/core';
import { describeMethod, Fixture, ToyStream } from '@lethe/testkit';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';

describeMethod(import.meta.url);

describe('tasl', () => {
  const fixture = new Fixture(new URL('../../../test/fixtures/tasl/expected.json', import.meta.url));

  it('localises and consolidates skill units, as PyTorch does', async () => {
    const stream = await ToyStream.open(import.meta.url);
    // the gradients of the fixture in the place of those of the task
    Object.assign(stream.host, {
      async *gradients(): AsyncIterable<Arrays> {
        for (let i = 0; i < (fixture.values['batches'] as number); i++) yield fixture.arrays(`gradient.${i}.`);
      },
    });
    const { learner } = stream;
    learner.restore({ trainable: fixture.arrays('before.'), frozen: {}, stored: { importance: fixture.array('importance') }, json: null });
    const task = await stream.begin(1);
    for (const [name, { data }] of Object.entries(fixture.arrays('after.'))) learner.trainable[name]!.data.set(data);
    await stream.end(task);
    for (const [name, { data }] of Object.entries(learner.trainable)) fixture.check(`merged.${name}`, data);
    fixture.check('importance', learner.save().stored['importance']!.data);
  });

  it('keeps the units of an adapter apart by the loss that PyTorch computes', async () => {
    const { learner } = await ToyStream.open(import.meta.url);
    const given = fixture.arrays('after.');
    const names = Object.keys(given);
    const { value, grads } = tf.valueAndGrads((...at) => penaltyAt(learner, names, at))(Object.values(Fixture.scope(given).params));
    expect(value.dataSync()[0]).to.be.closeTo(fixture.values['penalty'] as number, 1e-5);
    grads.forEach((g, i) => fixture.check(`gradient.${names[i]!}`, g.dataSync()));
  });

  it('keeps the first task as it was learned', async () => {
    const stream = await ToyStream.open(import.meta.url);
    const task = await stream.begin(1);
    stream.train(10);
    const learned = structuredClone(stream.learner.trainable);
    await stream.end(task);
    expect(stream.learner.trainable).to.deep.equal(learned);
  });
});

function penaltyAt(learner: Learner, names: readonly string[], at: readonly tf.Tensor[]): tf.Scalar {
  return learner.penalty!({ ...Fixture.scope({}), params: Object.fromEntries(at.map((t, i) => [names[i]!, t])) })!;
}
