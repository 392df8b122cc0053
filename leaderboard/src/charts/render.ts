import * as echarts from 'echarts';

/** In pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

export const inPercent = (value: number): number => Number((value * 100).toFixed(2));

/**
 * A chart as SVG: the same options give the same text.
 *
 * @param id unique to the drawing within its page
 * @param refine what is still to be set where the first options have put things
 */
export function renderChart(
  options: echarts.EChartsCoreOption, id: string, { width, height }: Size, refine?: (chart: echarts.ECharts) => echarts.EChartsCoreOption,
): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  chart.setOption({ animation: false, textStyle: { fontFamily: 'system-ui, sans-serif' }, ...options });
  if (refine) chart.setOption(refine(chart));
  const svg = chart.renderToSVGString();
  chart.dispose();
  // Classes (for the pointer, which these drawings have no use for) and ids count the drawings of the process. Without the
  // first, and with ids of the drawing alone, equal entries give equal pages.
  const plain = svg.replace(/ class="zr\d+-cls-\d+"/g, '').replace(/<style\b.*?<\/style>/s, '');
  return plain.replace(/zr\d+-/g, `${id}-`);
}
