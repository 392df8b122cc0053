import { LetheError, type Order, type Results, type Run, type RunIdentity, methodName } from '@lethe/core';
import { changesAnswers } from '@lethe/metrics';
import { methodLabels } from '../labels.js';

/** What results say came of a run, or of one of the trials by which options were chosen, so that it can be made again. */
export interface Claim extends Pick<RunIdentity, 'suite' | 'model' | 'seed' | 'training'> {
  readonly method: Omit<RunIdentity['method'], 'capabilities'>;
  /** Of a trial nothing but its id is kept. */
  readonly order: Pick<Order, 'id'>;
  /** What to call it. */
  readonly name: string;
  /** What `--method` calls its method. */
  readonly label: string;
  /** Average accuracy, of a trial on validation rows; null where it failed. */
  readonly published: number | null;
  /** Where and with what it was made; of a trial, what the results say of their runs. */
  readonly environment: Run['environment'];
  /** Whether the last predictions are not those of the untouched model, or there are none: that a run failed is a statement as well. */
  readonly telling: boolean;
  /** The run itself, unless it is a trial. */
  readonly run?: Run;
}

/** Every run of results. */
export function runClaims({ runs }: Results): Claim[] {
  const labels = methodLabels(runs.map((run) => run.method));
  return runs.map((run, i): Claim => {
    const { suite, method, model, order, seed, training, environment } = run;
    return {
      suite, method, model, order, seed, training, environment, run, telling: run.status === 'failed' || changesAnswers(run),
      // the settings of a method that were tried are many, and nobody types them
      label: suite.scored ? methodName(method) : labels[i]!,
      name: `${labels[i]!}, order ${order.id}, seed ${seed}`, published: run.status === 'failed' ? null : run.metrics.averageAccuracy,
    };
  });
}

/**
 * Every run of the trials by which the options of results were chosen; of results of trials, all of their runs.
 *
 * @throws LETHE_USAGE where nothing was tuned
 */
export function trialClaims(results: Results): Claim[] {
  const { sweep, runs } = results;
  const [first] = runs;
  if (first?.suite.scored) return runClaims(results);
  if (!sweep || !first) {
    throw new LetheError('LETHE_USAGE', 'The results know of no trials: no options were tuned.', { remedy: 'Leave --trials out, to make runs again.' });
  }
  const { suite, model, training, orders, seeds } = sweep;
  const tried = sweep.methods.flatMap(({ id, label, version, trials }) => trials.map(({ options, accuracies }) =>
    // a label has no part in numbers, and the trials of a variant are many under one label
    ({ label: methodName({ id, ...(label !== undefined && { label }) }), method: { id, version, options }, accuracies })));
  const settings = methodLabels(tried.map(({ method }) => method));
  return tried.flatMap(({ label, method, accuracies }, i) => accuracies.map((published, k): Claim => {
    // as jobs are: all orders of one seed, then those of the next
    const [order, seed] = [orders[k % orders.length]!, seeds[Math.floor(k / orders.length)]!];
    return { suite, method, model, training, order: { id: order }, seed, environment: first.environment, label, published, telling: true, name: `${settings[i]!}, order ${order}, seed ${seed}` };
  }));
}
