import { ToyStream, describeMethod } from '@lethe/testkit';
import { expect } from 'chai';

describeMethod(import.meta.url);

describe('per-task', () => {
  it('forgets nothing', async () => {
    const stream = await ToyStream.open(import.meta.url);
    await stream.learn(1);
    const learned = stream.predict(1);
    await stream.learn(2);
    await stream.learn(3);
    stream.predict(1).forEach((value, i) => expect(value).to.be.closeTo(learned[i]!, 1e-6));
  });
});
