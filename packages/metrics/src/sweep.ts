import type { Results, Run, Sweep, Trial, TunedMethod } from '@lethe/core';
import { LetheError, canonicalJson, grouped, methodName, outdatedAmong } from '@lethe/core';
import { wholeMean } from './statistics/mean.js';

/** The mean over orders and seeds; null for a trial of which a run failed, or that was not scored: it is never chosen. */
export const trialMean = ({ accuracies }: Trial): number | null => wholeMean(accuracies);

/** Index of the trial with the highest mean, of equal ones the first; the first where every one failed. */
export function bestTrial(trials: readonly Trial[]): number {
  const means = trials.map((trial) => trialMean(trial) ?? -1);
  return means.indexOf(Math.max(...means));
}

/** What a sweep holds of a method, or of its variant with a label; undefined where that was not tuned. */
export const tunedIn = ({ methods }: Pick<Sweep, 'methods'>, { id, label }: { readonly id: string; readonly label?: string | undefined }): TunedMethod | undefined =>
  methods.find((method) => method.id === id && method.label === label);

/** The options of the trial that was chosen. */
export const chosenOptions = ({ trials, chosen }: TunedMethod): Trial['options'] => trials[chosen]!.options;

type Terms = Pick<Sweep, 'suite' | 'model' | 'training'>;

/** Whether options that were chosen under some terms are carried over to others: to another suite, model or budget, or other prompts. The size makes no difference. */
export function carriedOver(from: Terms, to: Terms): boolean {
  const of = ({ suite, model, training }: Terms) => canonicalJson([suite.id, suite.version, suite.prompts, model.sha256, training]);
  return of(from) !== of(to);
}

/** Those of some seeds by which options were chosen on the same suite: what suits their order of rows and their first values was picked for them. */
export function pickedSeeds(sweep: Sweep, suite: Run['suite'], seeds: readonly number[]): number[] {
  return sweep.suite.id === suite.id && sweep.suite.version === suite.version ? seeds.filter((seed) => sweep.seeds.includes(seed)) : [];
}

/**
 * Sweeps of several methods as one. What several hold of a method counts once; of a method that was tuned in several versions, the newest counts.
 *
 * @returns null where they were not made under equal terms: the same rows, model, budget, orders, seeds and number of trials, no method tuned twice
 */
export function joinSweeps(sweeps: readonly Sweep[]): Sweep | null {
  const { methods: _, ...terms } = sweeps[0]!;
  const same = sweeps.every(({ methods: _methods, ...own }) => canonicalJson(own) === canonicalJson(terms));
  const all = sweeps.flatMap((sweep) => sweep.methods);
  const isOutdated = outdatedAmong(all);
  const methods = grouped(all.filter((method) => !isOutdated(method)), (method) => method).map(([method]) => method!);
  const equal = unique(methods.map(({ trials }) => trials.length)).length === 1;
  return same && equal && unique(methods.map(methodName)).length === methods.length ? { ...terms, methods } : null;
}

const unique = <T>(items: readonly T[]): T[] => [...new Set(items)];

/** What runs on validation rows say of the options that were tried: one trial for each method, or variant, with each of its options. */
export function sweepOf({ runs }: Pick<Results, 'runs'>, where: string): Sweep {
  const refuse = (message: string) => {
    throw new LetheError('LETHE_RESULTS_INVALID', message, { where, remedy: 'Give the folder of a finished `lethe tune`.' });
  };
  const [first] = runs;
  if (!first || runs.some(({ suite }) => suite.scored !== 'validation')) return refuse('These runs were not scored on validation rows.');
  const { suite, model, training } = first;
  const methods = grouped(runs, ({ method: { id, label, version } }) => [id, label ?? null, version]).map((own): TunedMethod => {
    const { id, label, version } = own[0]!.method;
    const tried = grouped(own, ({ method }) => method.options).map((same): Trial => ({
      options: same[0]!.method.options,
      accuracies: same.map((run) => (run.status === 'completed' ? run.metrics.averageAccuracy : null)),
    }));
    return { id, ...(label !== undefined && { label }), version, trials: tried, chosen: bestTrial(tried) };
  });
  const sizes = unique(methods.flatMap((method) => method.trials.map(({ accuracies }) => accuracies.length)));
  if (sizes.length > 1) return refuse('Some of its runs are not there: trials have different numbers of orders and seeds.');
  return {
    suite, model, training, orders: unique(runs.map(({ order }) => order.id)), seeds: unique(runs.map(({ seed }) => seed)), methods,
  };
}

/**
 * What is wrong with the sweep that results were made after, or null: every method was tuned once and under no other's name, by as many trials as every other, each with
 * options of its own and an accuracy for every order and seed, on validation rows; it chose its best trial, and every run of a tuned
 * method has the options that were chosen. Variants that were not tuned themselves may have any.
 */
export function sweepFault({ suite, orders, seeds, methods }: Sweep, runs: readonly Run[]): { pointer: string; message: string } | null {
  if (suite.scored !== 'validation') return { pointer: '/sweep/suite', message: 'The options were not chosen on validation rows.' };
  for (const [i, tuned] of methods.entries()) {
    const { version, trials, chosen } = tuned;
    const name = methodName(tuned);
    const at = `/sweep/methods/${i}`;
    if (methods.findIndex((other) => methodName(other) === name) < i) return { pointer: at, message: `${name} was tuned twice.` };
    if (methods.some(({ id }) => id === tuned.label)) return { pointer: `${at}/label`, message: `The label "${name}" is the name of a method.` };
    if (trials.length !== methods[0]!.trials.length) return { pointer: `${at}/trials`, message: `${name} had another number of trials than ${methodName(methods[0]!)}.` };
    const short = trials.findIndex(({ accuracies }) => accuracies.length !== orders.length * seeds.length);
    if (short >= 0) return { pointer: `${at}/trials/${short}/accuracies`, message: `A trial has an accuracy for each of ${orders.length} orders with each of ${seeds.length} seeds.` };
    if (unique(trials.map(({ options }) => canonicalJson(options))).length < trials.length) return { pointer: `${at}/trials`, message: `Two trials of ${name} are the same.` };
    const best = bestTrial(trials);
    if (chosen !== best) return { pointer: `${at}/chosen`, message: `The best trial is ${best}, the file says ${chosen}.` };
    const options = canonicalJson(chosenOptions(tuned));
    const other = runs.findIndex(({ method }) => method.id === tuned.id && method.label === tuned.label && (method.version !== version || canonicalJson(method.options) !== options));
    if (other >= 0) return { pointer: `/runs/${other}/method`, message: `The sweep chose other options for ${name}.` };
  }
  return null;
}
