import { type Interval, seenAccuracy } from '@lethe/metrics';
import { PRINT, type ScatterPoint, type StreamLine, drawScatter, drawStream, heightFor } from '@lethe/leaderboard';
import type { Value } from '../csv-lines.js';
import type { Column } from '../table/suites-table.js';
import type { Measure, MethodSummary } from '../table/summary.js';
import type { PlotFlags } from './kinds.js';

/** A figure before it is written. */
export interface Figure {
  /** As SVG. */
  readonly draw: () => string;
  /** Its values, the names of the fields first; scores are fractions. */
  readonly values: readonly (readonly Value[])[];
  /** What it shows, and how to read it. */
  readonly title: string;
  readonly about: string;
  /** How many methods are in it. */
  readonly methods: number;
}

const WIDTH = 760;

/** The score of the tasks learned so far after the k-th. */
const seenAfter = (k: number): Measure => ({ id: `seen${k}`, of: ({ matrix }) => seenAccuracy(matrix, k) });

/** What a stream of so many tasks is measured by. */
export const seenMeasures = (tasks: number): Measure[] => Array.from({ length: tasks }, (_, task) => seenAfter(task + 1));

const boundsOf = (interval: Interval): Value[] => [interval.mean, interval.low, interval.high];
const methodOf = ({ method, version, bound, completed }: MethodSummary): Value[] => [method, version, bound, completed];
const METHOD = ['method', 'methodVersion', 'bound', 'runs'];

function streamFigure({ rows, tasks }: Column): Figure {
  const measures = seenMeasures(tasks.length);
  const shown = rows.map((row) => ({ row, seen: measures.map(({ id }) => row.intervals[id]!) })).filter(({ seen }) => seen.at(-1));
  const values = shown.flatMap(({ row, seen }) => seen.flatMap((interval, task) => (interval ? [[...methodOf(row), task + 1, ...boundsOf(interval)]] : [])));
  return {
    draw: () => drawStream(shown.map(({ row, seen }): StreamLine => ({ name: row.method, bound: row.bound, seen })), PRINT, 'stream', { width: WIDTH, height: heightFor(shown.length) }),
    values: [[...METHOD, 'tasksLearned', 'score', 'low', 'high'], ...values],
    title: 'mean score of the tasks learned so far, after each task', about: 'percent: means over orders and seeds, with 95 % intervals at the end; dotted: bounds',
    methods: shown.length,
  };
}

function tradeoffFigure({ rows }: Column): Figure {
  const both = rows.flatMap((row) => {
    const [accuracy, forgetting] = [row.intervals['averageAccuracy'], row.intervals['forgetting']];
    return accuracy ? [{ row, accuracy, forgetting: forgetting ?? null }] : [];
  });
  const points = both.map(({ row, ...values }): ScatterPoint => ({ name: row.method, bound: row.bound, ...values }));
  return {
    draw: () => drawScatter(points, PRINT, 'tradeoff', { width: WIDTH, height: 440 }),
    values: [[...METHOD, 'averageAccuracy', 'low', 'high', 'forgetting', 'forgettingLow', 'forgettingHigh'],
      ...both.map(({ row, accuracy, forgetting }) => [...methodOf(row), ...boundsOf(accuracy), ...(forgetting ? boundsOf(forgetting) : [null, null, null])])],
    title: 'average accuracy against forgetting', about: 'percent: means over orders and seeds with 95 % intervals; dashed: bounds, where they are near',
    methods: points.filter(({ bound, forgetting }) => !bound && forgetting !== null).length,
  };
}

/** The figure of each kind. */
export const FIGURES: Readonly<Record<PlotFlags['kind'], (column: Column) => Figure>> = { stream: streamFigure, tradeoff: tradeoffFigure };

/** A drawing that says of itself what it shows and where it comes from. */
export function described(svg: string, words: readonly string[]): string {
  const text = words.join('\n').replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return svg.replace('>', () => `>\n<desc>${text}</desc>`);
}
