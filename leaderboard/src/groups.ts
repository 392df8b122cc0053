import { type CompletedRun, type Metrics, type Order, type Run, type Sweep, type TunedMethod, canonicalJson, departuresOf, grouped, sha256, unlabelled } from '@lethe/core';
import {
  type Comparison, type Interval, METRICS, type Ranks, chosenOptions, compareRuns, resultsHash, runInterval, seenAccuracy, tunedIn, wholeMean,
} from '@lethe/metrics';
import { changedOptions } from './command.js';
import type { MethodNote } from './declared.js';
import type { Entry, PublishedEntry } from './entry.js';
import { optionValue, slug } from './format.js';
import { checkAgreement, isCompleted } from './whole.js';

/** What came of one run, with every entry that holds it. The same outcome published twice is one outcome. */
export interface Outcome {
  /** Twelve hexadecimal digits, unique to what the run is and gave. */
  readonly id: string;
  readonly run: Run;
  readonly entry: Entry;
  readonly files: readonly string[];
}

/** One order and one seed: the unit over which intervals are taken. The pages call it a run; trials are those of tuning there. */
export interface Cell {
  readonly order: Order;
  readonly seed: number;
  /** Mostly one; several where the run was made again and gave something else. */
  readonly outcomes: readonly Outcome[];
  readonly completed: readonly CompletedRun[];
}

/** One method of one version with one set of options. */
export interface Row {
  readonly slug: string;
  readonly method: Run['method'];
  readonly note: MethodNote | undefined;
  /** What was tried to choose its options; null where they are those that its plugin or a user says. */
  readonly tuning: { readonly sweep: Sweep; readonly tuned: TunedMethod; /** Name of the entry that keeps the sweep. */ readonly file: string } | null;
  /** Options that differ from the defaults, as text. */
  readonly changed: readonly string[];
  readonly cells: readonly Cell[];
  readonly completed: readonly CompletedRun[];
  /** Cells without a result. */
  readonly failed: number;
  /** Over all cells; null where one of them failed, or the metric is not defined for one: there is no mean over the others. */
  readonly intervals: Readonly<Record<keyof Metrics, Interval | null>>;
  /** Mean score of the tasks learned so far, after each of the T tasks; null as above. */
  readonly seen: readonly (Interval | null)[];
  /** Its place among the methods of the comparison. */
  readonly place: number;
  /** The ranks that it may have in average accuracy; null for bounds, without a mean, and where there is no other to rank. */
  readonly ranks: Ranks | null;
}

/** Runs that may be compared: one suite of one version and size, its prompts and rows, one model, one training budget. */
export interface Group {
  readonly slug: string;
  readonly suite: Run['suite'];
  readonly model: Run['model'];
  readonly training: Run['training'];
  /** sha256 of the rows of every task and probe; empty where no run got far enough to say. */
  readonly data: Readonly<Record<string, string>>;
  readonly tasks: readonly string[];
  readonly rows: readonly Row[];
  /** What the runs show of average accuracy, as `lethe compare` says it. */
  readonly comparison: Comparison;
}

interface Source {
  readonly file: string;
  readonly entry: Entry;
  readonly run: Run;
}

/** Puts what has the same key together, in the order of the keys. */
function inKeyOrder<T>(items: readonly T[], key: (item: T) => unknown): T[][] {
  const name = (group: readonly T[]) => canonicalJson(key(group[0]!));
  return grouped(items, key).sort((a, b) => (name(a) < name(b) ? -1 : 1));
}

const tasksOf = (run: Run): string[] => [...run.order.tasks].sort();

function cellOf(sources: readonly Source[]): Cell {
  const { order, seed } = sources[0]!.run;
  const hashed = sources.map((source) => ({ ...source, id: resultsHash([source.run]).slice(0, 12) }));
  const outcomes = inKeyOrder(hashed, ({ id }) => id).map((same): Outcome => {
    const { id, run, entry } = same[0]!;
    return { id, run, entry, files: same.map(({ file }) => file) };
  });
  return { order, seed, outcomes, completed: outcomes.map(({ run }) => run).filter(isCompleted) };
}

/** The interval over cells, each of which counts with the mean of its outcomes; null where one has none, or the value is not defined for it. */
function intervalOf(cells: readonly Cell[], valueOf: (run: CompletedRun) => number | null): Interval | null {
  const values = cells.map(({ order, seed, completed }) => ({ order: order.id, seed, value: wholeMean(completed.map(valueOf)) }));
  return values.every((one): one is typeof one & { value: number } => one.value !== null) ? runInterval(values) : null;
}

function tuningOf({ file, entry: { results: { sweep } }, run: { method } }: Source): Row['tuning'] {
  const tuned = sweep && tunedIn(sweep, method);
  return sweep && tuned?.version === method.version && canonicalJson(chosenOptions(tuned)) === canonicalJson(method.options) ? { sweep, tuned, file } : null;
}

/** The method of a row: without its label where entries call it otherwise, which none of them may do for the others. */
function methodOf(sources: readonly Source[]): Run['method'] {
  const { method } = sources[0]!.run;
  return sources.every(({ run }) => run.method.label === method.label) ? method : unlabelled(method);
}

function rowOf(sources: readonly Source[], { methods, metrics: [accuracy] }: Comparison): Row {
  const { entry } = sources[0]!;
  const method = methodOf(sources);
  const cells = inKeyOrder(sources, ({ run }) => [run.order, run.seed]).map(cellOf)
    .sort((a, b) => a.order.id.localeCompare(b.order.id, 'en', { numeric: true }) || a.seed - b.seed);
  const done = cells.filter(({ completed }) => completed.length > 0);
  const over = (metric: keyof Metrics) => intervalOf(cells, ({ metrics }) => metrics[metric]);
  const place = methods.findIndex((compared) => canonicalJson(unlabelled(compared.method)) === canonicalJson(unlabelled(method)));
  const noted = entry.methods[method.id];
  const note = noted?.version === method.version ? noted : undefined;
  const tuning = tuningOf(sources[0]!);
  return {
    slug: `${slug(method.id)}-${slug(method.version)}-${sha256(unlabelled(method)).slice(0, 6)}`,
    method, note, cells, tuning,
    changed: changedOptions({ method }, () => note?.defaults ?? tuning?.tuned.trials[0]!.options).map(([name, value]) => `${name}=${optionValue(value)}`),
    completed: done.flatMap(({ completed }) => completed),
    failed: cells.length - done.length,
    intervals: {
      averageAccuracy: over('averageAccuracy'), backwardTransfer: over('backwardTransfer'), forgetting: over('forgetting'),
      forwardTransfer: over('forwardTransfer'), learningAccuracy: over('learningAccuracy'),
      averageIncrementalAccuracy: over('averageIncrementalAccuracy'), generalDelta: over('generalDelta'),
    },
    seen: cells[0]!.order.tasks.map((_, task) => intervalOf(cells, ({ matrix }) => seenAccuracy(matrix, task + 1))),
    place, ranks: accuracy!.standings.find((standing) => standing.method === place)!.ranks,
  };
}

/** The rows that a run was scored on. A failed run does not say; the other runs of its entry were given the same. */
function dataOf({ entry, run }: Source): Readonly<Record<string, string>> {
  const tasks = canonicalJson(tasksOf(run));
  const speaking = [run, ...entry.results.runs].find((other) =>
    canonicalJson(tasksOf(other)) === tasks && Object.keys(other.environment.dataSha256).length > 0);
  return speaking?.environment.dataSha256 ?? {};
}

function groupOf(sources: readonly Source[]): Group {
  const { suite, model, training } = sources[0]!.run;
  const data = dataOf(sources[0]!);
  const terms = [suite, model, training, data, tasksOf(sources[0]!.run)];
  const files = [...new Set(sources.map(({ file }) => file))];
  // one entry was held to itself when it was read
  if (files.length > 1) checkAgreement(sources.map(({ run }) => run), files.join(', '));
  const metrics = METRICS.filter(({ id }) => id === 'averageAccuracy');
  const [comparison] = compareRuns(sources.map(({ run }) => run), { metrics, repeated: 'mean', overRows: false }) as [Comparison];
  const rows = inKeyOrder(sources, ({ run }) => unlabelled(run.method)).map((own) => rowOf(own, comparison));
  return {
    slug: `${[suite.id, suite.version, suite.size, ...departuresOf(suite), model.id].map(slug).join('-')}-${sha256(terms).slice(0, 6)}`,
    suite, model, training, data, tasks: sources[0]!.run.order.tasks, comparison,
    rows: rows.sort((a, b) => (b.intervals.averageAccuracy?.mean ?? -1) - (a.intervals.averageAccuracy?.mean ?? -1)),
  };
}

/**
 * What may be compared, together: runs on the same suite, version, size, prompts and rows, on the same model, with the same training
 * budget. Rows come best average accuracy first, rows without any result last.
 *
 * @throws LETHE_RESULTS_INVALID where entries contradict each other in what no method has a hand in
 */
export function groupsOf(entries: readonly PublishedEntry[]): Group[] {
  const sources = entries.flatMap(({ file, entry }) => entry.results.runs.map((run): Source => ({ file, entry, run })));
  return inKeyOrder(sources, (source) => {
    const { suite, model, training } = source.run;
    return [suite.id, suite.version, suite.size, departuresOf(suite), model, training, tasksOf(source.run), dataOf(source)];
  }).map(groupOf);
}
