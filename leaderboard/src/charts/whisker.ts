import { type Interval, withinRange } from '@lethe/metrics';
import { RANKING } from '../columns.js';
import { type Html, html } from '../html.js';

const WIDTH = 112;
const HEIGHT = 14;
const EDGE = 4;

/** The ends of an interval of a score. */
function endsOf(interval: Interval): [number, number] {
  const { mean, low, high } = withinRange(interval, RANKING.range);
  return [low ?? mean, high ?? mean];
}

/** The range from the lowest to the highest end of intervals of scores. */
export function spanOf(intervals: readonly (Interval | null)[]): readonly [low: number, high: number] {
  const ends = intervals.flatMap((interval) => (interval ? endsOf(interval) : []));
  return [Math.min(...ends), Math.max(...ends)];
}

/** The interval of a score as a bar with a dot at the mean, on a scale that a table's rows share. The numbers stand beside it. */
export function whisker(interval: Interval | null, [from, to]: readonly [low: number, high: number]): Html | null {
  if (interval === null) return null;
  const x = (value: number) => (EDGE + (to > from ? (value - from) / (to - from) : 0.5) * (WIDTH - 2 * EDGE)).toFixed(1);
  const [low, high] = endsOf(interval);
  const range = interval.low === null ? null : html`<line class="range" x1="${x(low)}" x2="${x(high)}" y1="7" y2="7"/>`;
  return html`<svg class="whisker" viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true"><line class="axis" x1="0" x2="${WIDTH}" y1="7" y2="7"/>
${range}<circle cx="${x(interval.mean)}" cy="7" r="3"/></svg>`;
}
