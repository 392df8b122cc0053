import { Fixture, ToyStream, describeMethod } from '@lethe/testkit';
import { expect } from 'chai';

describeMethod(import.meta.url);

describe('si', () => {
  it('sums up the path, weighs and holds as PyTorch does over two tasks', async () => {
    const fixture = new Fixture(new URL('../../../test/fixtures/si/expected.json', import.meta.url));
    const { c, xi, steps } = fixture.values as Record<string, number>;
    const stream = await ToyStream.open(import.meta.url, { c, xi });
    for (const [name, { data }] of Object.entries(stream.learner.trainable)) data.set(fixture.array(name).data);
    for (const task of [1, 2]) {
      stream.rows[task - 1] = { ...stream.rows[task - 1]!, x: fixture.array(`${task}.x`), y: fixture.array(`${task}.y`) };
      await stream.learn(task, steps);
      for (const [name, { data }] of Object.entries(stream.learner.trainable)) {
        fixture.check(`${task}.${name}`, data, 1e-4);
        fixture.check(`${task}.omega.${name}`, stream.learner.frozen[`omega.${name}`]!.data, 1e-3);
      }
    }
  });

  it('holds nothing in the first task, and more of what mattered in later ones, the stronger it is', async () => {
    const drift = async (c: number) => {
      const stream = await ToyStream.open(import.meta.url, { c });
      await stream.learn(1);
      const before = Object.values(stream.learner.trainable).flatMap(({ data }) => [...data]);
      const weights = Object.keys(stream.learner.trainable).flatMap((name) => [...stream.learner.frozen[`omega.${name}`]!.data]);
      expect(Math.min(...weights)).to.be.at.least(0);
      expect(stream.penalty(1)).to.equal(0);
      await stream.learn(2);
      const after = Object.values(stream.learner.trainable).flatMap(({ data }) => [...data]);
      return after.reduce((sum, value, i) => sum + weights[i]! * (value - before[i]!) ** 2, 0);
    };
    expect((await ToyStream.open(import.meta.url)).learner.penalty!(Fixture.scope({}))).to.equal(null);
    expect(await drift(100)).to.be.below(0.5 * (await drift(0)));
  });
});
