import type { Example, TaskData, WrittenAnswers } from '@lethe/core';
import { scorerOf } from '@lethe/scorers';

/** What can be written of an answer: what stands before the first text that ends it. */
function writable(answer: string, stop: readonly string[]): string {
  const ends = stop.map((text) => answer.indexOf(text)).filter((at) => at >= 0);
  return ends.length === 0 ? answer : answer.slice(0, Math.min(...ends)).trimEnd();
}

/** Whether none of the right answers of a row can be written so that it has the score that it has when it is whole. */
function isOutOfReach({ options, source }: Example, { scorer, stop }: WrittenAnswers): boolean {
  const answers = options.map((option) => option.trim());
  if (!answers.every((answer) => writable(answer, stop) !== answer)) return false;
  const { score } = scorerOf(scorer);
  return answers.every((answer) => score(writable(answer, stop), answers, source) < score(answer, answers, source));
}

/**
 * What to know of tasks with answers that hold a text which ends what the model writes: they cannot be written whole, however good the model is. It is
 * no fault of a row: a scorer may give something for the beginning, and rows that others published are as they are.
 */
export function stopNotes(tasks: readonly TaskData[]): string[] {
  return tasks.flatMap(({ id, test, written }) => {
    if (!written) return [];
    const count = test.filter((row) => isOutOfReach(row, written)).length;
    if (count === 0) return [];
    const texts = written.stop.map((text) => JSON.stringify(text)).join(' or ');
    return [`task "${id}": ${count} of ${test.length} test rows have only answers with ${texts} in them, where the model stops: `
      + `no answer to them has the full score of ${written.scorer} (written.stop names other texts)`];
  });
}
