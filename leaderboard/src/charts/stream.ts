import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemReturn } from 'echarts';
import { type Interval, withinRange } from '@lethe/metrics';
import { RANKING } from '../columns.js';
import { percent } from '../format.js';
import { type Html, html } from '../html.js';
import { chartFigure } from './figure.js';
import { type Size, inPercent, renderChart } from './render.js';
import { PAGE, type Theme, axisOf } from './theme.js';

/** A method through a stream of T tasks. */
export interface StreamLine {
  readonly name: string;
  readonly bound: boolean;
  /** Mean score of the tasks learned so far, after each of the T tasks; null where it is not defined, as within joint training. */
  readonly seen: readonly (Interval | null)[];
}

/** Colours that the colour-blind tell apart (Okabe and Ito), but for those that are too near to white or to black; then dashes. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#b07d00', '#3d9bd1', '#8a63c9', '#8c6d31'];
const DASHES = ['solid', 'dashed', 'dotted'] as const;
/** Signs of points, as a chart and as text have them. */
const SIGNS = [['circle', '●'], ['rect', '■'], ['triangle', '▲'], ['diamond', '◆']] as const;

interface Stroke {
  readonly colour: string;
  readonly dash: (typeof DASHES)[number];
  readonly sign: (typeof SIGNS)[number];
}

/** How the i-th line is drawn, bounds all alike. A colour that comes again has another sign, since labels show no dashes. */
function strokeOf(i: number, bound: boolean, { muted }: Theme): Stroke {
  if (bound) return { colour: muted, dash: 'dotted', sign: SIGNS[3] };
  const round = Math.floor(i / COLOURS.length);
  return { colour: COLOURS[i % COLOURS.length]!, dash: DASHES[round % DASHES.length]!, sign: SIGNS[(i + round) % SIGNS.length]! };
}

/** Pixels that a label takes from the next. */
const LABEL_HEIGHT = 14;
const GRID = { left: 52, top: 16, bottom: 46 };
/** Pixels of the strip in which the intervals at the end stand beside each other, and of the labels behind it. */
const [STRIP, LABELS] = [72, 124];

/** A height with room for the labels of so many lines. */
export const heightFor = (lines: number): number => Math.max(360, lines * LABEL_HEIGHT + GRID.top + GRID.bottom);

/** What draws the interval at the end of a line, so many pixels right of it. */
const endInterval = ({ colour }: Stroke, shift: number) => (_: unknown, api: CustomSeriesRenderItemAPI): CustomSeriesRenderItemReturn => {
  const [[x, low], [, high]] = [1, 2].map((at) => api.coord([api.value(0), api.value(at)]) as [number, number]) as [[number, number], [number, number]];
  return { type: 'line', shape: { x1: x + shift, x2: x + shift, y1: low, y2: high }, style: { stroke: colour, lineWidth: 1.5, opacity: 0.7 } };
};

/** Those that have a value after the last task, the highest first. */
function sorted(lines: readonly StreamLine[]): StreamLine[] {
  const end = ({ seen }: StreamLine) => seen.at(-1)!.mean;
  return lines.filter(({ seen }) => seen.at(-1)).sort((a, b) => end(b) - end(a));
}

/**
 * The mean score of the tasks learned so far, after every task, a line a method, as SVG. Lines without a value at the end are left out.
 *
 * @param id unique to the drawing within its page
 */
export function drawStream(lines: readonly StreamLine[], theme: Theme, id: string, size: Size): string {
  const shown = sorted(lines);
  const competitors = shown.filter(({ bound }) => !bound);
  const tasks = shown[0]?.seen.length ?? 1;
  const axis = axisOf(theme);
  const series = shown.flatMap(({ name, bound, seen }, i) => {
    const stroke = strokeOf(competitors.findIndex((line) => line.name === name), bound, theme);
    const { colour, dash, sign: [symbol, sign] } = stroke;
    const { low, high } = withinRange(seen.at(-1)!, RANKING.range);
    const line = {
      type: 'line', data: seen.map((interval, at) => [at + 1, interval ? inPercent(interval.mean) : null]), symbol, symbolSize: 6, color: colour, z: bound ? 2 : 3,
      lineStyle: { color: colour, type: dash, width: bound ? 1.2 : 1.8 },
      endLabel: { show: true, formatter: `{sign|${sign}} {name|${name}}`, distance: STRIP + 4, rich: { sign: { color: colour, fontSize: 10 }, name: { color: theme.ink, fontSize: 12 } } },
      labelLayout: { moveOverlap: 'shiftY' },
    };
    const shift = 8 + ((STRIP - 12) * (i + 0.5)) / shown.length;
    return low === null || high === null ? [line]
      : [line, { type: 'custom', silent: true, z: 1, clip: false, renderItem: endInterval(stroke, shift), data: [[tasks, inPercent(low), inPercent(high)]] }];
  });
  return renderChart({
    backgroundColor: theme.ground,
    grid: { ...GRID, right: STRIP + LABELS },
    xAxis: { ...axis, min: 1, max: Math.max(tasks, 2), minInterval: 1, name: 'Tasks learned', nameGap: 28, splitLine: { show: false } },
    yAxis: { ...axis, min: 0, max: 100, name: 'Mean score of the tasks learned, percent', nameGap: 36 },
    series,
  }, id, size);
}

/**
 * The same as a figure of the page; nothing where fewer than two methods have values, or the stream has one task.
 *
 * @param id unique to the figure within its page
 */
export function stream(lines: readonly StreamLine[], id: string): Html | null {
  const shown = sorted(lines);
  if (shown.length < 2 || shown[0]!.seen.length < 2) return null;
  const text = shown.map(({ name, seen }) => `${name}: ${seen.map((interval) => percent(interval?.mean)).join(', ')}`).join('; ');
  const height = heightFor(shown.length);
  return chartFigure(`Mean score of the tasks learned so far, after each task. ${text}`, {
    broad: drawStream(lines, PAGE, `${id}-broad`, { width: 860, height }), narrow: drawStream(lines, PAGE, `${id}-narrow`, { width: 360, height }),
  }, html`Mean score of the tasks learned so far, after each task: a method that forgets falls. Means over orders and seeds; the bars on the right are the 95 % intervals at
the end, where the lines come to the average accuracy of the table. Dotted grey lines are bounds.`);
}
