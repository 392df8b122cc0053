import { pairedDifference } from '@lethe/metrics';
import { COSTS, METRICS } from '../columns.js';
import { PROTOCOL, definitions } from '../definitions.js';
import { short, whole } from '../format.js';
import type { Group, Row } from '../groups.js';
import { type Content, type Html, html } from '../html.js';
import { command, facts, pageOf, wide } from '../layout.js';
import { budgetOf, counted, dataTable, differenceOf, meanOf, nameOf, tagsOf, titleOf } from '../parts.js';
import { bestOf, ranksOf } from '../ranking.js';
import { scatter } from '../scatter.js';
import { spanOf, whisker } from '../whisker.js';

const average = (values: readonly number[]): number | null => (values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length);

/** The rank of a row and the metrics in which it is the best. Bounds have neither. */
interface Standing {
  readonly rank: number | null;
  readonly best: ReadonlySet<string>;
}

function standingsOf(rows: readonly Row[]): Map<Row, Standing> {
  const contenders = (metric: keyof Row['intervals']) => rows.map((row) => ({ interval: row.intervals[metric], failed: row.failed }));
  const ranks = ranksOf(contenders('averageAccuracy'), 1);
  const best = METRICS.map(({ metric, better }) => [metric, rows[bestOf(contenders(metric), better)]] as const);
  return new Map(rows.map((row, i) => [row, { rank: ranks[i]!, best: new Set(best.filter(([, winner]) => winner === row).map(([metric]) => metric)) }]));
}

function rowHtml(group: Group, row: Row, { rank, best }: Standing, span: readonly [number, number] | null): Html {
  const { method, changed, completed, failed, trials, intervals } = row;
  const name = html`<a href="${group.slug}/${row.slug}.html">${method.id}</a> <span class="version">${method.version}</span>`;
  const options = changed.length === 0 ? null : html`<span class="changed">${changed.join(' ')}</span>`;
  return html`<tr>
<td class="rank" data-value="${rank}">${rank ?? '–'}</td>
<th scope="row" class="name" data-value="${nameOf(row)}">${name}${options}<span class="tags"><span class="tag">${counted(trials.length - failed, 'trial')}</span>${failed === 0 ? null : html`<span class="tag warn">${failed} failed</span>`}${tagsOf(row)}</span></th>
${METRICS.map(({ metric }, i) => html`<td data-value="${intervals[metric]?.mean}"${best.has(metric) ? html` class="best"` : null}>${meanOf(intervals[metric])}${
    best.has(metric) ? html` <span class="tag good">best</span>` : null}${i === 0 && span ? whisker(intervals[metric], span) : null}</td>`)}
${COSTS.map(({ value, show }) => {
    const mean = average(completed.map(({ cost }) => value(cost)));
    return html`<td data-value="${mean}">${mean === null ? '–' : show(mean)}</td>`;
  })}
</tr>`;
}

const heading = (title: Content, first: 'ascending' | 'descending', options: { text?: true; sorted?: true; className?: string; more?: Html } = {}): Html =>
  html`<th scope="col" class="${options.className}" data-first="${first}"${options.text ? html` data-text` : null}${options.sorted ? html` aria-sort="${first}"` : null}><span>${title}</span>${options.more}</th>`;

function boardTable(group: Group): Html {
  const rivals = group.rows.filter((row) => !row.method.capabilities.bound);
  const bounds = group.rows.filter((row) => row.method.capabilities.bound);
  const standings = standingsOf(rivals);
  const span = spanOf(rivals.map(({ intervals }) => intervals.averageAccuracy));
  const body = (rows: readonly Row[], kind: Html | null) => (rows.length === 0 ? null : html`<tbody${kind}>
${rows.map((row) => rowHtml(group, row, standings.get(row) ?? { rank: null, best: new Set() }, kind === null ? span : null))}</tbody>`);
  const direction = (better: 1 | -1) => html`<small><span aria-hidden="true">${better > 0 ? '↑' : '↓'}</span><span class="hidden">${better > 0 ? 'higher' : 'lower'}</span> is better</small>`;
  return wide(titleOf(group), html`<table class="board sortable">
<caption><span>Percent, and percentage points for differences: mean over trials ± half of the 95 % t interval. The bars show it on one scale for all methods.
Methods share a rank where their intervals for average accuracy overlap; a method is marked best only where its interval overlaps no other and no trial of it failed.
One trial gives no interval and no rank. Costs are means; times compare only on one machine.${bounds.length > 0 ? ' Below the double line: bounds, which are no competitors.' : null}</span></caption>
<thead><tr class="over"><th></th><th></th><th colspan="${METRICS.length}" scope="colgroup">Scores</th><th colspan="${COSTS.length}" scope="colgroup">Costs</th></tr>
<tr>${heading('Rank', 'ascending', { className: 'rank', sorted: true })}${heading('Method', 'ascending', { className: 'name', text: true })}
${METRICS.map(({ short: title, better }) => heading(title, better > 0 ? 'descending' : 'ascending', { more: direction(better) }))}
${COSTS.map(({ title }) => heading(title, 'ascending'))}</tr></thead>
${body(rivals, null)}${body(bounds, html` class="bounds"`)}
</table>`);
}

/** The differences between all pairs of methods over the trials that they share, or nothing for fewer than two methods. */
function differences(group: Group): Html | null {
  const rows = group.rows.filter((row) => row.completed.length > 0);
  if (rows.length < 2) return null;
  const cell = (row: Row, other: Row): Html => {
    const difference = row === other ? null : pairedDifference(row.completed, other.completed, 'averageAccuracy');
    if (difference === null) return html`<td class="muted">–</td>`;
    const kind = difference.low === null ? 'muted' : difference.low > 0 ? 'more' : difference.high! < 0 ? 'less' : 'muted';
    return html`<td class="${kind}">${differenceOf(difference)}</td>`;
  };
  return html`<details><summary>Paired differences in average accuracy</summary>
<p class="small">The method of the row minus that of the column over the trials (order and seed) that both completed, ± half of the 95 % t interval. What a trial does to
both cancels out, so this tells more than whether two intervals overlap. Bold where the interval excludes zero; not corrected for the number of comparisons.</p>
${wide('Paired differences', html`<table class="board"><thead><tr><th scope="col" class="name">Row minus column</th>${rows.map((row) => html`<th scope="col">${nameOf(row)}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr><th scope="row" class="name">${nameOf(row)}</th>${rows.map((other) => cell(row, other))}</tr>`)}</tbody></table>`)}</details>`;
}

function terms(group: Group): Html {
  const runs = group.rows.flatMap(({ trials }) => trials.flatMap(({ outcomes }) => outcomes.map(({ run }) => run)));
  const seen = (pick: (environment: (typeof runs)[number]['environment']) => string) => [...new Set(runs.map(({ environment }) => pick(environment)))].sort().join(', ');
  return html`<details><summary>What all of these runs share</summary>${facts([
    ['Suite', `${group.suite.id} ${group.suite.version}, size ${group.suite.size}`],
    ['Tasks', [...group.tasks].sort().join(', ')],
    ['Training budget', budgetOf(group)],
    ['Model', html`${group.model.id}, sha256 <code>${group.model.sha256}</code>`],
    ['sha256 of the rows', dataTable(group.data)],
  ])}<p class="small">And where they may differ: Lethe ${seen(({ lethe }) => lethe)}; Node ${seen(({ node }) => node)}; device ${seen(({ device }) => device)};
threads ${seen(({ threads }) => String(threads))}; commit ${seen(({ git }) => (git === null ? 'not known' : short(git)))}.</p></details>`;
}

function sectionOf(group: Group, number: number): Html {
  const trials = group.rows.reduce((sum, row) => sum + row.trials.length, 0);
  const orders = new Set(group.rows.flatMap((row) => row.trials.map(({ order }) => order.id)));
  const seeds = new Set(group.rows.flatMap((row) => row.trials.map(({ seed }) => seed)));
  const points = group.rows.flatMap((row) => (row.intervals.averageAccuracy === null ? [] : [{
    name: nameOf(row), bound: row.method.capabilities.bound, accuracy: row.intervals.averageAccuracy, forgetting: row.intervals.forgetting,
  }]));
  return html`<section aria-labelledby="${group.slug}">
<h2 id="${group.slug}">${group.suite.id} <span class="version">${group.suite.version}</span> on ${group.model.id}</h2>
<p class="muted small">Size ${group.suite.size}; ${counted(group.tasks.length, 'task')}, ${counted(orders.size, 'order')}, ${counted(seeds.size, 'seed')},
${counted(trials, 'trial')} of ${counted(group.rows.length, 'method')}. Training: ${budgetOf(group)}.</p>
${boardTable(group)}<p class="hidden" role="status"></p>
${scatter(points, `chart-${number}`)}${differences(group)}${terms(group)}</section>`;
}

/** The first page: every comparison with its table, then how to read and how to check it. */
export function indexPage(groups: readonly Group[], files: readonly string[]): string {
  const rows = groups.flatMap((group) => group.rows);
  const trials = rows.flatMap((row) => row.trials);
  const failed = rows.reduce((sum, row) => sum + row.failed, 0);
  const methods = new Set(rows.map(({ method }) => method.id)).size;
  const empty = html`<p>There are no entries yet. Run <code>lethe run SUITE</code>, then <code>lethe publish RUN</code> and build this page again.</p>`;
  return pageOf({
    title: 'Lethe leaderboard',
    main: html`<h1>Lethe leaderboard</h1>
<p>Continual learning of language models: what methods learn from one task after another, and what they forget.</p>
${groups.length === 0 ? empty : html`<ul class="facts"><li><strong>${groups.length}</strong>${groups.length === 1 ? 'comparison' : 'comparisons'}</li><li><strong>${methods}</strong>${methods === 1 ? 'method' : 'methods'}</li>
<li><strong>${whole(trials.length)}</strong>${trials.length === 1 ? 'trial' : 'trials'}, ${failed} failed</li><li><strong>${files.length}</strong>${files.length === 1 ? 'entry' : 'entries'}, each recomputed</li></ul>`}
${PROTOCOL}
${groups.length < 2 ? null : html`<nav class="contents" aria-label="Comparisons"><ul>${groups.map((group) => html`<li><a href="#${group.slug}">${titleOf(group)}</a></li>`)}</ul>
<p class="muted small">Numbers of different suites, versions, sizes, rows, models or training budgets are never in one table.</p></nav>`}
${groups.map(sectionOf)}
${definitions()}
<section aria-labelledby="check"><h2 id="check">Check it</h2>
<p>Open a method, then a run: it states the command that makes it again, the commit, the options, and the hashes of model and rows. The same command on the same
device gives the same results; their sha256 is in the entry.</p>
<p>When this page was built, every score was recomputed from the predictions in the entries, every metric from the scores, every interval from the metrics and every
command from the runs; an entry that does not add up stops the build. Predictions that were made up consistently are found only by running the command.</p>
${command('lethe leaderboard build')}
${files.length === 0 ? null : html`<details><summary>The entries behind this page (${files.length})</summary><ul>${files.map((file) => html`<li><a href="entries/${encodeURIComponent(file)}"><code>${file}</code></a></li>`)}</ul></details>`}
</section>`,
  });
}
