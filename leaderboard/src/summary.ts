import type { CompletedRun, FailedRun, Run } from '@lethe/core';
import type { Entry } from './entry.js';

/** A mean over runs with its two-sided 95 % t interval; no bounds for fewer than two runs. */
export interface Interval { readonly mean: number; readonly low: number | null; readonly high: number | null; readonly n: number }

export interface Source { readonly entry: Entry; readonly run: Run }

/** One method with one set of options and one training budget. */
export interface Row {
  readonly name: string;
  readonly bound: boolean;
  readonly sources: readonly Source[];
  readonly completed: readonly CompletedRun[];
  readonly failed: readonly FailedRun[];
  readonly accuracy: Interval | null;
}

/** What may be compared: one suite, version and size on one model. */
export interface Group { readonly title: string; readonly model: string; readonly modelSha256: string; readonly rows: readonly Row[] }

/** 97.5 % quantiles of Student's t for 1 to 10 degrees of freedom; the expansion beyond is Abramowitz and Stegun 26.7.5. */
const QUANTILES = [12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281];
function quantile(degrees: number): number {
  const z = 1.959963984540054;
  return QUANTILES[degrees - 1] ?? z + (z ** 3 + z) / (4 * degrees) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2);
}

/** The mean of values with its interval; nulls make it undefined, since a mean over what is known would mislead. */
export function summarise(values: readonly (number | null)[]): Interval | null {
  const n = values.length;
  if (n === 0 || values.includes(null)) return null;
  const known = values as readonly number[];
  const mean = known.reduce((a, b) => a + b, 0) / n;
  if (n === 1) return { mean, low: null, high: null, n };
  const half = quantile(n - 1) * Math.sqrt(known.reduce((a, b) => a + (b - mean) ** 2, 0) / (n - 1) / n);
  return { mean, low: mean - half, high: mean + half, n };
}

/** Bounds are no continual learners: they train on nothing, or on all tasks at once. */
const BOUNDS = new Set(['zero-shot', 'joint']);

function grouped<T>(items: readonly T[], key: (item: T) => unknown): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = JSON.stringify(key(item));
    groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, values]) => values);
}

function rowOf(sources: readonly Source[]): Row {
  const runs = sources.map(({ run }) => run);
  const completed = runs.filter((run) => run.status === 'completed');
  const { id, version } = runs[0]!.method;
  return {
    name: `${id} ${version}`, bound: BOUNDS.has(id), sources, completed,
    failed: runs.filter((run) => run.status === 'failed'),
    accuracy: summarise(completed.map((run) => run.metrics.averageAccuracy)),
  };
}

/** Groups runs so that no table mixes versions, sizes, models, method options or training budgets. */
export function groupsOf(entries: readonly Entry[]): Group[] {
  const all = entries.flatMap((entry) => entry.results.runs.map((run): Source => ({ entry, run })));
  return grouped(all, ({ run }) => [run.suite.id, run.suite.version, run.suite.size, run.model.id, run.model.sha256]).map((sources) => {
    const { suite, model } = sources[0]!.run;
    const rows = grouped(sources, ({ run }) => [run.method, run.training]).map(rowOf);
    return {
      title: `${suite.id} ${suite.version}, size ${suite.size}`, model: model.id, modelSha256: model.sha256,
      rows: rows.sort((a, b) => (b.accuracy?.mean ?? -1) - (a.accuracy?.mean ?? -1)),
    };
  });
}

/** The row whose interval lies above every other method's, or null: overlapping intervals have no best. */
export function bestOf(rows: readonly Row[]): Row | null {
  const [first, ...others] = rows.filter((row) => !row.bound && row.accuracy);
  const low = first?.accuracy?.low;
  if (!first || low === null || low === undefined || others.length === 0) return null;
  return others.every((row) => row.accuracy!.high !== null && row.accuracy!.high < low) ? first : null;
}
