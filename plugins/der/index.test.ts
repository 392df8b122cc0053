import { Fixture, ROWS, ToyStream, describeMethod } from '@lethe/testkit';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';

describeMethod(import.meta.url);

const row = (task: number, place: number) => ({ prompt: [task, place], answer: [task] });

describe('der', () => {
  it('holds the logits of kept rows to those that are stored, as PyTorch does', async () => {
    const fixture = new Fixture(new URL('../../../test/fixtures/der/expected.json', import.meta.url));
    const { learner } = await ToyStream.open(import.meta.url, { alpha: fixture.values['alpha'] });
    const places = fixture.values['counts'] as number[];
    learner.restore({
      trainable: learner.trainable, frozen: {}, stored: { logits: fixture.array('stored') }, json: { counts: [3], places }, rows: places.map((_, i) => row(1, i)),
    });
    await learner.begin({ index: 2, rows: ROWS, steps: 1 });
    const kept = fixture.values['kept'] as number[];
    const arrays = { ...learner.frozen, ...learner.stepArrays!(1, kept, kept) };
    const penalty = (h: tf.Tensor) => learner.penalty!({
      ...Fixture.scope(arrays), predictions: () => {
        const logp = tf.logSoftmax(h.reshape([-1, 7])) as tf.Tensor2D;
        return { logp, states: logp, weights: tf.ones([logp.shape[0]]) };
      },
    })!;
    const h = fixture.tensor('h');
    fixture.check('penalty', penalty(h).dataSync());
    fixture.check('gradient', tf.grad(penalty)(h).dataSync());
  });

  it('stores the logits of rows as they are when their task ends, and does not store them anew', async () => {
    const stream = await ToyStream.open(import.meta.url, { budget: 8 });
    await stream.learn(1);
    const ended = stream.restored();
    const logits = () => {
      const { json, stored: { logits: all } } = stream.learner.save();
      expect((json as { places: number[] }).places).to.deep.equal(new Array(8).fill(3));
      return stream.learner.rows!.map(({ prompt }, i) => ({ prompt, data: [...all!.data.subarray(i * 12, (i + 1) * 12)] }));
    };
    const first = logits();
    for (const { prompt: [task, place], data } of first) {
      const answer = ended.predict(task!, place!, place! + 1);
      data.forEach((value, i) => {
        const token = answer.subarray(i - (i % 4), i - (i % 4) + 4);
        expect(value).to.be.closeTo(answer[i]! - token.reduce((sum, v) => sum + v, 0) / 4, 1e-5);
      });
    }
    await stream.learn(2);
    const second = logits();
    expect(second.map(({ prompt: [task] }) => task)).to.deep.equal([1, 1, 1, 1, 2, 2, 2, 2]);
    expect(second.slice(0, 4)).to.deep.equal(first.slice(0, 4));
    expect(stream.learner.save().frozen).to.deep.equal({});
  });

  it('stays nearer to its earlier answers the larger alpha is', async () => {
    const moved = async (alpha: number) => {
      const stream = await ToyStream.open(import.meta.url, { alpha });
      await stream.learn(1);
      const before = stream.predict(1);
      await stream.learn(2);
      return stream.predict(1).reduce((sum, value, i) => sum + (value - before[i]!) ** 2, 0);
    };
    expect(await moved(100)).to.be.below(0.5 * (await moved(0)));
  });
});
