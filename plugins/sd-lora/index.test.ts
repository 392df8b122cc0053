import { type NdArray, product } from '@lethe/core';
import { describeMethod, Fixture, ToyStream } from '@lethe/testkit';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';

describeMethod(import.meta.url);

describe('sd-lora', () => {
  it('adds magnitudes times directions and differentiates by both, as PyTorch does', async () => {
    const fixture = new Fixture(new URL('../../../test/fixtures/sd-lora/expected.json', import.meta.url));
    const { learner, host } = await ToyStream.open(import.meta.url);
    const scope = Fixture.scope(fixture.arrays(''));
    for (const site of host.sites) {
      const names = [`lora.${site.name}.A`, `lora.${site.name}.B`, `magnitude.${site.name}`];
      const [x, weight] = [scope.params[`x.${site.name}`] as tf.Tensor3D, scope.params[`weight.${site.name}`]!];
      const deltaAt = (at: readonly tf.Tensor[]) =>
        learner.adapt(site, x, { ...scope, params: { ...scope.params, ...Object.fromEntries(at.map((t, i) => [names[i]!, t])) } })!;
      fixture.check(`delta.${site.name}`, deltaAt([]).dataSync());
      const gradients = tf.grads((...at) => deltaAt(at).mul(weight).sum())(names.map((name) => scope.params[name]!));
      gradients.forEach((g, i) => fixture.check(`gradient.${names[i]!}`, g.dataSync()));
    }
  });

  it('freezes a direction of norm 1 without changing what the model answers', async () => {
    const stream = await ToyStream.open(import.meta.url);
    await stream.learn(1);
    const learned = stream.predict(1);
    await stream.begin(2);
    stream.predict(1).forEach((v, i) => expect(v).to.be.closeTo(learned[i]!, 1e-5));
    const { frozen } = stream.learner;
    const update = product(frozen['old.layers.0.q.A'] as NdArray, frozen['old.layers.0.q.B'] as NdArray).data;
    expect(update.reduce((sum, v) => sum + v * v, 0)).to.be.closeTo(1, 1e-5);
  });

  it('goes on training the magnitudes of earlier directions', async () => {
    const stream = await ToyStream.open(import.meta.url);
    await stream.learn(1);
    await stream.begin(2);
    const before = stream.learner.trainable['magnitude.layers.0.q']!.data.slice();
    stream.train(30);
    const after = stream.learner.trainable['magnitude.layers.0.q']!.data;
    expect(before.length).to.equal(2);
    expect(Math.abs(after[0]! - before[0]!)).to.be.above(1e-3);
  });
});
