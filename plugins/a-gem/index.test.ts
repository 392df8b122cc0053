import { Fixture, ROWS, ToyStream, describeMethod } from '@lethe/testkit';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';

describeMethod(import.meta.url);

const drawn = (task: number, rows = ROWS) => Array.from({ length: rows }, (_, row) => ({ prompt: [task, row], answer: [task] }));
/** How many of the rows of a step are of this task. */
const countOf = (rows: readonly { readonly prompt: readonly number[] }[], task: number) => rows.filter(({ prompt }) => prompt[0] === task).length;

describe('a-gem', () => {
  it('projects the gradient where kept rows want the opposite, and there alone, as PyTorch does', async () => {
    const fixture = new Fixture(new URL('../../../test/fixtures/a-gem/expected.json', import.meta.url));
    const stream = await ToyStream.open(import.meta.url);
    await stream.learn(1, 0); // so that there are kept rows
    const kept = fixture.values['kept'] as number[];
    for (const name of ['agree', 'conflict']) {
      const rows = fixture.arrays(`${name}.rows.`);
      const of = (weights: tf.Tensor1D) => Object.fromEntries(Object.entries(rows).map(([array, { shape, data }]) =>
        [array, tf.tensor(data, [...shape]).mul(weights.reshape([-1, 1, 1])).sum(0)]));
      const taken = stream.learner.transformGradients!(
        { loss: of(tf.fill([kept.length], 1 / kept.length)), of, kept: () => tf.tensor1d(kept) }, { ...Fixture.scope({}), batch: kept.length });
      for (const [array, gradient] of Object.entries(taken)) fixture.check(`${name}.${array}`, gradient.dataSync());
    }
  });

  it('takes a gradient as it is before anything is kept, and in a step without a kept row', async () => {
    const stream = await ToyStream.open(import.meta.url);
    const loss = { a: tf.tensor1d([1, -2]) };
    const step = { loss, of: () => ({ a: tf.tensor1d([3, 4]) }), kept: () => tf.zeros([2]) as tf.Tensor1D };
    const take = () => [...stream.learner.transformGradients!(step, { ...Fixture.scope({}), batch: 2 })['a']!.dataSync()];
    expect(take()).to.deep.equal([1, -2]);
    await stream.learn(1, 0);
    const none = { a: tf.tensor1d([0, 0]) };
    let asked = 0;
    step.of = () => (asked++ === 0 ? { a: tf.tensor1d([3, 4]) } : none); // the task's rows first, then no row
    expect(take()).to.deep.equal([3, 4]);
  });

  it('gives a share of the places of a step to kept rows, other ones each step, and never all', async () => {
    const stream = await ToyStream.open(import.meta.url, { budget: 12, share: 1 });
    await stream.begin(1);
    expect(stream.learner.batch!(drawn(1), 1)).to.deep.equal(drawn(1));
    await stream.learn(1, 0);
    await stream.begin(2);
    expect(countOf(stream.learner.batch!(drawn(2), 1), 1)).to.equal(12);
    expect(countOf(stream.learner.batch!(drawn(2, 4), 1), 1)).to.equal(3);
    expect(stream.learner.batch!(drawn(2, 4), 1)).not.to.deep.equal(stream.learner.batch!(drawn(2, 4), 2));
    expect(stream.learner.batch!(drawn(2, 1), 1)).to.deep.equal(drawn(2, 1));
  });

  it('divides its budget equally among the tasks so far', async () => {
    const stream = await ToyStream.open(import.meta.url, { budget: 8 });
    const counts: number[][] = [];
    for (const task of [1, 2, 3]) {
      await stream.learn(task, 0);
      counts.push([1, 2, 3].map((of) => countOf(stream.learner.rows!, of)));
    }
    expect(counts).to.deep.equal([[8, 0, 0], [4, 4, 0], [3, 3, 2]]);
  });

  it('does not let the loss of its kept rows rise, where a step reads all of them', async () => {
    const risen = async (share: number) => {
      const stream = await ToyStream.open(import.meta.url, { budget: 8, share });
      await stream.learn(1);
      const places = stream.learner.rows!.map(({ prompt }) => prompt[1]!);
      const kept = () => places.reduce((sum, row) => sum + stream.lossOf([], 1, row, row + 1)().dataSync()[0]! / places.length, 0);
      await stream.begin(2);
      const before = kept();
      stream.train(40);
      return kept() / before;
    };
    expect(await risen(0)).to.be.above(1.05);
    expect(await risen(0.5)).to.be.below(1.001);
  });
});
