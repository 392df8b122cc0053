import { type Capabilities, type CompletedRun, type FailedRun, type Results, grouped, unlabelled } from '@lethe/core';
import { type Interval, completeMean, runInterval } from '@lethe/metrics';
import { methodLabels } from './labels.js';

/** The metrics of the table: what is lost can only be read beside what was learned. */
export const COLUMNS = [
  { metric: 'averageAccuracy', title: 'accuracy' },
  { metric: 'learningAccuracy', title: 'learned' },
  { metric: 'backwardTransfer', title: 'backward' },
  { metric: 'forgetting', title: 'forgetting' },
  { metric: 'generalDelta', title: 'general' },
] as const;

export type ColumnMetric = (typeof COLUMNS)[number]['metric'];

/** One method over its runs. */
export interface MethodSummary {
  readonly method: string;
  /** A bound of the comparison: shown apart. */
  readonly bound: boolean;
  /** What a reader must know to compare it, as in `keeps rows`. */
  readonly marks: readonly string[];
  readonly completed: number;
  readonly failed: readonly FailedRun[];
  /** Null where a metric is not defined for one of the runs, or a run failed. */
  readonly intervals: Readonly<Record<ColumnMetric, Interval | null>>;
  /** Parameters trained at once, the most of any task; those that predictions take besides the model, and bytes kept, at the end of a run (means). */
  readonly trained: number | null;
  readonly added: number | null;
  readonly stored: number | null;
  /** Mean of training and evaluation seconds of a run. */
  readonly seconds: number | null;
}

/** What a method declares that sets it apart from those that have nothing but the rows at hand. */
function marksOf({ bound, rehearsal, taskIdentity }: Capabilities): string[] {
  return [...(bound ? ['bound'] : []), ...(rehearsal ? ['keeps rows'] : []), ...(taskIdentity ? ['told the task'] : [])];
}

/** One summary a method, the most accurate first, then those without a mean; bounds last, in the same order. */
export function summarise(results: Pick<Results, 'runs'>): MethodSummary[] {
  // runs that differ in version, options or what they declare are not averaged together, as in a comparison
  const groups = grouped(results.runs, ({ method }) => unlabelled(method));
  const labels = methodLabels(groups.map((runs) => runs[0]!.method));
  const rows = groups.map((runs, i) => {
    const completed = runs.filter((run) => run.status === 'completed');
    // what one run lacks has no mean over the others
    const valuesOf = (pick: (run: CompletedRun) => number | null): number[] | null => {
      const values = completed.map(pick);
      return values.includes(null) || completed.length < runs.length ? null : values as number[];
    };
    const over = (metric: ColumnMetric): Interval | null => {
      const values = valuesOf((run) => run.metrics[metric]);
      return values && runInterval(completed.map(({ order, seed }, at) => ({ order: order.id, seed, value: values[at]! })));
    };
    const costOf = (pick: (cost: CompletedRun['cost']) => number): number | null => {
      const costs = valuesOf(({ cost }) => pick(cost));
      return costs && completeMean(costs, 'cost');
    };
    return {
      method: labels[i]!,
      bound: runs[0]!.method.capabilities.bound,
      marks: marksOf(runs[0]!.method.capabilities),
      completed: completed.length,
      failed: runs.filter((run) => run.status === 'failed'),
      intervals: Object.fromEntries(
        COLUMNS.map(({ metric }) => [metric, over(metric)]),
      ) as Record<ColumnMetric, Interval | null>,
      trained: completed.length ? Math.max(...completed.map((run) => run.cost.trainableParameters)) : null,
      added: costOf((cost) => cost.addedParameters),
      stored: costOf((cost) => cost.storedBytes),
      seconds: costOf((cost) => cost.trainSeconds + cost.evalSeconds),
    };
  });
  const accuracy = ({ intervals }: MethodSummary) => intervals.averageAccuracy?.mean ?? -1;
  return rows.sort((a, b) => Number(a.bound) - Number(b.bound) || accuracy(b) - accuracy(a));
}
