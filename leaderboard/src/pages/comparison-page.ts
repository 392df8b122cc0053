import { type Environment, departuresOf, suiteLabel } from '@lethe/core';
import { boardTable } from '../board.js';
import { type ScatterPoint, scatter } from '../charts/scatter.js';
import { type StreamLine, stream } from '../charts/stream.js';
import { drawCommand } from '../command.js';
import { differences, shown } from '../differences.js';
import { short } from '../format.js';
import type { Group, Row } from '../groups.js';
import { type Html, html } from '../html.js';
import { command, facts, pageOf, tag } from '../layout.js';
import { budgetOf, dataTable, shortNames, sizesOf, titleOf } from '../parts.js';
import type { ReportedTable } from '../reported.js';
import { reportedOf } from '../reported-tables.js';

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
const departures = ({ suite }: Group): Html[] => departuresOf(suite).map((what) => html` ${tag(what)}`);

/** The page of one comparison: its table, plots and tests, and what its runs share. */
export function comparisonPage(group: Group, reported: readonly ReportedTable[]): string {
  const shortOf = shortNames(group.rows);
  return pageOf({
    title: `${titleOf(group)} - Lethe leaderboard`,
    crumbs: [['Leaderboard', '../index.html']],
    main: html`<section aria-labelledby="comparison">
<h1 id="comparison">${group.suite.id} <span class="version">${group.suite.version}</span> on ${group.model.id}${departures(group)}</h1>
<p class="muted small">Size ${group.suite.size}; ${sizesOf(group)}. Training: ${budgetOf(group)}.</p>
${shown(group)}${boardTable(group)}<p class="hidden" role="status"></p>
${scatter(pointsOf(group, shortOf), 'chart')}${stream(linesOf(group, shortOf), 'stream')}${differences(group)}${reportedOf(group.suite.id, reported)}${terms(group)}</section>`,
  });
}
