import { expect } from 'chai';
import { ToyStream } from './toy-stream.js';

/** The default strength of EWC is made for the small gradients of a language model; plain descent on this stream diverges with it. */
const OPTIONS: Record<string, Record<string, unknown>> = { ewc: { lambda: 10 } };
const METHODS = ['zero-shot', 'joint', 'lora-sequential', 'ewc', 'o-lora', 'seta'];

for (const name of METHODS) {
  describe(`method ${name}`, () => {
    it('goes on from a saved state exactly as if it had never stopped', async () => {
      const straight = await ToyStream.open(name, OPTIONS[name]);
      await straight.learn(1);
      await straight.learn(2);
      const interrupted = await ToyStream.open(name, OPTIONS[name]);
      await interrupted.learn(1);
      interrupted.learner = interrupted.restored();
      await interrupted.learn(2);
      expect([...interrupted.predict(1)]).to.deep.equal([...straight.predict(1)]);
      expect([...interrupted.predict(2)]).to.deep.equal([...straight.predict(2)]);
    });

    it('gives the same values for the same seed', async () => {
      const [p, q] = [await ToyStream.open(name, OPTIONS[name]), await ToyStream.open(name, OPTIONS[name])];
      await p.learn(1);
      await q.learn(1);
      expect([...p.predict(1)]).to.deep.equal([...q.predict(1)]);
    });

    it('predicts a row without regard to its neighbours', async () => {
      const stream = await ToyStream.open(name, OPTIONS[name]);
      await stream.learn(1);
      await stream.learn(2);
      const together = stream.predict(2, 0, 8);
      const alone = stream.predict(2, 3, 4);
      alone.forEach((value, i) => expect(value).to.be.closeTo(together[3 * 12 + i]!, 1e-5));
    });

    it('leaves frozen arrays as they are while it trains', async () => {
      const stream = await ToyStream.open(name, OPTIONS[name]);
      await stream.learn(1);
      const task = { index: 2, rows: 16, steps: 30 };
      await stream.learner.begin(task);
      const before = structuredClone(stream.learner.frozen);
      stream.penalty();
      expect(stream.learner.frozen).to.deep.equal(before);
    });

    if (name !== 'zero-shot') {
      it('lowers the loss of the task it learns', async () => {
        const stream = await ToyStream.open(name, OPTIONS[name]);
        const { first, last } = await stream.learn(1, 60);
        expect(last).to.be.below(first);
      });
    }
  });
}
