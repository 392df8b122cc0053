import type { RunIdentity } from './results.js';

/** One setting of a method that was tried. */
export interface Trial {
  /** Every option, defaults filled in. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Average accuracy on the validation rows after the last task, for every order and seed of the sweep; null where a run failed. */
  readonly accuracies: readonly (number | null)[];
}

/** The trials of one method, or of one of its variants. */
export interface TunedMethod {
  readonly id: string;
  /** Of a variant, whose own options are the same in every trial. */
  readonly label?: string;
  readonly version: string;
  readonly trials: readonly Trial[];
  /** Index of the trial with the highest mean accuracy; of equal ones the first, and the first trial is the defaults, but for options that were given in every trial. */
  readonly chosen: number;
}

/**
 * How the options of methods were chosen: an equal number of trials each, scored on validation rows. Kept with the results of the runs
 * that use them.
 */
export interface Sweep {
  readonly suite: RunIdentity['suite'];
  readonly model: RunIdentity['model'];
  readonly training: RunIdentity['training'];
  /** Ids of orders. */
  readonly orders: readonly string[];
  readonly seeds: readonly number[];
  readonly methods: readonly TunedMethod[];
}
