import { type NdArray, product, transposed } from '@lethe/core';
import { describeMethod, Fixture, ToyStream } from '@lethe/testkit';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';

describeMethod(import.meta.url);
describe('with branches as in InfLoRA', () => describeMethod(import.meta.url, { options: { branches: 'inflora' } }));

const projector = (basis: NdArray): Float32Array => product(basis, transposed(basis)).data;

describe('gainlora', () => {
  const fixture = new Fixture(new URL('../../../test/fixtures/gainlora/expected.json', import.meta.url));
  const restored = async () => {
    const stream = await ToyStream.open(import.meta.url, fixture.values['options'] as Record<string, unknown>);
    const [trainable, frozen] = [fixture.arrays('trainable/'), fixture.arrays('frozen/')];
    stream.learner.restore({ trainable, frozen, stored: {}, json: 2 });
    return { stream, trainable, frozen };
  };

  it('opens branches by their gates, and trains a gate within what earlier tasks leave of it, as PyTorch does', async () => {
    const { stream: { learner, host }, trainable, frozen } = await restored();
    const { total } = fixture.checkLearner(learner, host.sites, { ...frozen, ...trainable }, Object.keys(trainable),
      { features: fixture.tensor('z') as tf.Tensor2D, tolerance: 1e-4 });
    expect(total).to.be.closeTo(fixture.values['total'] as number, 1e-3);
  });

  it('folds what a gate has learned, and keeps what its layers read, as PyTorch does', async () => {
    const { stream: { learner, host } } = await restored();
    const { shape, data } = fixture.array('z');
    Object.assign(host, { features: async () => ({ shape, data }) });
    await learner.end({ index: 2, rows: shape[0]!, steps: 1 });
    for (const layer of ['in', 'out', 'key']) {
      fixture.check(`folded.${layer}`, learner.frozen[`gate.base.${layer}`]!.data);
      fixture.check(`space.${layer}`, projector(learner.frozen[`gate.space.${layer}`]!), 1e-3);
    }
  });

  it('leaves the answers of an earlier task as they are while a new branch is learned, but for what the threshold lets go', async () => {
    const drift = async (threshold: number): Promise<number> => {
      const stream = await ToyStream.open(import.meta.url, { lambda: 0, threshold });
      // features of the tasks in directions of their own, two each
      stream.rows.forEach(({ z }, t) => z.data.forEach((_, i) => { if (Math.floor((i % 5) / 2) !== t) z.data[i] = 0; }));
      await stream.learn(1);
      const learned = stream.predict(1);
      await stream.learn(2, 100);
      const base = stream.base(2);
      expect(Math.max(...stream.predict(2).map((v, i) => Math.abs(v - base[i]!)))).to.be.above(0.1);
      return Math.max(...stream.predict(1).map((v, i) => Math.abs(v - learned[i]!)));
    };
    const [all, little] = [await drift(1), await drift(0.01)];
    expect(all).to.be.below(0.02);
    expect(little).to.be.above(4 * all);
  });

  it('fixes what a branch reads outside of the inputs of earlier tasks where branches are as in InfLoRA', async () => {
    const stream = await ToyStream.open(import.meta.url, { branches: 'inflora', branchThreshold: 1 });
    // inputs of the first task in the first three coordinates, those of the second in all of them
    const { x } = stream.rows[0]!;
    x.data.forEach((_, i) => { if (i % 8 > 2) x.data[i] = 0; });
    await stream.learn(1);
    await stream.begin(2);
    const { learner, host } = stream;
    expect(Object.keys(learner.trainable)).to.include.members(['lora.layers.0.q.B', 'lora.layers.0.v.B']);
    expect(Object.keys(learner.trainable)).to.not.include.members(['lora.layers.0.q.A', 'lora.layers.0.v.A']);
    const designed = learner.frozen['lora.layers.0.q.A']!.data.slice();
    const [taken, free] = [designed.subarray(0, 3 * host.rank), designed.subarray(3 * host.rank)]; // by coordinates of the input
    taken.forEach((v) => expect(v).to.be.closeTo(0, 1e-4));
    expect(Math.max(...free.map(Math.abs))).to.be.above(0.1);
    stream.train(30);
    expect(learner.frozen['lora.layers.0.q.A']!.data).to.deep.equal(designed);
  });
});
