import * as echarts from 'echarts';
import type { MethodCost, TaskCost } from './stream-cost.js';

const [WIDTH, HEIGHT] = [1100, 460];
const PANELS: readonly (readonly [title: string, values: (tasks: readonly TaskCost[]) => number[]])[] = [
  ['Training step, ms of processor', (tasks) => smooth(tasks.map(({ step }) => step))],
  ['Stored, kB', (tasks) => tasks.map(({ storedBytes }) => storedBytes / 1024)],
];
const DASHES = ['solid', 'dashed', 'dotted'] as const;

/**
 * Both costs of every method over the tasks, as one SVG with logarithmic scales: methods lie orders of magnitude apart, and one that keeps or does nothing has
 * no line. Times are the median of five tasks, because a busy machine disturbs them.
 */
export function plotOf(costs: readonly MethodCost[]): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
  const tasks = costs[0]?.tasks.length ?? 0;
  chart.setOption({
    animation: false, backgroundColor: '#fff',
    textStyle: { fontFamily: 'system-ui, sans-serif' },
    legend: { bottom: 4, data: costs.map(({ method }) => method), itemWidth: 22, textStyle: { fontSize: 11 } },
    title: PANELS.map(([text], i) => ({ text, left: i === 0 ? 44 : 594, top: 6, textStyle: { fontSize: 13, fontWeight: 'normal' } })),
    grid: PANELS.map((_, i) => ({ left: i === 0 ? 50 : 600, width: 470, top: 34, bottom: 110 })),
    xAxis: PANELS.map((_, i) => ({ gridIndex: i, type: 'value', min: 1, max: tasks, name: 'task', nameLocation: 'middle', nameGap: 24 })),
    yAxis: PANELS.map((_, i) => ({ gridIndex: i, type: 'log' })),
    series: PANELS.flatMap(([, values], i) => costs.map(({ method, tasks: list }, m) => ({
      name: method, type: 'line', xAxisIndex: i, yAxisIndex: i, showSymbol: false,
      lineStyle: { width: 1.5, type: DASHES[Math.floor(m / 9) % DASHES.length] },
      data: values(list).map((y, t) => [t + 1, y > 0 ? Number(y.toFixed(3)) : null]),
    }))),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}

const REACH = 2;

/** The median of every value and its neighbours. */
function smooth(values: readonly number[]): number[] {
  return values.map((_, i) => {
    const near = values.slice(Math.max(0, i - REACH), i + REACH + 1).toSorted((a, b) => a - b);
    return near[Math.floor(near.length / 2)]!;
  });
}
