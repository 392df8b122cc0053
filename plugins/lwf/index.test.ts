import { ToyStream, describeMethod } from '@lethe/testkit';
import { expect } from 'chai';

describeMethod(import.meta.url);

describe('lwf', () => {
  it('holds to nothing in the first task and keeps no teacher between tasks', async () => {
    const stream = await ToyStream.open(import.meta.url);
    await stream.begin(1);
    expect(stream.penalty()).to.equal(null);
    await stream.learn(1);
    await stream.begin(2);
    expect(Object.keys(stream.learner.frozen)).to.have.length(4);
    await stream.learn(2);
    expect(stream.learner.save().frozen).to.deep.equal({});
  });

  it('stays nearer to its earlier answers the larger lambda is', async () => {
    const moved = async (lambda: number) => {
      const stream = await ToyStream.open(import.meta.url, { lambda });
      await stream.learn(1);
      const before = stream.predict(2);
      await stream.learn(2);
      return stream.predict(2).reduce((sum, value, i) => sum + (value - before[i]!) ** 2, 0);
    };
    expect(await moved(100)).to.be.below(0.5 * (await moved(0)));
  });
});
