import type { Matrix, Metrics } from '@lethe/core';
import { wholeMean } from './statistics/mean.js';

type Maybe = number | null | undefined;

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

/** Whether all tasks were trained at once, by scores of a stream: the model was then never scored between them. */
export const isJoint = (matrix: Matrix): boolean => matrix.slice(1, -1).some((row) => row.every((score) => score === null));

/** Probe scores of the base model and after the last task, by probe id. */
type General = { readonly base: Readonly<Record<string, number>>; readonly final: Readonly<Record<string, number>> };

/** The score on task j after training task i, both counted from 1; i = 0 is the base model. */
const at = (matrix: Matrix, i: number, j: number): Maybe => matrix[i]?.[j - 1];

/** 1 to n. */
const upTo = (n: number): number[] => Array.from({ length: Math.max(n, 0) }, (_, k) => k + 1);
const count = (matrix: Matrix): number => matrix.length - 1;

/**
 * The mean score of the tasks learned so far right after the k-th, k from 1 to T; null where a score is missing. The last is the average
 * accuracy, and the mean of all the incremental one.
 */
export const seenAccuracy = (matrix: Matrix, k: number): number | null => wholeMean(upTo(k).map((j) => at(matrix, k, j)));

/**
 * The metrics of a stream of T tasks. Every mean is over tasks, never over rows, and null where one of its values is missing.
 *
 * With R[i][j] the score on task j after training task i (row 0 is the base model):
 * backward and forward transfer after Lopez-Paz and Ranzato 2017 (arXiv 1706.08840), the latter against the base model;
 * forgetting after Chaudhry et al. 2018 (arXiv 1801.10112).
 */
export const FORMULAS: { readonly [M in keyof Metrics]: (matrix: Matrix, general: General) => number | null } = {
  averageAccuracy: (r) => seenAccuracy(r, count(r)),
  backwardTransfer: (r) => wholeMean(upTo(count(r) - 1).map((j) => minus(at(r, count(r), j), at(r, j, j)))),
  forgetting: (r) => {
    const earlier = upTo(count(r) - 1);
    return wholeMean(earlier.map((j) => minus(maxOf(earlier.map((i) => at(r, i, j))), at(r, count(r), j))));
  },
  forwardTransfer: (r) => wholeMean(upTo(count(r)).slice(1).map((j) => minus(at(r, j - 1, j), at(r, 0, j)))),
  learningAccuracy: (r) => wholeMean(upTo(count(r)).map((j) => at(r, j, j))),
  averageIncrementalAccuracy: (r) => wholeMean(upTo(count(r)).map((k) => seenAccuracy(r, k))),
  generalDelta: (_, general) => minus(wholeMean(Object.values(general.final)), wholeMean(Object.values(general.base))),
};

/**
 * All metrics of a stream.
 *
 * @param matrix (T+1) x T scores in [0, 1], null where a method does not pass a point
 * @param general probe scores of the base model and after the last task, by probe id
 */
export function metricsOf(matrix: Matrix, general: General): Metrics {
  const names = Object.keys(FORMULAS) as (keyof Metrics)[];
  return Object.fromEntries(names.map((name) => [name, FORMULAS[name](matrix, general)])) as unknown as Metrics;
}
