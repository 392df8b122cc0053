import type { Row } from './method.js';
import type { Random } from './random.js';

/** Rows that are kept of earlier tasks. */
export interface KeptRows {
  /** Those of one task after those of another. */
  readonly rows: readonly Row[];
  /** How many of each task. */
  readonly counts: readonly number[];
}

/**
 * Divides a budget equally among the tasks so far, earlier ones first in what is left over: of each the first rows stay.
 *
 * @param fresh rows of a new task, the ones to keep first
 * @param budget rows of all tasks together
 */
export function divideBudget(kept: KeptRows, fresh: readonly Row[], budget: number): KeptRows {
  const tasks = kept.counts.length + 1;
  const quota = (t: number) => Math.floor(budget / tasks) + (t < budget % tasks ? 1 : 0);
  let at = 0;
  const parts = [...kept.counts, fresh.length].map((count, t) => {
    const own = t < tasks - 1 ? kept.rows.slice(at, at + count) : fresh;
    at += count;
    return own.slice(0, quota(t));
  });
  return { rows: parts.flat(), counts: parts.map((part) => part.length) };
}

/**
 * The rows of a step with kept ones, drawn each at most once, in the last places of those that were drawn for it.
 *
 * @param share of the places that kept rows take, where there are as many
 * @param left how many places they leave at least
 */
export function withKept(drawn: readonly Row[], kept: readonly Row[], share: number, random: Random, left = 0): readonly Row[] {
  const places = Math.min(Math.round(share * drawn.length), drawn.length - left, kept.length);
  return places === 0 ? drawn : [...drawn.slice(0, drawn.length - places), ...random.shuffle(kept).slice(0, places)];
}
