import { leadingDirections, type NdArray, product, transposed } from '@lethe/core';
import { loraNames } from '@lethe/core/tensor';
import { Fixture, ToyStream, describeMethod } from '@lethe/testkit';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';

describeMethod(import.meta.url);

describe('gpm', () => {
  it('adds and differentiates what PyTorch does with a projected gradient', async () => {
    const fixture = new Fixture(new URL('../../../test/fixtures/gpm/expected.json', import.meta.url));
    const { learner, host } = await ToyStream.open(import.meta.url);
    learner.restore({ trainable: {}, frozen: {}, stored: {}, json: Object.fromEntries(host.sites.map(({ name }) => [name, name])) });
    const scope = Fixture.scope(fixture.arrays(''));
    for (const site of host.sites) {
      const { a, b } = loraNames(site);
      const [x, weight] = [scope.params[`x.${site.name}`] as tf.Tensor3D, scope.params[`weight.${site.name}`]!];
      const deltaAt = (values: readonly tf.Tensor[]) =>
        learner.adapt(site, x, { ...scope, params: { ...scope.params, ...Object.fromEntries(values.map((t, i) => [[a, b][i]!, t])) } })!;
      fixture.check(`delta.${site.name}`, deltaAt([]).dataSync());
      const gradients = tf.grads((...at) => deltaAt(at).mul(weight).sum())([scope.params[a]!, scope.params[b]!]);
      gradients.forEach((g, i) => fixture.check(`gradient.${[a, b][i]!}`, g.dataSync()));
    }
  });

  /** What the learner's adapters do to rows x, (n, in) to (n, out). */
  const outputOf = (stream: ToyStream, x: NdArray): Float32Array => {
    const { a, b } = stream.learner.adapter!()['layers.0.q']!;
    return product(x, product(a, b)).data;
  };

  it('leaves what it does to the kept directions as it was, and learns elsewhere', async () => {
    const stream = await ToyStream.open(import.meta.url, { threshold: 0.6 });
    await stream.learn(1);
    const kept = transposed(stream.learner.frozen['basis.layers.0.q']!);
    expect(kept.shape[0]).to.be.within(1, 7);
    const before = outputOf(stream, kept);
    const { first, last } = await stream.learn(2);
    expect(last).to.be.below(first);
    outputOf(stream, kept).forEach((value, i) => expect(value).to.be.closeTo(before[i]!, 1e-5));
  });

  it('starts a later adapter on what the new inputs hold most of outside of the kept directions', async () => {
    const stream = await ToyStream.open(import.meta.url, { threshold: 0.6, start: 'inputs' });
    await stream.learn(1);
    const view = await stream.begin(2);
    const kept = stream.learner.frozen['basis.layers.0.q']!;
    const found = stream.learner.trainable[loraNames(stream.host.sites[0]!).a]!;
    const rank = found.shape[1]!;
    product(transposed(kept), found).data.forEach((value) => expect(value).to.be.closeTo(0, 1e-5));
    const moment = (await stream.host.moments(view, view.rows))['layers.0.q']!;
    const wanted = leadingDirections(moment, rank, kept);
    const count = wanted.shape[1]!;
    expect(count).to.be.above(0);
    wanted.data.forEach((value, i) => expect(found.data[Math.floor(i / count) * rank + (i % count)]).to.be.closeTo(value, 1e-5));
  });

  it('keeps orthonormal directions that hold the share of the energy asked for, and no fewer than before', async () => {
    const stream = await ToyStream.open(import.meta.url, { threshold: 0.9 });
    let before = 0;
    for (let task = 1; task <= 3; task++) {
      const view = await stream.begin(task);
      const moment = (await stream.host.moments(view, view.rows))['layers.0.q']!;
      await stream.end(view);
      const m = stream.learner.frozen['basis.layers.0.q']!;
      const size = m.shape[1]!;
      product(transposed(m), m).data.forEach((value, i) => expect(value).to.be.closeTo(i % (size + 1) === 0 ? 1 : 0, 1e-5));
      const trace = ({ data, shape }: NdArray) => data.reduce((sum, v, i) => sum + (i % (shape[1]! + 1) === 0 ? v : 0), 0);
      expect(trace(product(transposed(m), product(moment, m))) / trace(moment)).to.be.at.least(0.9 - 1e-5);
      expect(size).to.be.at.least(before);
      before = size;
    }
  });
});
