import { ToyStream, describeMethod } from '@lethe/testkit';
import { expect } from 'chai';

describeMethod(import.meta.url);

describe('in-context', () => {
  it('puts as many rows of the task before a prompt as fit, ended as texts are, and none of a task that was not learned', async () => {
    const stream = await ToyStream.open(import.meta.url, { examples: 3 });
    await stream.learn(1);
    await stream.learn(2);
    const prompt = (room: number, task: number) => stream.learner.prompt!([7, 8], room, task);
    const rows = stream.learner.rows!;
    expect(rows.map(({ prompt: [task] }) => task)).to.deep.equal([1, 1, 1, 2, 2, 2]);
    // each example takes two tokens of its prompt, one of its answer and the end of text (0)
    const example = (i: number) => [...rows[i]!.prompt, ...rows[i]!.answer, 0];
    expect(prompt(100, 2)).to.deep.equal([...example(5), ...example(4), ...example(3), 7, 8]);
    expect(prompt(13, 2)).to.deep.equal([...example(4), ...example(3), 7, 8]);
    expect(prompt(5, 2)).to.deep.equal([7, 8]);
    expect(prompt(100, 0)).to.deep.equal([7, 8]);
  });
});
