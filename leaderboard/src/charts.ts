import { type EChartsOption } from 'echarts';
import * as echarts from 'echarts';
import type { CompletedRun } from '@lethe/core';
import type { Row } from './summary.js';
import { escapeHtml } from './html.js';

function svg(option: EChartsOption, height: number): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 640, height });
  chart.setOption({ animation: false, ...option });
  const text = chart.renderToSVGString();
  chart.dispose();
  return text;
}

const figure = (caption: string, body: string): string =>
  `<figure role="group"><figcaption>${escapeHtml(caption)}</figcaption><div class="chart">${body}</div></figure>`;

/** The score of each task (0 to 1) after every training step, as an SVG figure. */
export function curves(run: CompletedRun): string {
  return figure('Score of each task after each training step', svg({
    legend: { top: 0, type: 'scroll' },
    grid: { left: 56, right: 16, top: 44, bottom: 44 },
    xAxis: { type: 'category', name: 'tasks trained', nameLocation: 'middle', nameGap: 28, data: run.matrix.map((_, i) => String(i)) },
    yAxis: { type: 'value', name: 'score', min: 0, max: 1 },
    series: run.order.tasks.map((name, j) => ({ type: 'line' as const, name, data: run.matrix.map((row) => row[j] ?? '-') })),
  }, 300));
}

/** Mean average accuracy against mean forgetting of every method for which both are defined, or nothing without any. */
export function scatter(rows: readonly Row[]): string {
  const points = rows.flatMap((row) => {
    const lost = row.completed.map((run) => run.metrics.forgetting);
    if (!row.accuracy || lost.includes(null)) return [];
    const forgetting = (lost as number[]).reduce((a, b) => a + b, 0) / lost.length;
    return [{ name: row.name, value: [forgetting, row.accuracy.mean] }];
  });
  if (points.length === 0) return '';
  return figure('Average accuracy against forgetting (up and to the left is better)', svg({
    grid: { left: 56, right: 120, top: 32, bottom: 44 },
    xAxis: { type: 'value', name: 'forgetting', nameLocation: 'middle', nameGap: 28, scale: true },
    yAxis: { type: 'value', name: 'average accuracy', min: 0, max: 1 },
    series: [{ type: 'scatter', data: points, symbolSize: 11, label: { show: true, position: 'right', formatter: '{b}' } }],
  }, 320));
}
