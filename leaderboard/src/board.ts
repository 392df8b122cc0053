import { MISSING, methodName } from '@lethe/core';
import { wholeMean } from '@lethe/metrics';
import { COSTS, METRICS } from './columns.js';
import { counted, placesOf } from './format.js';
import type { Group, Row } from './groups.js';
import { type Html, html } from './html.js';
import { tag, wide } from './layout.js';
import { meanOf, nameOf, shortNames, tagsOf, titleOf } from './parts.js';
import { spanOf, whisker } from './charts/whisker.js';
import { bodies, heading } from './sortable.js';

/** @param apart whether its options tell the row from another of the same method: a phone has no room for others */
function nameCell(row: Row, apart: boolean): Html {
  const { method, changed, cells, failed } = row;
  return html`<th scope="row" class="name" data-value="${nameOf(row)}">
<a href="${row.slug}.html">${methodName(method)}</a> <span class="version">${method.label === undefined ? null : `${method.id} `}${method.version}</span>
${changed.length === 0 ? null : html`<span class="changed${apart ? ' apart' : null}">${changed.join(' ')}</span>`}
<span class="tags">${tag(counted(cells.length - failed, 'run'))}
${failed === 0 ? null : html`<span class="tag warn">${failed} failed</span>`}${tagsOf(row)}</span></th>`;
}

/**
 * @param apart as {@link nameCell} takes it
 * @param span the scale of the bars; null for rows that have none
 */
function rowHtml(row: Row, apart: boolean, span: readonly [number, number] | null): Html {
  const scores = METRICS.map((column, i) => {
    const interval = row.intervals[column.metric];
    return html`<td data-value="${interval?.mean}">${meanOf(interval, column)}${i === 0 && span ? whisker(interval, span) : null}</td>`;
  });
  const costs = COSTS.map(({ value, show }) => {
    const mean = wholeMean(row.completed.map(({ cost }) => value(cost)));
    return html`<td data-value="${mean}">${mean === null ? MISSING : show(mean)}</td>`;
  });
  // of those that may have the same first place, the one that may fall less deep comes first
  const order = row.ranks === null ? null : row.ranks[0] + row.ranks[1] / 1000;
  return html`<tr><td class="rank" data-value="${order}">${row.ranks === null ? MISSING : placesOf(row.ranks)}</td>${nameCell(row, apart)}${scores}${costs}</tr>\n`;
}

const direction = (better: 1 | -1): Html => html`<small><span aria-hidden="true">${better > 0 ? '↑' : '↓'}</span>
<span class="hidden">${better > 0 ? 'higher' : 'lower'}</span> is better</small>`;

/** The table of a comparison, best average accuracy first, bounds apart. */
export function boardTable(group: Group): Html {
  const rivals = group.rows.filter((row) => !row.method.capabilities.bound);
  const bounds = group.rows.filter((row) => row.method.capabilities.bound);
  const span = spanOf(rivals.map(({ intervals }) => intervals.averageAccuracy));
  const shortOf = shortNames(group.rows);
  const isApart = (row: Row) => shortOf(row) !== methodName(row.method);
  const rivalRows = rivals.map((row) => rowHtml(row, isApart(row), span));
  const boundRows = bounds.map((row) => rowHtml(row, isApart(row), null));
  const scores = METRICS.map(({ short, better }) =>
    heading(short, { first: better > 0 ? 'descending' : 'ascending', more: direction(better) }));
  return wide(titleOf(group), html`<table class="board sortable">
<caption><span>Percent, and percentage points for differences: mean over runs, below it the 95 % interval over seeds and orders, cut where the metric ends. The bars show
it on one scale for all methods. Rank is the range of places that a method may have in average accuracy, by paired tests between all methods
that are corrected for their number; what is not shown to differ shares places. A method of which a run failed has no mean and no rank.
Costs are means: parameters trained at once, those that predictions need besides the model in the end, what is kept in all, and the time of training without
that of scoring, which the seconds of <code>lethe run</code> hold too. Times compare only on one machine.${bounds.length > 0 ? ' Below the double line: bounds, which are no competitors.' : null}</span></caption>
<thead><tr class="over"><th></th><th></th><th colspan="${METRICS.length}" scope="colgroup">Scores</th>
<th colspan="${COSTS.length}" scope="colgroup">Costs</th></tr>
<tr>${heading('Rank', { first: 'ascending', className: 'rank', sorted: true })}
${heading('Method', { first: 'ascending', className: 'name', text: true })}
${scores}${COSTS.map(({ short, counts }) => heading(short, { first: 'ascending', more: counts === undefined ? null : html`<small>${counts}</small>` }))}</tr></thead>
${bodies(rivalRows, boundRows)}
</table>`);
}
