import { ToyStream, describeMethod } from '@lethe/testkit';
import { expect } from 'chai';

describeMethod(import.meta.url);

describe('magmax', () => {
  it('trains the adapter, not the merge: the next task starts where the last one ended', async () => {
    const stream = await ToyStream.open(import.meta.url, { lambda: 0 });
    const { last } = await stream.learn(1);
    expect(stream.lossOf([], 1)().dataSync()[0]).to.be.below(last);
    // what predicts is the merge, here times 0
    stream.predict(1).forEach((value, i) => expect(value).to.be.closeTo(stream.base(1)[i]!, 1e-6));
  });
});
