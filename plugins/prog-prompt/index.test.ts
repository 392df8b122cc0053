import { ToyStream, describeMethod } from '@lethe/testkit';
import { expect } from 'chai';

describeMethod(import.meta.url);

// its numbers are compared with PyTorch in test/methods/prompts.test.ts, on small checkpoints
describe('prog-prompt', () => {
  const TOKENS = 2;
  const open = (gain: number) => ToyStream.open(import.meta.url, { tokens: TOKENS, gain });

  it('puts the newest prompt first and leaves those behind it as they were', async () => {
    const stream = await open(1);
    await stream.learn(1);
    const first = [...stream.learner.trainable['prompt']!.data];
    await stream.learn(2);
    const second = [...stream.learner.trainable['prompt']!.data];
    await stream.begin(3);
    expect([...stream.learner.frozen['earlier']!.data]).to.deep.equal([...second, ...first]);
    expect(stream.learner.virtualTokens).to.equal(3 * TOKENS);
  });

  it('begins at embeddings of the vocabulary, and moves by the gain of what the optimizer moves', async () => {
    const [one, four] = [await open(1), await open(4)];
    for (const stream of [one, four]) await stream.begin(1);
    const prompts = () => [one, four].map((stream, i) => stream.learner.trainable['prompt']!.data.map((v) => v * [1, 4][i]!));
    const [before, scaled] = prompts() as [Float32Array, Float32Array];
    scaled.forEach((value, i) => expect(value).to.be.closeTo(before[i]!, 1e-6));
    const loss = (stream: ToyStream) => stream.lossOf([], 1)().dataSync()[0]!;
    const [start] = [loss(one), one.train(1), four.train(1)];
    expect(start - loss(four)).to.be.above(2 * (start - loss(one)));
  });
});
