import { describeMethod, ToyStream } from '@lethe/testkit';
import { expect } from 'chai';

// What every method must keep, a test for each rule.
describeMethod(import.meta.url);

// What is this method's own, against plain arithmetic.
describe('template-method', () => {
  it('adds nothing to the loss of the first task', async () => {
    const stream = await ToyStream.open(import.meta.url);
    await stream.begin(1);
    expect(stream.penalty()).to.equal(null);
  });

  it('adds strength times the squared distance from where the last task ended', async () => {
    const stream = await ToyStream.open(import.meta.url, { strength: 10 });
    await stream.learn(1);
    await stream.begin(2);
    expect(stream.penalty()).to.equal(0);
    let count = 0;
    for (const { data } of Object.values(stream.learner.trainable)) {
      data.forEach((_, i) => (data[i]! += 0.5));
      count += data.length;
    }
    expect(stream.penalty()).to.be.closeTo(10 * 0.25 * count, 1e-3 * count);
  });
});
