import { adapterLearner } from '@lethe/harness';
import { ToyStream, methodBeside } from '@lethe/testkit';
import { expect } from 'chai';

const open = (name: string, options = {}) => methodBeside(new URL(`../../plugins/${name}/index.js`, import.meta.url).href, options);

/** Methods with one adapter, with one a task that are summed, and with an update of full rank. */
const SINGLE = ['lora-sequential', 'joint', 'ewc', 'si', 'replay', 'der', 'a-gem', 'lamol', 'lwf', 'tasl'];
const SUMMED = ['inc-lora', 'o-lora', 'n-lora', 'inflora', 'sd-lora', 'gpm'];
const FULL = ['magmax'];

describe('what a method adds, as one adapter', () => {
  for (const name of [...SINGLE, ...SUMMED, ...FULL]) {
    it(`gives the predictions of ${name} after every task`, async () => {
      const tested = await open(name, name === 'ewc' ? { lambda: 10 } : {});
      const stream = await ToyStream.of(tested);
      for (let stage = 1; stage <= stream.stages; stage++) {
        await stream.learn(stage, 10);
        const adapter = stream.learner.adapter!();
        const alone = await ToyStream.of({ ...tested, method: { create: () => adapterLearner(adapter) } });
        const own = stream.predict(stage);
        alone.predict(stage).forEach((value, i) => expect(value).to.be.closeTo(own[i]!, 1e-5));
        // (8, 6) and (6, 4) are the sites of the stream
        const [first, second] = FULL.includes(name) ? [6, 4] : SUMMED.includes(name) ? [4 * stage, 4 * stage] : [4, 4];
        expect(Object.values(adapter).map(({ a, b }) => [a.shape, b.shape])).to.deep.equal([[[8, first], [first, 6]], [[6, second], [second, 4]]]);
      }
    });
  }

  it('is not there where a gate or an oracle decides, or nothing is added', async () => {
    for (const name of ['seta', 'gainlora', 'moe-lora', 'per-task', 'zero-shot']) expect((await ToyStream.of(await open(name))).learner.adapter).to.equal(undefined);
  });
});
