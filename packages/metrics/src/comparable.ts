import { type CompletedRun, LetheError, type Run, grouped, methodName } from '@lethe/core';
import { ambiguous, byIdentity, outcomesOf } from './outcomes.js';
import { countOf } from './rows.js';

/** What to do where a run is there with two outcomes. */
export type Repeated = 'refuse' | 'mean';

const tasksOf = (run: Run): string[] => [...run.order.tasks].sort();
const termsOf = (run: Run) => [run.suite, run.model.sha256, run.training, tasksOf(run)];

/** The same outcome given twice counts once; two outcomes of one run are refused, unless their mean is asked for. */
const distinct = (runs: readonly Run[], repeated: Repeated): Run[] => byIdentity(runs).flatMap((same) => {
  const outcomes = outcomesOf(same);
  if (outcomes.length === 1 || repeated === 'mean') return outcomes;
  throw ambiguous(same, { remedy: 'Give only the run folders that are to be compared.' });
});

/** Refuses runs of which one has the name of another method for a label: in one table each would be taken for the other. */
function checkLabels(runs: readonly Run[]): void {
  const ids = new Set(runs.map(({ method }) => method.id));
  const posing = runs.find(({ method: { id, label } }) => label !== undefined && label !== id && ids.has(label));
  if (!posing) return;
  const { id, label } = posing.method;
  throw new LetheError('LETHE_RESULTS_INVALID', `A variant of ${id} is labelled "${label}", which is the name of a method that it would stand beside.`, {
    where: `${id}, order ${posing.order.id}, seed ${posing.seed}`, remedy: 'Leave out the part that has the label, or make its runs again under another one.',
  });
}

/** Refuses runs that were scored on other rows of a task or probe than others, as where a suite was changed and kept its version. A run may lack probes. */
function checkRows(runs: readonly Run[]): void {
  const seen = new Map<string, CompletedRun>();
  for (const run of runs.filter((one) => one.status === 'completed')) {
    for (const task of Object.keys(run.predictions)) {
      const known = seen.get(task) ?? run;
      seen.set(task, known);
      if (countOf(run, task) === countOf(known, task) && run.environment.dataSha256[task] === known.environment.dataSha256[task]) continue;
      throw new LetheError('LETHE_RESULTS_INVALID', `Runs of ${methodName(run.method)} and ${methodName(known.method)} were scored on other rows of ${task}.`, {
        where: [known, run].map(({ order, seed }) => `order ${order.id}, seed ${seed}`).join('; '), remedy: 'Give runs that were made with the same data: a suite whose rows are changed gets another version.',
      });
    }
  }
}

/**
 * Runs that may be compared with each other, a list for each set of terms: suite, version, size, prompts, model, training budget and tasks.
 *
 * @param repeated what to do where a run is there with two outcomes; the same outcome given twice is one run
 * @throws LETHE_RUN_AMBIGUOUS where one run is there with two outcomes, unless their mean is asked for, LETHE_RESULTS_INVALID where a label is the name of
 *   another method, or rows are others
 */
export function comparableRuns(runs: readonly Run[], repeated: Repeated = 'refuse'): Run[][] {
  const sets = grouped(distinct(runs, repeated), termsOf);
  for (const own of sets) {
    checkLabels(own);
    checkRows(own);
  }
  return sets;
}
