import type { CompletedRun, FailedRun, Results, Run } from '@lethe/core';
import { type Interval, intervalOf } from '@lethe/metrics';

/** The metrics of the table; `better` is the direction in which a value is an improvement. */
export const COLUMNS = [
  { metric: 'averageAccuracy', title: 'avg accuracy %', better: 1 },
  { metric: 'backwardTransfer', title: 'backward transfer', better: 1 },
  { metric: 'forgetting', title: 'forgetting', better: -1 },
  { metric: 'forwardTransfer', title: 'forward transfer', better: 1 },
  { metric: 'generalDelta', title: 'general Δ', better: 1 },
] as const;

export type ColumnMetric = (typeof COLUMNS)[number]['metric'];

/** One method over its runs. */
export interface MethodSummary {
  readonly method: string;
  /** A bound of the comparison: shown apart and never the best. */
  readonly bound: boolean;
  readonly completed: number;
  readonly failed: readonly FailedRun[];
  /** Null where a metric is not defined for any of the runs. */
  readonly intervals: Readonly<Record<ColumnMetric, Interval | null>>;
  /** Metrics in which its interval lies beyond those of all other methods. */
  readonly best: readonly ColumnMetric[];
  readonly trainableParameters: number | null;
  /** Mean of training and evaluation seconds of a run. */
  readonly seconds: number | null;
}

/** A method and its options: runs that differ in options are not averaged together. */
function label({ method }: CompletedRun | FailedRun, variants: number): string {
  const options = Object.entries(method.options).map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(' ');
  return variants > 1 ? `${method.id} ${options}` : method.id;
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
  const variants = new Map<string, Set<string>>();
  for (const { method } of results.runs) {
    variants.set(method.id, (variants.get(method.id) ?? new Set()).add(JSON.stringify(method.options)));
  }
  const groups = new Map<string, Run[]>();
  for (const run of results.runs) {
    const name = label(run, variants.get(run.method.id)!.size);
    groups.set(name, [...(groups.get(name) ?? []), run]);
  }
  const rows = [...groups].map(([method, runs]) => {
    const completed = runs.filter((run) => run.status === 'completed');
    const values = (pick: (run: CompletedRun) => number | null) => completed.map(pick).filter((v) => v !== null);
    return {
      method,
      bound: runs[0]!.method.capabilities.bound,
      completed: completed.length,
      failed: runs.filter((run) => run.status === 'failed'),
      intervals: Object.fromEntries(
        COLUMNS.map(({ metric }) => [metric, intervalOf(values((run) => run.metrics[metric]))]),
      ) as Record<ColumnMetric, Interval | null>,
      trainableParameters: completed.length ? Math.max(...completed.map((run) => run.cost.trainableParameters)) : null,
      seconds: intervalOf(values((run) => run.cost.trainSeconds + run.cost.evalSeconds))?.mean ?? null,
    };
  });
  const summaries = rows.map((row) => ({ ...row, best: leads(row, rows) }));
  return [...summaries.filter((row) => !row.bound), ...summaries.filter((row) => row.bound)];
}
