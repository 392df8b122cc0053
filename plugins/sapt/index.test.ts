import { Fixture, ToyStream, describeMethod } from '@lethe/testkit';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';

describeMethod(import.meta.url);

const fixture = new Fixture(new URL('../../../test/fixtures/sapt/expected.json', import.meta.url));
const open = (options: Record<string, unknown> = {}) => ToyStream.open(import.meta.url, { ...fixture.values['options'] as object, ...options });

describe('sapt', () => {
  it('mixes its blocks by attention, and recalls that of earlier tasks, as PyTorch does', async () => {
    const { learner, host } = await open();
    const [trainable, frozen] = [fixture.arrays('trainable.'), fixture.arrays('frozen.')];
    const { penalty } = fixture.checkLearner(learner, host.sites, { ...frozen, ...trainable }, Object.keys(trainable),
      { features: fixture.tensor('z') as tf.Tensor2D });
    expect(penalty).to.be.closeTo(fixture.values['penalty'] as number, 1e-5);
  });

  it('keeps the mean attention over the rows of a task at its end, and means and deviations of their features', async () => {
    const stream = await open();
    const { shape, data } = fixture.array('z');
    stream.rows[2] = { ...stream.rows[2]!, z: { shape, data } };
    for (const task of [1, 2]) await stream.learn(task, 0);
    const task = await stream.begin(3);
    for (const [name, array] of Object.entries(fixture.arrays('trainable.'))) stream.learner.trainable[name]!.data.set(array.data);
    for (const name of ['keys', 'centre']) stream.learner.frozen[name]!.data.set(fixture.array(`frozen.${name}`).data);
    await stream.end(task);
    const { stored } = stream.learner.save();
    fixture.check('attention', stored['shares.3']!.data);
    const column = [...data].filter((_, i) => i % shape[1]! === 1);
    const mean = column.reduce((sum, v) => sum + v, 0) / column.length;
    const variance = column.reduce((sum, v) => sum + (v - mean) ** 2, 0) / column.length;
    expect(stored['moments.3']!.data[1]).to.be.closeTo(mean, 1e-6);
    expect(stored['moments.3']!.data[shape[1]! + 1]).to.be.closeTo(Math.sqrt(variance), 1e-6);
  });

  it('stays finite where no feature varies, as with equal prompts', async () => {
    const stream = await open();
    stream.rows.forEach((rows, task) => {
      const { shape, data } = rows.z;
      stream.rows[task] = { ...rows, z: { shape, data: data.map((_, i) => data[i % shape[1]!]!) } };
    });
    await stream.learn(1);
    await stream.begin(2);
    expect(Object.values(stream.learner.frozen).every(({ data: values }) => values.every(Number.isFinite))).to.equal(true);
    expect(Number.isFinite(stream.penalty(2))).to.equal(true);
  });

  it('draws pseudo-samples of every earlier task around its own features, anew for each task', async () => {
    const stream = await open({ pseudo: 200 });
    for (const task of [1, 2]) await stream.learn(task, 0);
    await stream.begin(3);
    const { shape, data } = stream.learner.frozen['pseudo.z']!;
    expect(shape).to.deep.equal([400, 5]);
    // features of task t lie around 3 t with a deviation of 1
    const mean = (from: number) => data.slice(from * 5, (from + 200) * 5).reduce((sum, v) => sum + v, 0) / 1000;
    expect([mean(0), mean(200)].map(Math.round)).to.deep.equal([3, 6]);
    const shares = stream.learner.frozen['pseudo.shares']!;
    expect([...shares.data.slice(0, 3)]).to.deep.equal([1, 0, 0]);
    expect(shares.data[200 * 3 + 2], 'none on the block of the new task').to.equal(0);
    expect(shares.data[200 * 3]! + shares.data[200 * 3 + 1]!).to.be.closeTo(1, 1e-6);
  });

  it('soon knows the rows of the first task, by which features are standardised and around whose mean layers without a bias know nothing', async () => {
    const stream = await open({ hidden: 16, pseudo: 32, lambda: 10 });
    await stream.learn(1);
    await stream.begin(2);
    stream.train(30);
    const { parts, open: shares } = stream.gates(1)!;
    const own = shares.filter((_, i) => i % parts.length === 0);
    expect(own.reduce((sum, share) => sum + share, 0) / own.length).to.be.above(0.85);
  });

  it('keeps the attention of earlier tasks nearer to what it was, the more reflection weighs', async () => {
    const recalled = async (lambda: number) => {
      const stream = await open({ lambda, pseudo: 32 });
      await stream.learn(1);
      await stream.begin(2);
      stream.train(60);
      return stream.penalty()! / lambda;
    };
    expect(await recalled(10)).to.be.below(0.5 * (await recalled(0.001)));
  });
});
