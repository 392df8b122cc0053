import { type CompletedRun, LetheError, type Run, canonicalJson, createRandom, grouped, methodName, unlabelled } from '@lethe/core';
import type { Metric } from './catalogue.js';
import { type Repeated, comparableRuns } from './comparable.js';
import { measuredOf, resampleRows } from './resample.js';
import { middleOf } from './statistics/quantile.js';
import { ALPHA } from './statistics/distributions.js';
import { holm } from './statistics/holm.js';
import { type Interval, type RunValue, runInterval, runProbability } from './statistics/interval.js';
import { completeMean, deviationOf } from './statistics/mean.js';
import { type PermutationTest, permutationTest } from './statistics/permutation.js';
import { pairsNeeded } from './statistics/power.js';
import { type Ranks, ranksOf } from './statistics/ranks.js';

/** The two ends of an interval. */
export type Bounds = readonly [low: number, high: number];

/** What one method shows in one metric. */
export interface Standing {
  /** Place of the method among those of the comparison. */
  readonly method: number;
  /** Over seeds and orders. Null where the metric is not defined, or is missing for a run. */
  readonly overRuns: Interval | null;
  /** What other test rows would leave of the mean, these runs as they are. */
  readonly overRows: Bounds | null;
  /** The places that the method may have; null for bounds, without a mean, and where there is no other to rank. */
  readonly ranks: Ranks | null;
  /** Why there is no mean. */
  readonly missing?: string;
}

/** Two methods in one metric, over the runs that share order and seed. */
export interface PairedComparison {
  readonly a: number;
  readonly b: number;
  /** Mean of a - b, over seeds and orders. */
  readonly difference: Interval;
  readonly overRows: Bounds | null;
  readonly test: PermutationTest;
  /** The test's p after Holm's correction for all tests of the comparison. */
  readonly adjusted: number;
  /** The p of the t test over other orders and seeds, which the interval belongs to, after the same correction; null where all pairs are of one order, or of one seed. */
  readonly elsewhere: number | null;
  /** Which of the two was shown to be better at level 0.05, for these orders and seeds, if one was. */
  readonly better: number | null;
  /** Pairs that a difference of this size and spread would take; null for more than can be run. */
  readonly pairsNeeded: number | null;
}

/**
 * Whether a difference was shown for other orders and seeds too. The test by which one of two is called better asks what chance alone would do to
 * these pairs, in these orders, and takes them for independent; few orders say little of others.
 */
export const holdsElsewhere = (pair: PairedComparison): pair is PairedComparison & { readonly elsewhere: number } =>
  pair.better !== null && pair.elsewhere !== null && pair.elsewhere <= ALPHA;

export interface ComparedMethod {
  readonly method: Run['method'];
  readonly bound: boolean;
  /** Cells (one order with one seed) that have a result. */
  readonly completed: number;
  /** Cells that have none. */
  readonly failed: number;
}

export interface MetricComparison {
  readonly metric: Metric;
  readonly standings: readonly Standing[];
  readonly pairs: readonly PairedComparison[];
}

/** Methods that ran under the same terms. */
export interface Comparison {
  readonly suite: Run['suite'];
  readonly model: Run['model'];
  readonly training: Run['training'];
  readonly tasks: readonly string[];
  readonly orders: readonly string[];
  readonly seeds: readonly number[];
  readonly methods: readonly ComparedMethod[];
  readonly metrics: readonly MetricComparison[];
  /**
   * How many tests the p values are corrected for. Those that a failed run made impossible are among them, as no failure is to make another
   * difference easier to show; 0 where none was made.
   */
  readonly tests: number;
}

export interface ComparisonRequest {
  readonly metrics: readonly Metric[];
  /** Label of the method, or its id where it has none; it may be a bound. All others that are none are compared with it; without it all pairs of those. */
  readonly against?: string;
  /** What to do where a cell ran twice with two outcomes: refuse (where it is left out), or take their mean as its value. */
  readonly repeated?: Repeated;
  /** Whether to draw rows anew, which takes most of the time: where it is left out they are. Without it there are no intervals over rows. */
  readonly overRows?: boolean;
}

const SEED = 1;

const cellOf = ({ order, seed }: Run): string => canonicalJson([order, seed]);

/** One method under one set of terms. */
interface Contender extends ComparedMethod {
  /** The results of every completed cell, one of each unless it ran again. */
  readonly cells: readonly (readonly CompletedRun[])[];
}

/** @param against what one of them is called, where its runs have several labels */
function contendersOf(runs: readonly Run[], against: string | undefined): Contender[] {
  // in an order of their own, so that not even the last digit depends on the order in which runs come
  const name = ([run]: readonly Run[]) => `${run!.method.id} ${canonicalJson(unlabelled(run!.method))}`;
  const groups = grouped(runs, (run) => unlabelled(run.method)).sort((a, b) => (name(a) < name(b) ? -1 : 1));
  return groups.map((own) => {
    const all = grouped(own, cellOf);
    const cells = all.map((outcomes) => outcomes.filter((run) => run.status === 'completed')).filter((outcomes) => outcomes.length > 0)
      .sort(([a], [b]) => (a!.order.id < b!.order.id ? -1 : a!.order.id > b!.order.id ? 1 : a!.seed - b!.seed));
    const { method } = own.find((run) => methodName(run.method) === against) ?? own[0]!;
    return { method, bound: method.capabilities.bound, completed: cells.length, failed: all.length - cells.length, cells };
  });
}

/** The value of a cell. */
interface CellValue extends RunValue {
  readonly cell: string;
}

/** The value of every cell of a contender, or why there is no mean over them. */
function valuesOf({ method, cells, failed }: Contender, metric: Metric): { values: readonly CellValue[] } | { missing: string } {
  const each = cells.map((outcomes) => outcomes.map((run) => metric.of(measuredOf(run))));
  if (failed === 0 && each.flat().every((value) => value === null)) return { missing: 'not defined' };
  const what = `${metric.title} of ${method.id}`;
  try {
    completeMean([...each.flat(), ...Array.from({ length: failed }, () => null)], what);
    return { values: cells.map(([run], i) => ({ cell: cellOf(run!), order: run!.order.id, seed: run!.seed, value: completeMean(each[i]!, what) })) };
  } catch (error) {
    if (error instanceof LetheError && error.code === 'LETHE_STATISTICS_MISSING') return { missing: error.message };
    throw error;
  }
}

/** Whether runs are of more than one order, or seed: of one alone nothing is said of others. */
const varies = (runs: readonly RunValue[], factor: 'order' | 'seed'): boolean => runs.some((run) => run[factor] !== runs[0]![factor]);

/** The places of the pairs to be tested. */
function pairsOf(contenders: readonly Contender[], against: string | undefined): [number, number][] {
  const places = contenders.map((_, i) => i);
  if (against !== undefined) {
    const named = places.filter((i) => methodName(contenders[i]!.method) === against);
    const others = places.filter((i) => !contenders[i]!.bound || named.includes(i));
    return named.flatMap((b) => others.filter((a) => a !== b && !(named.includes(a) && a < b)).map((a): [number, number] => [a, b]));
  }
  const rivals = places.filter((i) => !contenders[i]!.bound);
  return rivals.flatMap((a, k) => rivals.slice(k + 1).map((b): [number, number] => [a, b]));
}

/** A metric of all contenders before the correction, which needs the tests of all metrics. */
type Raw = Omit<MetricComparison, 'standings' | 'pairs'> & {
  readonly standings: readonly Omit<Standing, 'ranks'>[];
  readonly pairs: readonly (Omit<PairedComparison, 'adjusted' | 'elsewhere' | 'better' | 'pairsNeeded'> & { readonly deviation: number; readonly probability: number | null })[];
  /** Tests that were to be made and could not be, for want of a mean that the metric has of others. */
  readonly lost: number;
};

/** @param strict whether the second of each pair must have a mean */
function compareMetric(
  contenders: readonly Contender[], pairs: readonly [number, number][], metric: Metric, rows: readonly (Float64Array | null)[], strict: boolean,
): Raw {
  const known = contenders.map((contender) => valuesOf(contender, metric));
  const values = (i: number) => {
    const own = known[i]!;
    return 'values' in own ? own.values : [];
  };
  const standings = contenders.map((_, i) => {
    const own = known[i]!;
    if ('missing' in own) return { method: i, overRuns: null, overRows: null, missing: own.missing };
    const draws = rows[i];
    return {
      method: i, overRuns: runInterval(own.values),
      overRows: draws ? middleOf(draws.slice(), ALPHA / 2) : null,
    };
  });
  const compared = pairs.flatMap(([a, b]) => {
    const yardstick = known[b]!;
    if (strict && 'missing' in yardstick) {
      throw new LetheError('LETHE_STATISTICS_MISSING', `Nothing can be compared with ${contenders[b]!.method.id} in ${metric.title}: ${yardstick.missing}`, {
        remedy: 'Finish its runs with `lethe resume`, or choose another metric or method.',
      });
    }
    const partners = new Map(values(b).map((run) => [run.cell, run.value]));
    const differences = values(a).flatMap((run) => {
      const theirs = partners.get(run.cell);
      return theirs === undefined ? [] : [{ ...run, value: run.value - theirs }];
    });
    if (differences.length === 0) return [];
    const sizes = differences.map(({ value }) => value);
    const [mine, theirs] = [rows[a], rows[b]];
    // of rows only where both ran the same: other runs are not what these rows are about
    const whole = differences.length === contenders[a]!.completed && differences.length === contenders[b]!.completed;
    return [{
      a, b, difference: runInterval(differences), probability: varies(differences, 'order') && varies(differences, 'seed') ? runProbability(differences) : null,
      overRows: mine && theirs && whole ? middleOf(mine.map((value, k) => value - theirs[k]!), ALPHA / 2) : null,
      test: permutationTest(sizes, createRandom(SEED, 'signs', metric.id)),
      deviation: deviationOf(sizes) ?? 0,
    }];
  });
  const undefinedFor = (i: number) => contenders[i]!.failed === 0 && 'missing' in known[i]!;
  const lost = known.some((own) => 'values' in own) ? pairs.filter((pair) => pair.some((i) => 'missing' in known[i]!) && !pair.some(undefinedFor)).length : 0;
  return { metric, standings, pairs: compared, lost };
}

function compareTerms(runs: readonly Run[], { metrics, against, overRows = true }: ComparisonRequest): Comparison {
  const contenders = contendersOf(runs, against);
  const pairs = pairsOf(contenders, against);
  // the rows of a cell with two outcomes are not what its value comes from
  const draws = resampleRows(
    contenders.map(({ cells }) => (overRows && cells.every(({ length }) => length === 1) ? cells.flat() : [])), metrics, createRandom(SEED, 'rows'),
  );
  const raw = metrics.map((metric, m) => compareMetric(contenders, pairs, metric, draws.map((own) => own[m] ?? null), against !== undefined));
  const made = raw.reduce((count, { pairs: own }) => count + own.length, 0);
  const tests = made === 0 ? 0 : raw.reduce((count, { lost }) => count + lost, made);
  const adjusted = holm(raw.flatMap((own) => own.pairs.map(({ test }) => test.p)), tests);
  const elsewhere = holm(raw.flatMap((own) => own.pairs.map(({ probability }) => probability ?? 1)), tests);
  let next = 0;
  const { suite, model, training } = runs[0]!;
  return {
    suite, model, training, tests, tasks: runs[0]!.order.tasks,
    orders: [...new Set(runs.map((run) => run.order.id))].sort(), seeds: [...new Set(runs.map((run) => run.seed))].sort((a, b) => a - b),
    methods: contenders.map(({ cells: _, ...method }) => method),
    metrics: raw.map(({ metric, standings, pairs: own }): MetricComparison => {
      const judged = own.map(({ deviation, probability, ...pair }): PairedComparison => {
        const [p, other] = [adjusted[next]!, probability === null ? null : elsewhere[next]!];
        next++;
        const { mean } = pair.difference;
        return {
          ...pair, adjusted: p, elsewhere: other, better: p > ALPHA ? null : mean * metric.better > 0 ? pair.a : pair.b,
          pairsNeeded: pair.test.pairs < 2 ? null : pairsNeeded(mean, deviation, ALPHA / tests),
        };
      });
      const ranked = standings.filter(({ method, overRuns }) => overRuns !== null && !contenders[method]!.bound).map(({ method }) => method);
      const ranks = ranksOf(ranked.length, (i, j) =>
        judged.some(({ a, b, better }) => better === ranked[i] && (ranked[j] === a || ranked[j] === b)));
      return {
        metric, pairs: judged,
        // against one method alone, the others are not tested among themselves: there is no rank
        standings: standings.map((standing) => {
          const at = ranked.indexOf(standing.method);
          return { ...standing, ranks: at < 0 || ranked.length < 2 || against !== undefined ? null : ranks[at]! };
        }),
      };
    }),
  };
}

/**
 * Compares methods; each list of {@link comparableRuns} is one comparison. Two methods are compared over the runs of the same order and
 * seed. Seeded: the same runs give the same numbers, in whichever order they come and whatever their tasks are called.
 *
 * @throws LETHE_RUN_AMBIGUOUS where one run is there with two outcomes, unless their mean is asked for; LETHE_STATISTICS_MISSING where the method that others are
 *   compared with has no mean
 */
export function compareRuns(runs: readonly Run[], request: ComparisonRequest): Comparison[] {
  // of runs that are the same under several labels the last stays, which is to be the one that is asked for
  const asked = (run: Run) => Number(methodName(run.method) === request.against);
  const sorted = [...runs].sort((a, b) => asked(a) - asked(b));
  return comparableRuns(sorted, request.repeated).map((own) => compareTerms(own, request));
}
