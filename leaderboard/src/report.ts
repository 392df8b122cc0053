import { type ReportTable, cellText } from '@lethe/core';
import { type Html, html } from './html.js';
import { wide } from './layout.js';
import { shaded } from './matrix.js';

/** A table of what a method says it learned, its cells shaded where they are on a scale. */
function tableOf({ title, unit, rows, columns, cells, scale }: ReportTable): Html {
  const cell = (value: number | string | null): Html => {
    if (!scale || typeof value !== 'number') return html`<td>${cellText(value)}</td>`;
    const [low, high] = scale;
    return shaded(high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 0, cellText(value), false);
  };
  return wide(title, html`<table class="${scale ? 'heat' : ''}">
<caption><span><strong>${title}</strong>${unit === undefined ? null : `: ${unit}`}</span></caption>
<thead><tr><th scope="col" class="name">${rows.title}</th>${columns.names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${cells.map((row, i) => html`<tr><th scope="row">${rows.names[i]}</th>${row.map(cell)}</tr>`)}</tbody></table>`);
}

/** What a method says it learned in a run. */
export function reportSection(report: readonly ReportTable[] | undefined): Html | null {
  return report === undefined ? null : html`<details><summary>What the method says it learned</summary>${report.map(tableOf)}</details>`;
}
