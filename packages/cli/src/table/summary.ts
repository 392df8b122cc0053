import { type CompletedRun, type FailedRun, type Metrics, type Results, grouped, marksOf, unlabelled } from '@lethe/core';
import { type Interval, METRICS, type Metric, completeMean, measuredOf, runInterval } from '@lethe/metrics';
import { distinctLabels } from '../labels.js';

/** What is measured of a run: a metric, or what only has its id and its value. */
export type Measure = Pick<Metric, 'id' | 'of'>;

/** A metric with what it is called above a column. */
export interface MetricColumn {
  readonly metric: Metric;
  readonly title: string;
}

const column = (id: keyof Metrics, title: string): MetricColumn => ({ metric: METRICS.find((known) => known.id === id)!, title });

/** The metrics of a table of methods: what is lost can only be read beside what was learned. */
export const COLUMNS: readonly MetricColumn[] = [
  column('averageAccuracy', 'accuracy'),
  column('learningAccuracy', 'learned'),
  column('backwardTransfer', 'backward'),
  column('forgetting', 'forgetting'),
  column('generalDelta', 'general'),
];

/** The metric by which methods are put in order. */
export const RANKING = COLUMNS[0]!.metric;

/** One method over its runs. */
export interface MethodSummary {
  /** What it is called, as no other of the same runs is unless they differ in what no table says. */
  readonly method: string;
  readonly version: string;
  /** A bound of the comparison: shown apart. */
  readonly bound: boolean;
  /** What a reader must know to compare it, as in `keeps rows`. */
  readonly marks: readonly string[];
  readonly completed: number;
  readonly failed: readonly FailedRun[];
  /** By id of the metric; null where it is not defined for one of the runs, or a run failed. */
  readonly intervals: Readonly<Record<string, Interval | null>>;
  /** Parameters trained at once, the most of any task; those that predictions take besides the model, and bytes kept, at the end of a run (means). */
  readonly trained: number | null;
  readonly added: number | null;
  readonly stored: number | null;
  /** Mean of training and evaluation seconds of a run. */
  readonly seconds: number | null;
}

/** The value of a metric in a run: as its results state it, or made from its matrix where they do not; null where it is not defined. */
export const valueOf = (run: CompletedRun, { id, of }: Measure): number | null => (id in run.metrics ? run.metrics[id as keyof Metrics] : of(measuredOf(run)));

/**
 * One summary a method, the most accurate first, then those without a mean; bounds last, in the same order.
 *
 * @param others what to sum up beside those of {@link COLUMNS}
 */
export function summarise(results: Pick<Results, 'runs'>, others: readonly Measure[] = []): MethodSummary[] {
  const metrics: readonly Measure[] = [...COLUMNS.map(({ metric }) => metric), ...others];
  // runs that differ in version, options or what they declare are not averaged together, as in a comparison
  const groups = grouped(results.runs, ({ method }) => unlabelled(method));
  const labels = distinctLabels(groups.map((runs) => runs[0]!.method));
  const rows = groups.map((runs, i): MethodSummary => {
    const completed = runs.filter((run) => run.status === 'completed');
    // what one run lacks has no mean over the others
    const valuesOf = (pick: (run: CompletedRun) => number | null): number[] | null => {
      const values = completed.map(pick);
      return values.includes(null) || completed.length < runs.length ? null : values as number[];
    };
    const over = (metric: Measure): Interval | null => {
      const values = valuesOf((run) => valueOf(run, metric));
      return values && runInterval(completed.map(({ order, seed }, at) => ({ order: order.id, seed, value: values[at]! })));
    };
    const costOf = (pick: (cost: CompletedRun['cost']) => number): number | null => {
      const costs = valuesOf(({ cost }) => pick(cost));
      return costs && completeMean(costs, 'cost');
    };
    const { version, capabilities } = runs[0]!.method;
    return {
      method: labels[i]!,
      version,
      bound: capabilities.bound,
      marks: marksOf(capabilities),
      completed: completed.length,
      failed: runs.filter((run) => run.status === 'failed'),
      intervals: Object.fromEntries(metrics.map((metric) => [metric.id, over(metric)])),
      trained: completed.length ? Math.max(...completed.map((run) => run.cost.trainableParameters)) : null,
      added: costOf((cost) => cost.addedParameters),
      stored: costOf((cost) => cost.storedBytes),
      seconds: costOf((cost) => cost.trainSeconds + cost.evalSeconds),
    };
  });
  const accuracy = ({ intervals }: MethodSummary) => intervals[RANKING.id]?.mean ?? -1;
  return rows.sort((a, b) => Number(a.bound) - Number(b.bound) || accuracy(b) - accuracy(a));
}
