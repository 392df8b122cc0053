import type { CompletedRun, Random } from '@lethe/core';
import type { Measured, Metric } from './catalogue.js';
import { countOf, meanScore, predictionsFor, rowScores } from './rows.js';

/** How often rows are drawn anew. */
const RESAMPLES = 1000;

/** The scores of a run, row by row. */
interface RowMatrix {
  /** steps[i][j] are the scores of the rows of task j after step i; null where it was not scored. */
  readonly steps: readonly (readonly (Float64Array | null)[])[];
  readonly probes: readonly { readonly id: string; readonly base: Float64Array | null; readonly final: Float64Array | null }[];
  /** Which set of rows a column is about: the place of its task in the order of the first run. */
  readonly columns: readonly number[];
}

/** What metrics are made of, as results state it. */
export function measuredOf(run: CompletedRun): Measured {
  return { matrix: run.matrix, general: run.general, rows: run.order.tasks.map((task) => countOf(run, task)) };
}

const floats = (scores: readonly number[] | null): Float64Array | null => (scores === null ? null : Float64Array.from(scores));

function rowMatrix(run: CompletedRun, tasks: readonly string[]): RowMatrix {
  const { order, general, matrix } = run;
  const scores = (task: string, i: number) => floats(rowScores(predictionsFor(run, task)!, i));
  return {
    steps: matrix.map((_, i) => order.tasks.map((task) => scores(task, i))),
    probes: Object.keys(general.base).map((id) => ({ id, base: scores(id, 0), final: scores(id, matrix.length - 1) })),
    columns: order.tasks.map((task) => tasks.indexOf(task)),
  };
}

/** How often each of `size` rows is drawn, `size` draws in all. */
function drawRows(size: number, random: Random): Float64Array {
  const times = new Float64Array(size);
  for (let i = 0; i < size; i++) times[random.below(size)]! += 1;
  return times;
}

/** The mean over drawn rows. Reading all rows in order is several times faster than picking them one by one. */
function weightedMean(scores: Float64Array, times: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < times.length; i++) sum += times[i]! * scores[i]!;
  return sum / times.length;
}

/**
 * What the means of metrics over runs would be on other test rows: the rows of every task and probe are drawn with replacement,
 * the same for all runs, and the metrics of every run are computed from them. The runs stay as they are: this is the uncertainty
 * that comes from the test sets, and no other.
 *
 * @param groups runs of one suite with the same rows, by method
 * @returns draws[g][m][k]: the mean of metric m over the runs of group g in draw k; null where a run has no such metric
 */
export function resampleRows(
  groups: readonly (readonly CompletedRun[])[], metrics: readonly Metric[], random: Random, resamples = RESAMPLES,
): (Float64Array | null)[][] {
  const first = groups.flat()[0];
  if (!first) return groups.map(() => metrics.map(() => null));
  const { tasks } = first.order;
  const runs = groups.flat();
  // a run may lack probes whose rows were not at hand
  const probes = [...new Set(runs.flatMap((run) => Object.keys(run.general.base)))];
  const sizes = [...tasks, ...probes].map((task) => Math.max(...runs.map((run) => countOf(run, task))));
  const matrices = groups.map((own) => own.map((run) => rowMatrix(run, tasks)));
  const draws = groups.map((own) => metrics.map(() => (own.length ? new Float64Array(resamples) : null)));
  const streams = sizes.map((_, i) => random.fork(i));
  for (let k = 0; k < resamples; k++) {
    const times = sizes.map((size, i) => drawRows(size, streams[i]!));
    const at = (scores: Float64Array | null, set: number) => (scores === null ? null : weightedMean(scores, times[set]!));
    matrices.forEach((own, g) => {
      const values = own.map(({ steps, probes: scored, columns }): Measured => {
        const general = (moment: 'base' | 'final') => Object.fromEntries(scored.flatMap((probe) => {
          const score = at(probe[moment], tasks.length + probes.indexOf(probe.id));
          return score === null ? [] : [[probe.id, score]];
        }));
        return {
          matrix: steps.map((row) => row.map((scores, j) => at(scores, columns[j]!))),
          general: { base: general('base'), final: general('final') },
          rows: columns.map((set) => sizes[set]!),
        };
      });
      metrics.forEach((metric, m) => {
        const each = values.map((run) => metric.of(run));
        if (each.includes(null)) draws[g]![m] = null;
        else if (draws[g]![m]) draws[g]![m]![k] = meanScore(each as number[]);
      });
    });
  }
  return draws;
}
