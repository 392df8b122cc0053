import { adapterLearner } from '@lethe/harness';
import { expect } from 'chai';
import { ToyStream } from './toy-stream.js';

describe('what a method adds, as one adapter', () => {
  for (const name of ['lora-sequential', 'joint', 'ewc', 'o-lora']) {
    it(`gives the predictions of ${name} after every task`, async () => {
      const stream = await ToyStream.open(name, name === 'ewc' ? { lambda: 10 } : {});
      for (const t of [1, 2, 3]) {
        await stream.learn(t, 10);
        const adapter = stream.learner.adapter!();
        const own = stream.predict(t);
        stream.predict(t, 0, 16, adapterLearner(adapter)).forEach((value, i) => expect(value).to.be.closeTo(own[i]!, 1e-5));
        const rank = name === 'o-lora' ? 4 * t : 4;
        expect(Object.values(adapter).map(({ a, b }) => [a.shape, b.shape])).to.deep.equal([[[8, rank], [rank, 6]], [[6, rank], [rank, 4]]]);
      }
    });
  }

  it('is not there where a gate decides, or nothing is added', async () => {
    for (const name of ['seta', 'zero-shot']) expect((await ToyStream.open(name)).learner.adapter).to.equal(undefined);
  });
});
