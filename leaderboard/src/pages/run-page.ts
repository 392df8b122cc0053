import { type CompletedRun, MISSING, methodName, suiteLabel } from '@lethe/core';
import { proportionInterval, rowInterval, rowScores, rowsOf } from '@lethe/metrics';
import { COSTS, MORE_COSTS } from '../columns.js';
import { commandsOf, reproduceCommand } from '../command.js';
import { curves } from '../charts/curves.js';
import { counted, percent, slug, whole } from '../format.js';
import type { Group, Outcome, Row } from '../groups.js';
import { type Html, html } from '../html.js';
import { command, facts, pageOf, wide } from '../layout.js';
import { matrixTable } from '../matrix.js';
import { budgetOf, commitOf, dataTable, metricsTable, nameOf, optionsOf, titleOf } from '../parts.js';
import { reportSection } from '../report.js';

/** The file of a run's page, beside that of its method. */
export const runFile = ({ method }: Row, { id, run }: Outcome): string =>
  `${slug(method.id)}-order-${slug(run.order.id)}-seed-${run.seed}-${id}.html`;

/** What testing on these rows and not on others leaves open of a score: Wilson's interval of a proportion, or that of a mean of what was written. */
function overRows(run: CompletedRun, task: string, score: number): readonly [number, number] {
  const predictions = run.predictions[task]!;
  const { low, high } = 'scorer' in predictions ? rowInterval(rowScores(predictions, run.matrix.length - 1)!) : proportionInterval(score, rowsOf(predictions));
  return [low ?? score, high ?? score];
}

/** The scores at the end with what testing on these rows and not on others leaves open. */
function finalScores(run: CompletedRun): Html {
  const row = (id: string, name: string, score: number): Html => {
    const predictions = run.predictions[id]!;
    const rows = rowsOf(predictions);
    const [low, high] = overRows(run, id, score);
    return html`<tr><th scope="row" class="name">${name}</th><td>${rows}</td><td>${'scorer' in predictions ? MISSING : Math.round(score * rows)}</td>
<td>${percent(score)}</td><td>${percent(low)} to ${percent(high)}</td></tr>`;
  };
  const tasks = run.order.tasks.map((task, j) => row(task, task, run.matrix.at(-1)![j]!));
  const probes = Object.entries(run.general.final).map(([probe, score]) => row(probe, `${probe} (probe)`, score));
  const heads = ['Rows', 'Right', 'Score', '95 % interval'].map((title) => html`<th scope="col">${title}</th>`);
  return wide('Scores at the end', html`<table>
<caption><span>Scores at the end with the 95 % interval over test rows (Wilson's for right answers, a t interval for the scores of
written ones): how far off they can be because the test has only so many rows. This is another uncertainty than that over seeds and orders.</span></caption>
<thead><tr><th scope="col" class="name">Task</th>${heads}</tr></thead><tbody>${tasks}${probes}</tbody></table>`);
}

function costs({ cost }: CompletedRun): Html {
  return facts([...COSTS, ...MORE_COSTS].map(({ title, value, show }) => {
    const exact = value(cost);
    return [title, `${show(exact)}${exact >= 1000 && Number.isInteger(exact) ? ` (${whole(exact)})` : ''}`] as const;
  }));
}

const completedPart = (run: CompletedRun): Html => html`${metricsTable(({ metric }) => percent(run.metrics[metric]), 'Percent.')}
<h2>Scores</h2>${matrixTable(run.matrix, run.order.tasks, '')}${curves([run.matrix], run.order.tasks)}${finalScores(run)}
<h2>Cost</h2>${costs(run)}`;

function madeWith(row: Row, { run, entry, files }: Outcome): Html {
  const { device, threads, microBatch, lethe, node, processor = 'not known', git, dataSha256 } = run.environment;
  const again = reproduceCommand(run, entry.results.runs, files[0]!);
  return facts([
    ['This run alone', commandsOf([run], (id) => entry.methods[id]?.defaults).map(command)],
    ...(again === null ? [] : [['Again, and compared', command(again)] as const]),
    ['Its whole entry', entry.commands.map(command)],
    ['Commit', commitOf(git)],
    ['Options', optionsOf(row)],
    ['Training budget', budgetOf(run)],
    ['Suite', suiteLabel(run.suite)],
    ['Model', html`${run.model.id}, sha256 <code>${run.model.sha256}</code>`],
    ['sha256 of the rows', dataTable(dataSha256)],
    ['Environment', `Lethe ${lethe}, Node ${node}, device ${device}, ${counted(threads, 'thread')}${microBatch === undefined ? '' : `, micro-batches of ${counted(microBatch, 'row')}`}, processor ${processor}`],
    ['Entry', files.map((file) => html`<div><a href="../entries/${encodeURIComponent(file)}"><code>${file}</code></a></div>`)],
    ['sha256 of its results', html`<code>${entry.results.sha256}</code>`],
  ]);
}

/** The page of one run: its scores and all that they were made with. */
export function runPage(group: Group, row: Row, outcome: Outcome): string {
  const { run } = outcome;
  const report = run.status === 'completed' ? reportSection(run.report) : null;
  return pageOf({
    title: `${nameOf(row)}, order ${run.order.id}, seed ${run.seed} - Lethe leaderboard`,
    crumbs: [['Leaderboard', '../index.html'], [titleOf(group), 'index.html'], [nameOf(row), `${row.slug}.html`]],
    main: html`<h1>${methodName(run.method)} <span class="version">${run.method.version}</span>, order ${run.order.id}, seed ${run.seed}</h1>
<p class="muted small">${run.order.tasks.join(' → ')}</p>
${run.status === 'completed' ? completedPart(run)
    : html`<p class="alert"><strong>This run failed.</strong> ${run.error.code}: ${run.error.message}</p>`}
<h2>Made with</h2>${madeWith(row, outcome)}${report}`,
  });
}
