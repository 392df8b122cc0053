import { type CompletedRun, LetheError, type Results, type Run, type TaskPredictions, canonicalJson } from '@lethe/core';
import { pickedSeeds, stepsOf } from '@lethe/metrics';
import { missingRuns } from './command.js';

const APART = 'Publish each from its own run folder.';

const refuse = (message: string, where: string, remedy: string): never => {
  throw new LetheError('LETHE_RESULTS_INVALID', message, { where, remedy });
};

export const isCompleted = (run: Run): run is CompletedRun => run.status === 'completed';
const nameOf = ({ method, order, seed }: Run): string => `${method.label ?? method.id}, order ${order.id}, seed ${seed}`;

/** All of predictions but what was predicted: what the rows ask for. */
export const askedIn = (task: TaskPredictions) => ('scorer' in task ? [task.scorer, task.references, task.sources ?? null] : task.answers);
/** Where the numbers of a run hold, the base model was scored. */
const baseOf = (task: TaskPredictions): readonly (number | string)[] => stepsOf(task)[0]!;

/** Of so many rows one may differ before anything was trained: another processor may round the other way where two options are as good. */
const ROWS_A_FLIP = 50;

/**
 * Checks that runs agree in what no method has a hand in: the tasks of an order, the rows and probes, the right answers of every row, and what the
 * untouched model predicts. A run that was doctored by itself contradicts the others.
 *
 * @param runs on the same rows with the same model, whose own numbers hold
 * @throws LETHE_RESULTS_INVALID with the two runs that disagree
 */
export function checkAgreement(runs: readonly Run[], where: string): void {
  const orders = new Map<string, Run>();
  for (const run of runs) {
    const first = orders.get(run.order.id);
    if (!first) orders.set(run.order.id, run);
    else if (canonicalJson(first.order.tasks) !== canonicalJson(run.order.tasks))
      refuse(`${nameOf(run)} has other tasks than ${nameOf(first)}, whose order is called the same.`, where, APART);
  }
  const completed = runs.filter(isCompleted);
  for (const run of completed) {
    const { predictions, environment: { dataSha256 } } = run;
    const unnamed = Object.keys(predictions).find((task) => !Object.hasOwn(dataSha256, task));
    if (unnamed !== undefined) refuse(`${nameOf(run)} does not say which rows of ${unnamed} it was scored on.`, where, 'Run it again.');
    const lacking = Object.keys(dataSha256).find((task) => !Object.hasOwn(predictions, task));
    if (lacking !== undefined) refuse(`${nameOf(run)} names rows of ${lacking}, and was not scored on them.`, where, 'Run it again.');
  }
  const [first, ...others] = completed;
  if (!first) return;
  const asked = new Map(Object.entries(first.predictions).map(([task, predictions]) => [task, { rows: canonicalJson(askedIn(predictions)), base: baseOf(predictions) }]));
  for (const run of others) {
    const both = `${nameOf(run)} and ${nameOf(first)}`;
    for (const [task, predictions] of Object.entries(run.predictions)) {
      const { rows, base } = asked.get(task)!;
      if (canonicalJson(askedIn(predictions)) !== rows) refuse(`${both} have other right answers in ${task}.`, where, 'Run again what was changed.');
      const flips = baseOf(predictions).filter((prediction, row) => prediction !== base[row]).length;
      if (flips > Math.ceil(base.length / ROWS_A_FLIP))
        refuse(`${both} start from other predictions in ${task}, before anything was trained: ${flips} of ${base.length}.`, where, 'Run again what was changed.');
    }
  }
}

/** Checks that no seed of the runs, which are of one suite, was one by which options were chosen on it. */
function checkSeeds({ runs, sweep }: Pick<Results, 'runs' | 'sweep'>, where: string): void {
  const { suite } = runs[0]!;
  const [picked] = sweep ? pickedSeeds(sweep, suite, runs.map(({ seed }) => seed)) : [];
  if (picked === undefined) return;
  refuse(`Seed ${picked} is one of those by which options were chosen on ${suite.id} ${suite.version}.`, where, 'Run seeds that no trial had: lethe run SUITE --tuned RUN --seeds A,B.');
}

/**
 * Checks that results make an entry: one suite with the same rows, one model with one budget, scored on test rows, with seeds that no trial had, in
 * agreement, no run left out.
 *
 * @throws LETHE_RESULTS_INVALID, and LETHE_RUN_STOPPED where runs are missing
 */
export function checkWhole(results: Pick<Results, 'runs' | 'sweep'>, where: string): void {
  const { runs } = results;
  if (runs.length === 0) refuse('The results hold no runs.', where, 'Run at least one method.');
  if (new Set(runs.map((run) => canonicalJson([run.suite, run.model, run.training]))).size > 1) refuse('The runs are of several suites, models or budgets.', where, APART);
  const data = runs.filter(isCompleted).map(({ environment }) => canonicalJson(environment.dataSha256));
  if (new Set(data).size > 1) refuse('The runs were not scored on the same rows.', where, APART);
  if (runs.some(({ suite }) => suite.scored))
    refuse('The runs were scored on validation rows, to tune methods.', where, 'Publish a run with the options that were chosen: lethe run SUITE --tuned RUN.');
  checkSeeds(results, where);
  checkAgreement(runs, where);
  const missing = missingRuns(runs);
  if (missing === 0) return;
  throw new LetheError('LETHE_RUN_STOPPED', `${missing} of the runs of these methods, orders and seeds are not there.`, {
    where, remedy: 'Finish them with `lethe resume`; a part of a run is not published.',
  });
}
