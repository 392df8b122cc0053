import { RANKING } from './columns.js';
import { placesOf } from './format.js';
import type { Group, Row } from './groups.js';
import { type Html, html } from './html.js';
import { wide } from './layout.js';
import { meanOf, shortNames, termsOf, warningsOf } from './parts.js';
import { bodies, heading } from './sortable.js';

/** A method by the name that comparisons call it, with its row in each of them; undefined where one has none. */
interface Line {
  readonly name: string;
  readonly rows: readonly (Row | undefined)[];
}

/** Every method, in the order of the first comparison that has it. */
function linesOf(groups: readonly Group[]): Line[] {
  const named = groups.map(({ rows }) => {
    const shortOf = shortNames(rows);
    return new Map(rows.map((row) => [shortOf(row), row]));
  });
  const names = new Set(named.flatMap((rows) => [...rows.keys()]));
  return [...names].map((name) => ({ name, rows: named.map((rows) => rows.get(name)) }));
}

/** The rows that may have the first place; none where all may, so that it says nothing. */
export function firstOf({ rows }: Group): Row[] {
  const ranked = rows.filter(({ ranks }) => ranks !== null);
  const first = ranked.filter(({ ranks }) => ranks![0] === 1);
  return first.length === ranked.length ? [] : first;
}

function cell(group: Group, row: Row | undefined, first: readonly Row[]): Html {
  if (row === undefined) return html`<td data-value=""></td>`;
  const interval = row.intervals[RANKING.metric];
  const rank = row.ranks === null ? null : html`<span class="pm">rank ${placesOf(row.ranks)}</span>`;
  return html`<td class="${first.includes(row) ? 'first' : null}" data-value="${interval?.mean}"><a href="${group.slug}/${row.slug}.html">${
    meanOf(interval, RANKING)}</a>${rank}${warningsOf(row)}</td>`;
}

const isBound = ({ rows }: Line): boolean => rows.some((row) => row?.method.capabilities.bound);

/** Methods by comparisons: average accuracy and rank in each. Nothing is averaged over comparisons. */
export function glance(groups: readonly Group[]): Html {
  const lines = linesOf(groups);
  const first = groups.map(firstOf);
  const rowOf = ({ name, rows }: Line) => html`<tr><th scope="row" class="name" data-value="${name}">${name}
<span class="tags">${termsOf(rows.find((row) => row !== undefined)!)}</span></th>${rows.map((row, i) => cell(groups[i]!, row, first[i]!))}</tr>\n`;
  const heads = groups.map(({ slug, suite, model }, i) => heading(suite.id, {
    first: 'descending', ...(i === 0 ? { sorted: true } : {}), more: html`<small><a href="${slug}/index.html">${suite.size}, ${model.id}</a></small>`,
  }));
  return html`<section aria-labelledby="glance"><h2 id="glance">At a glance</h2>
${wide('At a glance', html`<table class="board glance sortable">
<caption><span>${RANKING.title} in percent: mean over runs, below it the 95 % interval over seeds and orders, and the places that the method may have in this comparison.
Bold: the first may be among them. Every column is a comparison of its own; nothing is averaged over them.</span></caption>
<thead><tr>${heading('Method', { first: 'ascending', className: 'name', text: true })}${heads}</tr></thead>
${bodies(lines.filter((line) => !isBound(line)).map(rowOf), lines.filter(isBound).map(rowOf))}
</table>`)}<p class="hidden" role="status"></p></section>`;
}
