import type { CompletedRun } from '@lethe/core';
import { proportionInterval } from '@lethe/metrics';
import { COSTS, METRICS, MORE_COSTS } from '../columns.js';
import { commandsOf } from '../command.js';
import { curves } from '../curves.js';
import { percent, slug, whole } from '../format.js';
import type { Group, Outcome, Row } from '../groups.js';
import { type Html, html } from '../html.js';
import { command, facts, pageOf, wide } from '../layout.js';
import { matrixTable } from '../matrix.js';
import { budgetOf, commitOf, dataTable, nameOf, optionsOf, titleOf } from '../parts.js';

/** The file of a run's page, beside that of its method. */
export const runFile = ({ method }: Row, { id, run }: Outcome): string => `${slug(method.id)}-order-${slug(run.order.id)}-seed-${run.seed}-${id}.html`;

/** The scores at the end with what testing on these rows and not on others leaves open. */
function finalScores(run: CompletedRun): Html {
  const last = run.matrix.at(-1)!;
  const names = [...run.order.tasks.map((task, j) => [task, last[j]!] as const), ...Object.entries(run.general.final).map(([probe, score]) => [`${probe} (probe)`, score, probe] as const)];
  return wide('Scores at the end', html`<table><caption><span>Scores at the end with the 95 % score interval over test rows (Wilson): how far off they can be because the test has only so many rows.
This is another uncertainty than that over seeds and orders.</span></caption>
<thead><tr><th scope="col" class="name">Task</th><th scope="col">Rows</th><th scope="col">Right</th><th scope="col">Score</th><th scope="col">95 % interval</th></tr></thead>
<tbody>${names.map(([name, score, probe]) => {
    const rows = run.predictions[probe ?? name]!.answers.length;
    const { low, high } = proportionInterval(score!, rows);
    return html`<tr><th scope="row" class="name">${name}</th><td>${rows}</td><td>${Math.round(score! * rows)}</td><td>${percent(score)}</td><td>${percent(low)} to ${percent(high)}</td></tr>`;
  })}</tbody></table>`);
}

const completedPart = (run: CompletedRun): Html => html`${wide('Metrics', html`<table><caption><span>Percent.</span></caption><thead><tr>${METRICS.map(({ title, metric }) =>
  html`<th scope="col"><a href="../index.html#metric-${metric}">${title}</a></th>`)}</tr></thead><tbody><tr>${METRICS.map(({ metric }) => html`<td>${percent(run.metrics[metric])}</td>`)}</tr></tbody></table>`)}
<h2>Scores</h2>${matrixTable(run.matrix, run.order.tasks, '')}${curves([run.matrix], run.order.tasks)}${finalScores(run)}
<h2>Cost</h2>${facts([...COSTS, ...MORE_COSTS].map(({ title, value, show }) => {
  const exact = value(run.cost);
  return [title, `${show(exact)}${exact >= 1000 && Number.isInteger(exact) ? ` (${whole(exact)})` : ''}`] as const;
}))}`;

/** The page of one run: its scores and all that they were made with. */
export function runPage(group: Group, row: Row, outcome: Outcome): string {
  const { run, entry, files } = outcome;
  const { environment } = run;
  const defaultsOf = (id: string) => entry.methods[id]?.defaults;
  return pageOf({
    title: `${nameOf(row)}, order ${run.order.id}, seed ${run.seed} - Lethe leaderboard`,
    crumbs: [['Leaderboard', '../index.html'], [titleOf(group), `../index.html#${group.slug}`], [nameOf(row), `${row.slug}.html`]],
    main: html`<h1>${run.method.id} <span class="version">${run.method.version}</span>, order ${run.order.id}, seed ${run.seed}</h1>
<p class="muted small">${run.order.tasks.join(' → ')}</p>
${run.status === 'completed' ? completedPart(run) : html`<p class="alert"><strong>This run failed.</strong> ${run.error.code}: ${run.error.message}</p>`}
<h2>Made with</h2>${facts([
      ['This run alone', commandsOf([run], defaultsOf).map(command)],
      ['Its whole entry', entry.commands.map(command)],
      ['Commit', commitOf(environment.git)],
      ['Options', optionsOf(row)],
      ['Training budget', budgetOf(run)],
      ['Suite', `${run.suite.id} ${run.suite.version}, size ${run.suite.size}`],
      ['Model', html`${run.model.id}, sha256 <code>${run.model.sha256}</code>`],
      ['sha256 of the rows', dataTable(environment.dataSha256)],
      ['Environment', `Lethe ${environment.lethe}, Node ${environment.node}, device ${environment.device}, ${environment.threads} thread${environment.threads === 1 ? '' : 's'}`],
      ['Entry', files.map((file) => html`<div><a href="../entries/${encodeURIComponent(file)}"><code>${file}</code></a></div>`)],
      ['sha256 of its results', html`<code>${entry.results.sha256}</code>`],
    ])}
${run.status === 'completed' && run.report !== undefined ? html`<details><summary>What the method reports</summary><pre><code>${JSON.stringify(run.report, null, 1)}</code></pre></details>` : null}`,
  });
}
