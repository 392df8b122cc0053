import { type CompletedRun, type FailedRun, type Results, type Run, canonicalJson } from '@lethe/core';
import { type Interval, intervalOf } from '@lethe/metrics';
import { methodLabels } from './labels.js';

/** The metrics of the table; `better` is the direction in which a value is an improvement. */
export const COLUMNS = [
  { metric: 'averageAccuracy', title: 'accuracy', better: 1 },
  { metric: 'backwardTransfer', title: 'backward', better: 1 },
  { metric: 'forgetting', title: 'forgetting', better: -1 },
  { metric: 'forwardTransfer', title: 'forward', better: 1 },
  { metric: 'generalDelta', title: 'general', better: 1 },
] as const;

export type ColumnMetric = (typeof COLUMNS)[number]['metric'];

/** One method over its runs. */
export interface MethodSummary {
  readonly method: string;
  /** A bound of the comparison: shown apart and never the best. */
  readonly bound: boolean;
  readonly completed: number;
  readonly failed: readonly FailedRun[];
  /** Null where a metric is not defined for one of the runs. */
  readonly intervals: Readonly<Record<ColumnMetric, Interval | null>>;
  /** Metrics in which its interval lies beyond those of all other methods. */
  readonly best: readonly ColumnMetric[];
  readonly trainableParameters: number | null;
  /** Mean of training and evaluation seconds of a run. */
  readonly seconds: number | null;
}

/** Whether a's interval lies beyond b's in the direction that is better. */
function beyond(a: Interval, b: Interval, better: number): boolean {
  if (a.low === null || a.high === null || b.low === null || b.high === null) return false;
  return better > 0 ? a.low > b.high : a.high < b.low;
}

function leads(row: Omit<MethodSummary, 'best'>, rows: readonly Omit<MethodSummary, 'best'>[]): ColumnMetric[] {
  const rivals = rows.filter((other) => other !== row && !other.bound);
  if (row.bound || rivals.length === 0) return [];
  return COLUMNS.filter(({ metric, better }) => {
    const mine = row.intervals[metric];
    return mine !== null && rivals.every(({ intervals: { [metric]: theirs } }) => theirs !== null && beyond(mine, theirs, better));
  }).map(({ metric }) => metric);
}

/** One summary a method, in the order of the runs, bounds last. */
export function summarise(results: Pick<Results, 'runs'>): MethodSummary[] {
  const groups = new Map<string, Run[]>();
  for (const run of results.runs) {
    // runs that differ in options are not averaged together
    const key = canonicalJson([run.method.id, run.method.options]);
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const labels = methodLabels([...groups.values()].map((runs) => runs[0]!.method));
  const rows = [...groups.values()].map((runs, i) => {
    const completed = runs.filter((run) => run.status === 'completed');
    // a metric that one run lacks has no mean over the others
    const over = (pick: (run: CompletedRun) => number | null): Interval | null => {
      const values = completed.map(pick);
      return values.includes(null) ? null : intervalOf(values as number[]);
    };
    return {
      method: labels[i]!,
      bound: runs[0]!.method.capabilities.bound,
      completed: completed.length,
      failed: runs.filter((run) => run.status === 'failed'),
      intervals: Object.fromEntries(
        COLUMNS.map(({ metric }) => [metric, over((run) => run.metrics[metric])]),
      ) as Record<ColumnMetric, Interval | null>,
      trainableParameters: completed.length ? Math.max(...completed.map((run) => run.cost.trainableParameters)) : null,
      seconds: over((run) => run.cost.trainSeconds + run.cost.evalSeconds)?.mean ?? null,
    };
  });
  const summaries = rows.map((row) => ({ ...row, best: leads(row, rows) }));
  return [...summaries.filter((row) => !row.bound), ...summaries.filter((row) => row.bound)];
}
