import type { CompletedRun, TaskData, TaskPredictions } from '@lethe/core';
import { scorerOf } from '@lethe/scorers';
import { meanOf } from './statistics/mean.js';

/** What a run keeps of a task or probe, if anything; a task may be called like something that every object has. */
export const predictionsFor = ({ predictions }: CompletedRun, task: string): TaskPredictions | undefined =>
  (Object.hasOwn(predictions, task) ? predictions[task] : undefined);

/** What was answered at every point of the stream, the base model's answers first; null where a step was not scored. */
export const stepsOf = (predictions: TaskPredictions): readonly (readonly (number | string)[] | null)[] =>
  ('scorer' in predictions ? predictions.written : predictions.chosen);

/** How many test rows there are predictions for. */
export const rowsOf = (predictions: TaskPredictions): number =>
  ('scorer' in predictions ? predictions.references : predictions.answers).length;

/** Test rows of a task or probe; 0 where the run does not have it. */
export function countOf(run: CompletedRun, task: string): number {
  const predictions = predictionsFor(run, task);
  return predictions ? rowsOf(predictions) : 0;
}

/**
 * The score of every test row after step i, in [0, 1]; null where the step was not scored. Of rows with options it is 1 for
 * the right one and 0 for any other.
 *
 * @throws LETHE_SCORER_UNKNOWN
 */
export function rowScores(predictions: TaskPredictions, i: number): number[] | null {
  if (!('scorer' in predictions)) {
    return predictions.chosen[i]?.map((option, row) => (option === predictions.answers[row] ? 1 : 0)) ?? null;
  }
  const { references, sources } = predictions;
  const scorer = scorerOf(predictions.scorer);
  return predictions.written[i]?.map((text, row) => scorer.score(text, references[row]!, sources?.[row])) ?? null;
}

/** The score of a task: the mean over its rows. */
export const meanScore: (scores: readonly number[]) => number = meanOf;

/**
 * What the rows of a task ask for, with what was answered to them.
 *
 * @param answers to every test row, step by step: the options chosen, or what was written; null for a step that was not scored
 */
export function predictionsOf({ test, written }: Pick<TaskData, 'test' | 'written'>, answers: readonly (readonly number[] | readonly string[] | null)[]): TaskPredictions {
  if (!written) return { answers: test.map((row) => row.answer), chosen: answers as readonly (readonly number[] | null)[] };
  const { scorer } = written;
  return {
    scorer,
    // the space before an answer belongs to the template
    references: test.map(({ options }) => options.map((option) => option.trimStart())),
    ...(scorerOf(scorer).needsSource ? { sources: test.map(({ source }) => source!) } : {}),
    written: answers as readonly (readonly string[] | null)[],
  };
}
