import { ROWS, ToyStream, checkMethod, describeMethod, methodBeside } from '@lethe/testkit';
import { expect } from 'chai';

describeMethod(import.meta.url);

/** How many rows of each task a stream keeps. */
const countsOf = (stream: ToyStream) => [1, 2, 3].map((task) => stream.learner.rows!.filter(({ prompt }) => prompt[0] === task).length);
const drawn = (task: number) => Array.from({ length: ROWS }, (_, row) => ({ prompt: [task, row], answer: [task] }));

describe('replay', () => {
  it('divides its budget equally among the tasks so far', async () => {
    const stream = await ToyStream.open(import.meta.url, { budget: 8, policy: 'per-task' });
    const counts: number[][] = [];
    for (const task of [1, 2, 3]) {
      await stream.learn(task, 0);
      counts.push(countsOf(stream));
    }
    expect(counts).to.deep.equal([[8, 0, 0], [4, 4, 0], [3, 3, 2]]);
    expect(new Set(stream.learner.rows!.map(({ prompt }) => prompt.join())).size, 'no row twice').to.equal(8);
  });

  it('keeps every row of the stream with the same probability in a reservoir', async () => {
    const tested = await methodBeside(import.meta.url, { budget: 8, policy: 'reservoir' });
    const total = [0, 0, 0];
    const seeds = 200;
    for (let seed = 1; seed <= seeds; seed++) {
      const stream = await ToyStream.of(tested, seed);
      for (const task of [1, 2, 3]) await stream.learn(task, 0);
      countsOf(stream).forEach((count, t) => (total[t]! += count / seeds));
    }
    // four standard errors of a mean over 200 seeds
    for (const mean of total) expect(mean).to.be.closeTo(8 / 3, 0.35);
  });

  it('is a method in good standing with a reservoir too', async () => {
    const verdicts = await checkMethod(await methodBeside(import.meta.url, { policy: 'reservoir' }));
    expect(verdicts.filter(({ status }) => status === 'broken')).to.deep.equal([]);
  });

  it('gives a share of the places of a step to kept rows, other ones each step, and none in the first task', async () => {
    const stream = await ToyStream.open(import.meta.url, { budget: 12, share: 0.5 });
    await stream.begin(1);
    expect(stream.learner.batch!(drawn(1), 1)).to.deep.equal(drawn(1));
    await stream.learn(1, 0);
    await stream.begin(2);
    const kept = [1, 2].map((step) => stream.learner.batch!(drawn(2), step).filter(({ prompt }) => prompt[0] === 1).map(({ prompt }) => prompt[1]));
    for (const places of kept) expect(new Set(places).size).to.equal(ROWS / 2);
    expect(kept[0]).not.to.deep.equal(kept[1]);
  });

  it('forgets less than an adapter without a memory', async () => {
    const errorAfter = async (share: number) => {
      const stream = await ToyStream.open(import.meta.url, { budget: 16, share });
      for (const task of [1, 2]) await stream.learn(task, 40);
      return stream.lossOf([], 1)().dataSync()[0]!;
    };
    expect(await errorAfter(0.5)).to.be.below(0.95 * (await errorAfter(0)));
  });
});
