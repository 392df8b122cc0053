import type { Matrix } from '@lethe/core';
import { isJoint } from '@lethe/metrics';
import { percent } from '../format.js';
import { type Html, html } from '../html.js';
import { meanMatrix } from '../matrix.js';

const WIDTH = 170;
const HEIGHT = 78;
const LEFT = 22;
const TOP = 5;
const BOTTOM = 14;

type Point = readonly [x: number, y: number];

/** A coordinate as it is written. */
const at = (value: number): string => value.toFixed(1);

/**
 * A drawing of one task's scores: small, because a page has one for each task and a site has one page for each run.
 * A chart library needs 26 ms for such a drawing, which is minutes for a thousand runs.
 */
class Panel {
  private readonly steps: number;

  constructor(private readonly task: number, matrix: Matrix) {
    this.steps = matrix.length - 1;
  }

  x(step: number): number {
    return LEFT + (step / Math.max(this.steps, 1)) * (WIDTH - LEFT - 5);
  }

  y(score: number): number {
    return TOP + (1 - score) * (HEIGHT - TOP - BOTTOM);
  }

  points(matrix: Matrix): Point[] {
    return matrix.flatMap((row, i): Point[] => (row[this.task] === null ? [] : [[this.x(i), this.y(row[this.task]!)]]));
  }

  line(matrix: Matrix, className: string): Html {
    const points = this.points(matrix);
    const name = points.length < matrix.length ? 'gap' : className;
    return html`<polyline class="${name}" points="${points.map(([x, y]) => `${at(x)},${at(y)}`).join(' ')}"/>`;
  }
}

const said = (score: number | null | undefined): string => `${percent(score)} %`;

function panelOf(matrices: readonly Matrix[], mean: Matrix, tasks: readonly string[], j: number): Html {
  const panel = new Panel(j, mean);
  const score = (i: number) => mean[i]?.[j];
  const last = mean.length - 1;
  const trained = isJoint(mean) ? '' : `just after it was trained ${said(score(j + 1))}, `;
  const label = `${tasks[j]}: base model ${said(score(0))}, ${trained}at the end ${said(score(last))}`;
  const right = WIDTH - 5;
  const levels = [0, 0.5, 1].map((level) => html`<line class="grid" x1="${LEFT}" x2="${right}" y1="${panel.y(level)}" y2="${panel.y(level)}"/>
<text x="${LEFT - 4}" y="${panel.y(level) + 3}" text-anchor="end">${level * 100}</text>`);
  const when = isJoint(mean) ? null
    : html`<line class="when" x1="${at(panel.x(j + 1))}" x2="${at(panel.x(j + 1))}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>`;
  // of many steps only those that tell something are numbered
  const steps = mean.map((_, i) => (mean.length <= 9 || i === 0 || i === last || i === j + 1
    ? html`<text x="${at(panel.x(i))}" y="${HEIGHT - 3}" text-anchor="middle">${i}</text>` : null));
  return html`<li><strong>${tasks[j]} <span>${percent(score(last))}</span></strong>
<svg class="curve" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">
${levels}${when}${steps}
${matrices.length > 1 ? matrices.map((matrix) => panel.line(matrix, 'one')) : null}${panel.line(mean, 'mean')}
${panel.points(mean).map(([x, y]) => html`<circle cx="${at(x)}" cy="${at(y)}" r="2"/>`)}
</svg></li>`;
}

/**
 * The score of each task after every training step, one small drawing a task. The numbers are those of the score matrix.
 *
 * @param matrices (T+1) x T each, one for every run: their mean is drawn over them
 * @param tasks T task ids in the order trained
 */
export function curves(matrices: readonly Matrix[], tasks: readonly string[]): Html {
  const mean = meanMatrix(matrices);
  const several = matrices.length > 1 ? ` Thin lines are the ${matrices.length} runs, the thick one is their mean.` : '';
  const steps = isJoint(mean) ? 'before and after training on all tasks at once'
    : 'after each training step; step 0 is the base model, the dashed line marks the step that trained the task';
  return html`<figure><ul class="curves">${tasks.map((_, j) => panelOf(matrices, mean, tasks, j))}</ul>
<figcaption>Score of each task (percent, as in the matrix) ${steps}. The number is the score at the end.${several}</figcaption></figure>`;
}
