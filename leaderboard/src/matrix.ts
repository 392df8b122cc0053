import { MISSING, type Matrix } from '@lethe/core';
import { isJoint, wholeMean } from '@lethe/metrics';
import { percent } from './format.js';
import { type Html, html } from './html.js';
import { wide } from './layout.js';

/**
 * From these scores on the other ink is legible on a cell, in the light and in the dark scale of colours: there the ground
 * has a contrast of at least 4.5 with both inks.
 */
const INK = { light: 0.66, dark: 0.54 } as const;

/** A cell with the ground of its share of the scale, in [0, 1]. */
export function shaded(share: number, text: string, own: boolean): Html {
  const ink = `${share >= INK.light ? ' h' : ''}${share >= INK.dark ? ' d' : ''}`;
  return html`<td class="${`${own ? 'own' : ''}${ink}`.trim()}" style="--s:${(share * 100).toFixed(0)}%">${text}</td>`;
}

const cell = (score: number | null, own: boolean): Html =>
  (score === null ? html`<td class="muted">${MISSING}</td>` : shaded(score, percent(score), own));

/**
 * A score matrix as a table whose cells are shaded by score.
 *
 * @param matrix (T+1) x T scores in [0, 1], row 0 of the base model
 * @param tasks T task ids in the order trained
 */
export function matrixTable(matrix: Matrix, tasks: readonly string[], caption: string): Html {
  const joint = isJoint(matrix);
  const nameOf = (i: number) => (i === 0 ? 'base model' : joint ? 'after all tasks' : `after ${tasks[i - 1]}`);
  const rows = matrix.map((row, i) => (joint && i > 0 && i < matrix.length - 1 ? null
    : html`<tr><th scope="row">${nameOf(i)}</th>${row.map((score, j) => cell(score, !joint && i === j + 1))}</tr>`));
  const frame = joint ? 'All tasks were trained at once.' : 'A frame marks the task that was just trained; to its right are tasks not trained yet.';
  return wide('Score matrix', html`<table class="heat">
<caption><span>${caption} ${frame} Percent of test rows answered rightly; the mean score where answers are written.</span></caption>
<thead><tr><th scope="col" class="name">Tested on</th>${tasks.map((task) => html`<th scope="col">${task}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table>`);
}

/** The mean of matrices of one shape, cell by cell; null where any has none. */
export function meanMatrix(matrices: readonly Matrix[]): Matrix {
  return matrices[0]!.map((row, i) => row.map((_, j) => {
    return wholeMean(matrices.map((matrix) => matrix[i]![j]));
  }));
}
