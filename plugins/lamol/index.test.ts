import type { Row } from '@lethe/core';
import { ROWS, ToyStream, describeMethod } from '@lethe/testkit';
import { expect } from 'chai';

describeMethod(import.meta.url);

const GEN = 0; // the end of text of the small stream
const drawn = (task: number): Row[] => Array.from({ length: ROWS }, (_, row) => ({ prompt: [task, row], answer: [task] }));
/** Of the rows of a step, those learned as texts, those of the task and those that were written. */
function sorted(rows: readonly Row[], own: readonly Row[]) {
  const texts = rows.filter(({ prompt }) => prompt[0] === GEN);
  const answered = rows.filter((row) => own.includes(row));
  return { texts, answered, written: rows.filter((row) => !texts.includes(row) && !answered.includes(row)) };
}

describe('lamol', () => {
  it('learns some rows of a step as texts: the prompt behind the end of text, others in every step', async () => {
    const stream = await ToyStream.open(import.meta.url, { text: 0.25 });
    await stream.begin(1);
    const own = drawn(1);
    const steps = [1, 2].map((step) => sorted(stream.learner.batch!(own, step), own));
    for (const { texts, answered, written } of steps) {
      expect([texts.length, answered.length, written.length]).to.deep.equal([4, 12, 0]);
      for (const { answer } of texts) expect(own.map(({ prompt }) => prompt)).to.deep.include(answer);
    }
    expect(steps[0]!.texts).not.to.deep.equal(steps[1]!.texts);
  });

  it('writes rows before a task with what it has learned by then, and gives them their share of the places', async () => {
    const stream = await ToyStream.open(import.meta.url, { ratio: 4, share: 0.5, text: 0.25 });
    await stream.learn(1);
    await stream.begin(2);
    const own = drawn(2);
    const { texts, written } = sorted(stream.learner.batch!(own, 1), own);
    const [count, used] = stream.learner.report!()[0]!.cells[0] as [number, number];
    expect(count, 'four for every row').to.equal(4 * ROWS);
    expect(used, 'those that came to an end, and whose answer did').to.be.within(1, 4 * ROWS - 1);
    expect(texts).to.have.length(4);
    const asTexts = texts.filter(({ answer }) => !own.some(({ prompt }) => prompt.join() === answer.join()));
    expect(written.length + asTexts.length).to.equal(Math.min(used, ROWS / 2));
  });

  it('keeps no row: what it has written is gone when the task ends', async () => {
    const stream = await ToyStream.open(import.meta.url, { ratio: 4, share: 0.5, text: 0 });
    for (const task of [1, 2]) await stream.learn(task);
    expect(stream.learner.rows).to.equal(undefined);
    expect(stream.learner.batch!(drawn(3), 1), 'before the next one is begun').to.deep.equal(drawn(3));
  });
});
