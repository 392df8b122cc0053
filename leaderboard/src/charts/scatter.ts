import type { Interval } from '@lethe/metrics';
import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemReturn } from 'echarts';
import { percent } from '../format.js';
import { type Html, html } from '../html.js';
import { chartFigure } from './figure.js';
import { placeLabels } from './labels.js';
import { type Size, inPercent, renderChart } from './render.js';
import { PAGE, type Theme, axisOf } from './theme.js';

/** A method in the plane of accuracy and forgetting. */
export interface ScatterPoint {
  readonly name: string;
  readonly bound: boolean;
  readonly accuracy: Interval;
  /** Null where it is not defined: joint training. */
  readonly forgetting: Interval | null;
}

/** The ends of an interval, or the value where one run gives none. */
const endsOf = ({ low, mean, high }: Interval): [number, number] => [low ?? mean, high ?? mean];

/** What draws a cross of two intervals. */
const crossIn = ({ muted }: Theme) => (_: unknown, api: CustomSeriesRenderItemAPI): CustomSeriesRenderItemReturn => {
  const at = (x: number, y: number) => api.coord([api.value(x), api.value(y)]) as [number, number];
  const line = ([x1, y1]: [number, number], [x2, y2]: [number, number]) =>
    ({ type: 'line' as const, shape: { x1, y1, x2, y2 }, style: { stroke: muted, lineWidth: 1, opacity: 0.6 } });
  // dimensions: forgetting, accuracy, then low and high of both
  return { type: 'group', children: [line(at(2, 1), at(3, 1)), line(at(0, 4), at(0, 5))] };
};

/** Width of text of 12 pixels in a system font, about. */
const widthOf = (text: string): number => text.length * 6.4;

const LONGEST = 20;
const label = (name: string): string => (name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name);

/** The bounds that lie near enough to the methods to be drawn without pressing them together. */
function rangeOf(points: readonly ScatterPoint[], bounds: readonly ScatterPoint[]): readonly [low: number, high: number] {
  const ends = points.flatMap(({ accuracy }) => endsOf(accuracy)).map((value) => Math.min(Math.max(value, 0), 1) * 100);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const near = bounds.map(({ accuracy }) => accuracy.mean * 100).filter((value) => value > low - 15 && value < high + 15);
  const all = [low, high, ...near];
  return [Math.max(0, Math.floor((Math.min(...all) - 2) / 5) * 5), Math.min(100, Math.ceil((Math.max(...all) + 2) / 5) * 5)];
}

/** Pixels between two lines below which their labels would cover each other. */
const LINE_HEIGHT = 15;

/** Bounds from the highest down, those together whose lines are nearer than `gap` to the one before: they share a label. */
function nearLines(bounds: readonly ScatterPoint[], gap: number): ScatterPoint[][] {
  const sorted = [...bounds].sort((a, b) => b.accuracy.mean - a.accuracy.mean);
  return sorted.reduce<ScatterPoint[][]>((groups, bound) => {
    const last = groups.at(-1)?.at(-1);
    if (last && last.accuracy.mean - bound.accuracy.mean < gap) groups.at(-1)!.push(bound);
    else groups.push([bound]);
    return groups;
  }, []);
}

/**
 * Average accuracy against forgetting with their intervals, as SVG; bounds are lines. Points without forgetting are left out.
 *
 * @param id unique to the drawing within its page
 */
export function drawScatter(points: readonly ScatterPoint[], theme: Theme, id: string, size: Size): string {
  const [shown, bounds] = [shownOf(points), points.filter(({ bound }) => bound)];
  const [min, max] = rangeOf(shown, bounds);
  const rows = shown.map(({ name, accuracy, forgetting }) => ({
    name: label(name), value: [forgetting!.mean, accuracy.mean, ...endsOf(forgetting!), ...endsOf(accuracy)].map(inPercent),
  }));
  const grid = { left: 52, right: 24, top: 16, bottom: 46 };
  const lines = nearLines(bounds, (LINE_HEIGHT * (max - min)) / (100 * (size.height - grid.top - grid.bottom)));
  const axis = { scale: true, ...axisOf(theme) };
  const options = {
    backgroundColor: theme.ground,
    grid,
    xAxis: { name: 'Forgetting, percentage points', nameGap: 28, ...axis },
    yAxis: { min, max, name: 'Average accuracy, percent', nameGap: 36, ...axis },
    series: [
      { type: 'custom', renderItem: crossIn(theme), data: rows, clip: true, silent: true, z: 1 },
      {
        type: 'scatter', data: rows, symbolSize: 9, itemStyle: { color: theme.accent, opacity: 1 },
        markLine: {
          symbol: 'none', silent: true, lineStyle: { color: theme.muted, type: 'dashed' },
          label: { position: 'insideEndTop', formatter: '{b}', color: theme.muted },
          data: lines.flatMap((near) => near.map(({ accuracy }, i) => ({ name: i === 0 ? near.map(({ name }) => name).join(', ') : '', yAxis: inPercent(accuracy.mean) }))),
        },
      },
    ],
  };
  return renderChart(options, id, size, (chart) => {
    const pixels = rows.map(({ name, value }) => {
      const [x, y] = chart.convertToPixel({ gridIndex: 0 }, [value[0]!, value[1]!]) as [number, number];
      return { x, y, width: widthOf(name) };
    });
    const places = placeLabels(pixels, { left: grid.left, top: grid.top, right: size.width - 4, bottom: size.height - grid.bottom });
    // a halo, because lines of other points may run behind
    const text = { show: true, formatter: '{b}', color: theme.ink, fontSize: 12, textBorderColor: theme.page, textBorderWidth: 3 };
    return { series: [{}, { data: rows.map((row, i) => ({ ...row, label: { ...text, position: places[i]!.side, offset: [0, places[i]!.shift] } })) }] };
  });
}

/** The methods that have a place in the plane: no bounds, which are lines, and none without forgetting. */
const shownOf = (points: readonly ScatterPoint[]): ScatterPoint[] => points.filter((point) => !point.bound && point.forgetting !== null);

/**
 * Average accuracy against forgetting as a figure of the page. Drawn twice, for broad and for narrow screens. Nothing where fewer than two
 * methods have both.
 *
 * @param id unique to the figure within its page
 */
export function scatter(points: readonly ScatterPoint[], id: string): Html | null {
  const shown = shownOf(points);
  if (shown.length < 2) return null;
  const text = shown.map(({ name, accuracy, forgetting }) =>
    `${name}: accuracy ${percent(accuracy.mean)}, forgetting ${percent(forgetting!.mean)}`).join('; ');
  return chartFigure(`Average accuracy against forgetting. ${text}`, {
    broad: drawScatter(points, PAGE, `${id}-broad`, { width: 860, height: 400 }),
    narrow: drawScatter(points, PAGE, `${id}-narrow`, { width: 360, height: 360 }),
  }, html`Average accuracy against forgetting: better is up and to the left. Crosses are 95 % intervals, cut at the axes; dashed lines are bounds, where they are near.
The axes do not begin at zero. The numbers are those of the table.`);
}
