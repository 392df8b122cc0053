import type { Matrix, Metrics } from '@lethe/core';

type Maybe = number | null | undefined;

/** The mean, or null where there is nothing or where any value is missing: a mean over what happens to be known would mislead. */
function meanOf(values: readonly Maybe[]): number | null {
  if (values.length === 0) return null;
  let sum = 0;
  for (const value of values) {
    if (value === null || value === undefined) return null;
    sum += value;
  }
  return sum / values.length;
}

const minus = (a: Maybe, b: Maybe): number | null =>
  a === null || a === undefined || b === null || b === undefined ? null : a - b;

/** The largest value, or null where any is missing. */
function maxOf(values: readonly Maybe[]): number | null {
  let best: number | null = null;
  for (const value of values) {
    if (value === null || value === undefined) return null;
    if (best === null || value > best) best = value;
  }
  return best;
}

/**
 * The metrics of a stream of T tasks. Every mean is over tasks, never over rows.
 *
 * With R[i][j] the score on task j after training task i (row 0 is the base model):
 * backward and forward transfer after Lopez-Paz and Ranzato 2017 (arXiv 1706.08840, section 2), the latter against the
 * base model; forgetting after Chaudhry et al. 2018 (arXiv 1801.10112, section 3).
 *
 * @param matrix (T+1) x T scores in [0, 1], null where a method does not pass a point
 * @param general probe scores of the base model and after the last task, by probe id
 */
export function metricsOf(
  matrix: Matrix,
  general: { readonly base: Readonly<Record<string, number>>; readonly final: Readonly<Record<string, number>> },
): Metrics {
  const count = matrix.length - 1;
  const at = (i: number, j: number): Maybe => matrix[i]?.[j - 1];
  const tasks = Array.from({ length: Math.max(count, 0) }, (_, k) => k + 1);
  const earlier = tasks.slice(0, -1);
  const later = tasks.slice(1);
  return {
    averageAccuracy: meanOf(tasks.map((j) => at(count, j))),
    backwardTransfer: meanOf(earlier.map((j) => minus(at(count, j), at(j, j)))),
    forgetting: meanOf(earlier.map((j) => minus(maxOf(earlier.map((i) => at(i, j))), at(count, j)))),
    forwardTransfer: meanOf(later.map((j) => minus(at(j - 1, j), at(0, j)))),
    learningAccuracy: meanOf(tasks.map((j) => at(j, j))),
    averageIncrementalAccuracy: meanOf(tasks.map((i) => meanOf(tasks.slice(0, i).map((j) => at(i, j))))),
    generalDelta: minus(meanOf(Object.values(general.final)), meanOf(Object.values(general.base))),
  };
}

/** The fraction of rows whose chosen option is the right one. */
export function accuracy(chosen: readonly number[], answers: readonly number[]): number {
  return chosen.filter((option, row) => option === answers[row]).length / answers.length;
}
