import { describeMethod, ToyStream } from '@lethe/testkit';
import { expect } from 'chai';

describeMethod(import.meta.url);

describe('o-lora', () => {
  it('adds lambda1 times the absolute inner products of old and new columns of A', async () => {
    const stream = await ToyStream.open(import.meta.url, { lambda1: 0.25 });
    await stream.learn(1);
    await stream.begin(2);
    let expected = 0;
    for (const site of stream.host.sites) {
      const [old, now] = [stream.learner.frozen[`old.${site.name}.A`]!, stream.learner.trainable[`lora.${site.name}.A`]!];
      for (let p = 0; p < 4; p++) {
        for (let q = 0; q < 4; q++) {
          let dot = 0;
          for (let i = 0; i < site.in; i++) dot += old.data[i * 4 + p]! * now.data[i * 4 + q]!;
          expected += 0.25 * Math.abs(dot);
        }
      }
    }
    expect(stream.penalty()).to.be.closeTo(expected, 1e-4 * expected);
  });

  it('keeps earlier adapters and adds rank columns a task', async () => {
    const stream = await ToyStream.open(import.meta.url);
    for (const t of [1, 2, 3]) await stream.learn(t);
    expect(stream.learner.frozen['old.layers.0.q.A']!.shape).to.deep.equal([8, 8]);
  });
});
