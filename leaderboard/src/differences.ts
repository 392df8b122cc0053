import { type Interval, pairedDifference } from '@lethe/metrics';
import { percent, points } from './format.js';
import type { Group, Row } from './groups.js';
import { type Html, html } from './html.js';
import { wide } from './layout.js';
import { nameOf } from './parts.js';

const kindOf = ({ low, high }: Interval): string => {
  if (low === null || high === null) return 'muted';
  return low > 0 ? 'more' : high < 0 ? 'less' : 'muted';
};

function cell(row: Row, other: Row): Html {
  const difference = row === other ? null : pairedDifference(row.completed, other.completed, 'averageAccuracy');
  if (difference === null) return html`<td class="muted">–</td>`;
  const { mean, high } = difference;
  const half = high === null ? null : html` <span class="pm">± ${percent(high - mean)}</span>`;
  return html`<td class="${kindOf(difference)}">${points(mean)}${half}</td>`;
}

/** The differences between all pairs of methods over the trials that they share; nothing for fewer than two methods. */
export function differences(group: Group): Html | null {
  const rows = group.rows.filter((row) => row.completed.length > 0);
  if (rows.length < 2) return null;
  const heads = rows.map((row) => html`<th scope="col">${nameOf(row)}</th>`);
  const body = rows.map((row) =>
    html`<tr><th scope="row" class="name">${nameOf(row)}</th>${rows.map((other) => cell(row, other))}</tr>\n`);
  return html`<details><summary>Paired differences in average accuracy</summary>
<p class="small">The method of the row minus that of the column over the trials (order and seed) that both completed, ± half of the 95 % t
interval. What a trial does to both cancels out, so this tells more than whether two intervals overlap. Bold where the interval excludes
zero; not corrected for the number of comparisons.</p>
${wide('Paired differences', html`<table class="board"><thead><tr><th scope="col" class="name">Row minus column</th>${heads}</tr></thead>
<tbody>${body}</tbody></table>`)}</details>`;
}
