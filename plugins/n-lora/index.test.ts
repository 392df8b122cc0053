import { describeMethod, Fixture, ToyStream } from '@lethe/testkit';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';

describeMethod(import.meta.url);

describe('n-lora', () => {
  it('sums adapters and penalises every entry of the new update, as PyTorch does', async () => {
    const fixture = new Fixture(new URL('../../../test/fixtures/n-lora/expected.json', import.meta.url));
    const { learner, host } = await ToyStream.open(import.meta.url, { lambda: fixture.values['lambda'] });
    const scope = Fixture.scope(fixture.arrays(''));
    for (const site of host.sites) {
      fixture.check(`delta.${site.name}`, learner.adapt(site, scope.params[`x.${site.name}`] as tf.Tensor3D, scope)!.dataSync());
    }
    const names = Object.keys(scope.params).filter((name) => name.startsWith('lora.'));
    const { value, grads } = tf.valueAndGrads((...at) =>
      learner.penalty!({ ...scope, params: { ...scope.params, ...Object.fromEntries(at.map((t, i) => [names[i]!, t])) } })!,
    )(names.map((name) => scope.params[name]!));
    expect(value.dataSync()[0]).to.be.closeTo(fixture.values['penalty'] as number, 1e-4);
    grads.forEach((g, i) => fixture.check(`gradient.${names[i]!}`, g.dataSync()));
  });

  it('has the more negligible entries in its update, the heavier they are penalised', async () => {
    const shares: number[] = [];
    for (const lambda of [0, 0.02]) {
      const stream = await ToyStream.open(import.meta.url, { lambda });
      await stream.learn(1, 200);
      const cells = stream.learner.report!()[0]!.cells as number[][];
      shares.push(cells.flat().reduce((a, b) => a + b, 0) / cells.length);
    }
    expect(shares[1]).to.be.above(2 * shares[0]!);
  });
});
