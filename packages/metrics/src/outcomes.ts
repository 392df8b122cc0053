import { LetheError, type Run, grouped, methodName, unlabelled } from '@lethe/core';
import { resultsHash } from './hash.js';

/** Runs by what they are: suite, method (whatever it is called), model, order, seed and budget. */
export const byIdentity = (runs: readonly Run[]): Run[][] =>
  grouped(runs, ({ suite, method, model, order, seed, training }) => [suite, unlabelled(method), model.sha256, order, seed, training]);

/** The different outcomes among runs of one identity: the same one given twice counts once, as it came last. */
export const outcomesOf = (same: readonly Run[]): Run[] =>
  [...new Map(same.map((run) => [resultsHash([{ ...run, method: unlabelled(run.method) }]), run])).values()];

/** LETHE_RUN_AMBIGUOUS: which of several outcomes counts is not for Lethe to choose. */
export const ambiguous = ([first, ...others]: readonly Run[], place: { readonly where?: string; readonly remedy: string }): LetheError =>
  new LetheError('LETHE_RUN_AMBIGUOUS',
    `${methodName(first!.method)}, order ${first!.order.id}, seed ${first!.seed} is there ${others.length + 1} times with different outcomes.`, place);

