import { type CompletedRun, type Run, canonicalJson, grouped, unlabelled } from '@lethe/core';
import { stepsOf } from './rows.js';

/** Whether a run answers otherwise in the end than the untouched model does. */
export function changesAnswers({ predictions }: CompletedRun): boolean {
  return Object.values(predictions).some((task) => {
    const steps = stepsOf(task);
    return canonicalJson(steps[0]) !== canonicalJson(steps.at(-1));
  });
}

/** Whether a run answers a row of a task that it has learned wrongly, at any point: runs that do not may well be the same. */
const errs = ({ matrix }: CompletedRun): boolean => matrix.some((row, learned) => row.slice(0, learned).some((score) => score !== null && score < 1));

/** A method whose runs in one order give the same answers with several seeds. */
export interface AlikeSeeds {
  readonly method: Run['method'];
  readonly order: Run['order'];
  readonly seeds: readonly number[];
}

/**
 * Where seeds make no difference to a single answer at any point of the stream, though something is learned: the method does not depend on
 * them, and intervals over seeds say nothing of it, or a run was put there under other seeds. Runs without an error are left out.
 *
 * @param runs of one benchmark
 */
export function alikeSeeds(runs: readonly Run[]): AlikeSeeds[] {
  const telling = runs.filter((run): run is CompletedRun => run.status === 'completed' && changesAnswers(run) && errs(run));
  return grouped(telling, ({ method, order, predictions }) => [unlabelled(method), order, predictions]).flatMap((same) => {
    const seeds = [...new Set(same.map(({ seed }) => seed))].sort((a, b) => a - b);
    const { method, order } = same[0]!;
    return seeds.length > 1 ? [{ method, order, seeds }] : [];
  });
}
