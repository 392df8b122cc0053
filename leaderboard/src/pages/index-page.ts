import { PROTOCOL, definitions } from '../definitions.js';
import { whole } from '../format.js';
import { firstOf, glance } from '../glance.js';
import type { Group } from '../groups.js';
import { type Html, html } from '../html.js';
import { command, pageOf } from '../layout.js';
import { shortNames, sizesOf, titleOf } from '../parts.js';
import type { ReportedTable } from '../reported.js';
import { otherReported } from '../reported-tables.js';

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

/** A comparison in three lines: what it is, how much it holds, and who is first, or that nobody is shown to be. */
function cardOf(group: Group): Html {
  const shortOf = shortNames(group.rows);
  const first = firstOf(group).map(shortOf);
  const who = first.length === 0 ? 'No method is shown to be ahead of another'
    : html`${first.length === 1 ? 'First' : 'Share the first place'}: <strong>${first.join(', ')}</strong>`;
  return html`<li><a href="${group.slug}/index.html">${titleOf(group)}</a>
<span class="muted small">${sizesOf(group)}</span>
${group.rows.some(({ ranks }) => ranks !== null) ? html`<span class="small">${who}</span>` : null}</li>`;
}

const contents = (groups: readonly Group[]): Html => html`<nav class="contents" aria-label="Comparisons"><ul>${groups.map(cardOf)}</ul>
<p class="muted small">A comparison has one suite of one version and size, its prompts and rows, one model and one training budget. Open it for all metrics,
costs, tests and plots.</p></nav>`;

function howToCheck(files: readonly string[]): Html {
  const links = files.map((file) => html`<li><a href="entries/${encodeURIComponent(file)}"><code>${file}</code></a></li>`);
  return html`<section aria-labelledby="check"><h2 id="check">Check it</h2>
<p>Open a method, then a run: it states the command that makes it again, the commit, the options, and the hashes of model and rows. The
same command on the same device gives the same results; their sha256 is in the entry.</p>
<p>When this page was built, every score was recomputed from the predictions in the entries, every metric from the scores, every interval
from the metrics and every command from the runs; an entry that does not add up stops the build. Predictions that were made up
consistently are found only by making runs again: on the page of every comparison, with what its runs share, stands the command that draws three of them, by
a number of your own in the place of 7, and compares every answer.</p>
<p>This builds the page anew:</p>
${command('lethe leaderboard build')}
${files.length === 0 ? null : html`<details><summary>The entries behind this page (${files.length})</summary><ul>${links}</ul></details>`}
</section>`;
}

/** The first page: all comparisons at a glance, then how to read and how to check them. */
export function indexPage(groups: readonly Group[], files: readonly string[], reported: readonly ReportedTable[]): string {
  return pageOf({
    title: 'Lethe leaderboard',
    main: html`<h1>Lethe leaderboard</h1>
<p>Continual learning of language models: what methods learn from one task after another, and what they forget.</p>
${groups.length === 0 ? EMPTY : html`${overview(groups, files)}${contents(groups)}${glance(groups)}`}
<section aria-labelledby="protocol"><h2 id="protocol">What is measured</h2>${PROTOCOL}</section>
${definitions()}${otherReported(groups.map(({ suite }) => suite.id), reported)}${howToCheck(files)}`,
  });
}
