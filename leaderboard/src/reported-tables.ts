import { percent } from './format.js';
import { type Html, html } from './html.js';
import { tag, wide } from './layout.js';
import { type ReportedTable, SEEN } from './reported.js';

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function tableOf({ title, source, url, seen, model, protocol, note, metrics, rows }: ReportedTable): Html {
  const heads = metrics.map((metric) => html`<th scope="col">${capital(metric.title)}</th>`);
  const body = rows.map(({ method, values }) => {
    const cells = metrics.map(({ id }) => html`<td>${percent(id in values ? values[id]! / 100 : null)}</td>`);
    return html`<tr><th scope="row" class="name">${method}</th>${cells}</tr>\n`;
  });
  const from = url === undefined ? source : html`<a href="${url}">${source}</a>`;
  return html`<p><strong>${title}</strong> ${tag('reported')}</p>
${wide(`Reported: ${title}`, html`<table class="board"><caption><span>From ${from}; ${SEEN[seen]}.
Model ${model}; ${protocol}.${note === undefined ? null : html` Note: ${note}.`}</span></caption>
<thead><tr><th scope="col" class="name">Method</th>${heads}</tr></thead><tbody>${body}</tbody></table>`)}`;
}

const WARNING = `Copied from papers and not measured here. Models, budgets, prompts, rows and scoring differ from the runs on this page and among these tables,
so none of these numbers is ranked, averaged or compared with a measured one. Percent; uncertainties were not reported.`;

/** The tables of one suite, folded away; nothing where there are none. */
export function reportedOf(suite: string, tables: readonly ReportedTable[]): Html | null {
  const own = tables.filter((table) => table.suite === suite);
  if (own.length === 0) return null;
  return html`<details><summary>Reported by papers for ${suite}, not measured here</summary><p class="small">${WARNING}</p>${own.map(tableOf)}</details>`;
}

/** The tables of suites of which there are no runs. */
export function otherReported(measured: readonly string[], tables: readonly ReportedTable[]): Html | null {
  const others = [...new Set(tables.map(({ suite }) => suite))].filter((suite) => !measured.includes(suite));
  if (others.length === 0) return null;
  return html`<section aria-labelledby="reported"><h2 id="reported">Reported by papers</h2>
<p>For suites of which there are no runs here yet.</p>${others.map((suite) => reportedOf(suite, tables))}</section>`;
}
