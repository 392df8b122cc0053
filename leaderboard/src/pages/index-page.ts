import { type Environment, departuresOf, suiteLabel } from '@lethe/core';
import { boardTable } from '../board.js';
import { type ScatterPoint, scatter } from '../charts/scatter.js';
import { type StreamLine, stream } from '../charts/stream.js';
import { drawCommand } from '../command.js';
import { PROTOCOL, definitions } from '../definitions.js';
import { differences, shown } from '../differences.js';
import { counted, short, whole } from '../format.js';
import type { Group, Row } from '../groups.js';
import { type Html, html } from '../html.js';
import { command, facts, pageOf } from '../layout.js';
import { budgetOf, dataTable, shortNames, titleOf } from '../parts.js';
import type { ReportedTable } from '../reported.js';
import { otherReported, reportedOf } from '../reported-tables.js';

const unique = (values: readonly string[]): string => [...new Set(values)].sort().join(', ');

/** What the runs of a comparison share, and where they may differ. */
function terms(group: Group): Html {
  const outcomes = group.rows.flatMap(({ cells }) => cells.flatMap((cell) => cell.outcomes));
  const environments = outcomes.map(({ run }) => run.environment);
  const files = [...new Set(outcomes.flatMap((outcome) => outcome.files))].sort();
  const seen = (pick: (environment: Environment) => string) => unique(environments.map(pick));
  return html`<details><summary>What all of these runs share, and how to check them</summary>${facts([
    ['Suite', suiteLabel(group.suite)],
    ['Tasks', [...group.tasks].sort().join(', ')],
    ['Training budget', budgetOf(group)],
    ['Model', html`${group.model.id}, sha256 <code>${group.model.sha256}</code>`],
    ['sha256 of the rows', dataTable(group.data)],
    ['Three again, and compared', files.map((file) => command(drawCommand(file)))],
  ])}<p class="small">And where they may differ: Lethe ${seen(({ lethe }) => lethe)}; Node ${seen(({ node }) => node)};
device ${seen(({ device }) => device)}; processor ${seen(({ processor = 'not known' }) => processor)}; threads ${seen(({ threads }) => String(threads))};
commit ${seen(({ git }) => (git === null ? 'not known' : short(git)))}.</p></details>`;
}

function pointsOf({ rows }: Group, shortOf: (row: Row) => string): ScatterPoint[] {
  return rows.flatMap((row) => {
    const { averageAccuracy: accuracy, forgetting } = row.intervals;
    return accuracy === null ? [] : [{ name: shortOf(row), bound: row.method.capabilities.bound, accuracy, forgetting }];
  });
}

function linesOf({ rows }: Group, shortOf: (row: Row) => string): StreamLine[] {
  return rows.map((row) => ({ name: shortOf(row), bound: row.method.capabilities.bound, seen: row.seen }));
}

/** Says that prompts, which may name the task, or fields of the budget are not the suite's own. */
const departures = ({ suite }: Group): Html[] => departuresOf(suite).map((what) => html` <span class="tag">${what}</span>`);

/** @param number of the comparison on the page */
function sectionOf(group: Group, number: number, reported: readonly ReportedTable[]): Html {
  const cells = group.rows.flatMap((row) => row.cells);
  const orders = new Set(cells.map(({ order }) => order.id));
  const seeds = new Set(cells.map(({ seed }) => seed));
  const shortOf = shortNames(group.rows);
  return html`<section aria-labelledby="${group.slug}">
<h2 id="${group.slug}">${group.suite.id} <span class="version">${group.suite.version}</span> on ${group.model.id}${departures(group)}</h2>
<p class="muted small">Size ${group.suite.size}; ${counted(group.tasks.length, 'task')}, ${counted(orders.size, 'order')},
${counted(seeds.size, 'seed')}, ${counted(cells.length, 'run')} of ${counted(group.rows.length, 'method')}. Training: ${budgetOf(group)}.</p>
${shown(group)}${boardTable(group)}<p class="hidden" role="status"></p>
${scatter(pointsOf(group, shortOf), `chart-${number}`)}${stream(linesOf(group, shortOf), `stream-${number}`)}${differences(group)}${reportedOf(group.suite.id, reported)}${terms(group)}</section>`;
}

/** How much there is, in a line. */
function overview(groups: readonly Group[], files: readonly string[]): Html {
  const rows = groups.flatMap((group) => group.rows);
  const failed = rows.reduce((sum, row) => sum + row.failed, 0);
  const cells = rows.reduce((sum, row) => sum + row.cells.length, 0);
  const methods = new Set(rows.map(({ method }) => method.id)).size;
  const fact = (number: number, one: string, many: string, more = '') =>
    html`<li><strong>${whole(number)}</strong>${number === 1 ? one : many}${more}</li>`;
  return html`<ul class="facts">${fact(groups.length, 'comparison', 'comparisons')}${fact(methods, 'method', 'methods')}
${fact(cells, 'run', 'runs', `, ${failed} failed`)}${fact(files.length, 'entry', 'entries', ', recomputed')}</ul>`;
}

const EMPTY = html`<p>There are no entries yet. Run <code>lethe run SUITE</code>, then <code>lethe publish RUN</code>, and build this page
again.</p>`;

const contents = (groups: readonly Group[]): Html => html`<nav class="contents" aria-label="Comparisons">
<ul>${groups.map((group) => html`<li><a href="#${group.slug}">${titleOf(group)}</a></li>`)}</ul>
<p class="muted small">Numbers of different suites, versions, sizes, prompts, rows, models or training budgets are never in one table.</p></nav>`;

function howToCheck(files: readonly string[]): Html {
  const links = files.map((file) => html`<li><a href="entries/${encodeURIComponent(file)}"><code>${file}</code></a></li>`);
  return html`<section aria-labelledby="check"><h2 id="check">Check it</h2>
<p>Open a method, then a run: it states the command that makes it again, the commit, the options, and the hashes of model and rows. The
same command on the same device gives the same results; their sha256 is in the entry.</p>
<p>When this page was built, every score was recomputed from the predictions in the entries, every metric from the scores, every interval
from the metrics and every command from the runs; an entry that does not add up stops the build. Predictions that were made up
consistently are found only by making runs again: below every table, with what its runs share, stands the command that draws three of them, by
a number of your own in the place of 7, and compares every answer.</p>
<p>This builds the page anew:</p>
${command('lethe leaderboard build')}
${files.length === 0 ? null : html`<details><summary>The entries behind this page (${files.length})</summary><ul>${links}</ul></details>`}
</section>`;
}

/** The first page: every comparison with its table, then how to read and how to check it. */
export function indexPage(groups: readonly Group[], files: readonly string[], reported: readonly ReportedTable[]): string {
  return pageOf({
    title: 'Lethe leaderboard',
    main: html`<h1>Lethe leaderboard</h1>
<p>Continual learning of language models: what methods learn from one task after another, and what they forget.</p>
${groups.length === 0 ? EMPTY : overview(groups, files)}
${PROTOCOL}${groups.length < 2 ? null : contents(groups)}
${groups.map((group, i) => sectionOf(group, i, reported))}
${otherReported(groups.map(({ suite }) => suite.id), reported)}
${definitions()}${howToCheck(files)}`,
  });
}
