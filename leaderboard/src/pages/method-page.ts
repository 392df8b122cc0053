import { methodName } from '@lethe/core';
import { alikeSeeds } from '@lethe/metrics';
import { METRICS } from '../columns.js';
import { curves } from '../charts/curves.js';
import { alikeWords, counted, percent, seconds } from '../format.js';
import type { Cell, Group, Outcome, Row } from '../groups.js';
import { type Html, html } from '../html.js';
import { facts, pageOf, wide } from '../layout.js';
import { matrixTable, meanMatrix } from '../matrix.js';
import { budgetOf, meanOf, metricsTable, nameOf, optionsOf, paperOf, tagsOf, titleOf } from '../parts.js';
import { tuningSection } from '../tuning.js';
import { runFile } from './run-page.js';

/** The mean matrix and the curves of the runs of one order. */
function orderSection(cells: readonly Cell[]): Html | null {
  const runs = cells.flatMap(({ completed }) => completed);
  if (runs.length === 0) return null;
  const { id, tasks } = runs[0]!.order;
  const matrices = runs.map(({ matrix }) => matrix);
  const caption = runs.length > 1 ? `Mean over ${runs.length} runs.` : 'One run.';
  return html`<section aria-labelledby="order-${id}"><h2 id="order-${id}">Order ${id}</h2><p class="muted small">${tasks.join(' → ')}</p>
${matrixTable(meanMatrix(matrices), tasks, caption)}${curves(matrices, tasks)}</section>`;
}

function runRow(row: Row, { order, seed }: Cell, outcome: Outcome): Html {
  const { run } = outcome;
  const name = html`<td class="name"><a href="${runFile(row, outcome)}">order ${order.id}, seed ${seed}</a></td>`;
  if (run.status === 'failed') {
    const columns = METRICS.length + 1;
    return html`<tr>${name}<td class="name" colspan="${columns}"><span class="tag warn">failed</span> ${run.error.code}</td></tr>`;
  }
  const scores = METRICS.map(({ metric }) => html`<td>${percent(run.metrics[metric])}</td>`);
  return html`<tr>${name}${scores}<td>${seconds(run.cost.trainSeconds)}</td></tr>`;
}

function runsTable(row: Row): Html {
  const heads = METRICS.map(({ short }) => html`<th scope="col">${short}</th>`);
  return wide('Runs', html`<table>
<caption><span>Every run that was published, percent. A run opens to its matrix, its cost and what it was made with.</span></caption>
<thead><tr><th scope="col" class="name">Run</th>${heads}<th scope="col">Training time</th></tr></thead>
<tbody>${row.cells.map((cell) => cell.outcomes.map((outcome) => runRow(row, cell, outcome)))}</tbody></table>`);
}

/** Says which runs are there with several outcomes, each of which counts in part: nobody is to dilute the numbers of others unseen. */
function repeatedRuns(cells: readonly Cell[]): Html | null {
  const repeated = cells.filter(({ outcomes }) => outcomes.length > 1);
  if (repeated.length === 0) return null;
  const names = repeated.map(({ order, seed, outcomes }) => `order ${order.id}, seed ${seed} (${outcomes.map(({ files }) => files.join(' and ')).join('; ')})`);
  return html`<p class="alert">${counted(repeated.length, 'run')} of ${cells.length} ${repeated.length === 1 ? 'is' : 'are'} there with several outcomes, whose mean counts:
${names.join('; ')}. Processors round differently; lethe reproduce tells what comes of them here.</p>`;
}

/** The page of one method within a comparison: its mean matrices and all of its runs. */
export function methodPage(group: Group, row: Row): string {
  const { method, note, cells, intervals, failed } = row;
  const orders = [...new Set(cells.map(({ order }) => JSON.stringify(order)))];
  const done = cells.length - failed;
  return pageOf({
    title: `${nameOf(row)}, ${titleOf(group)} - Lethe leaderboard`,
    crumbs: [['Leaderboard', '../index.html'], [titleOf(group), 'index.html']],
    main: html`<h1>${methodName(method)} <span class="version">${method.version}</span></h1><span class="tags">${tagsOf(row)}</span>
${note === undefined ? null : html`<p>${note.description}</p>`}
${failed === 0 ? null : html`<p class="alert">${counted(failed, 'run')} of ${cells.length} failed. There are no means over the others: what
failed could have changed them.</p>`}
${repeatedRuns(cells)}${alikeSeeds(row.completed).map((alike) => html`<p class="alert">Of its runs, ${alikeWords(alike)}.</p>`)}
${facts([
      ['Options', optionsOf(row)],
      ['Paper', note === undefined ? null : paperOf(note.paper)],
      ['Training budget', budgetOf(group)],
      ['Runs', `${done} of ${cells.length} completed`],
    ])}
${metricsTable((column) => meanOf(intervals[column.metric], column),
    `Percent: mean over runs with the 95 % interval over seeds and orders${done < 3 ? ', for which it takes three runs' : ''}.`)}
${orders.map((order) => orderSection(cells.filter((cell) => JSON.stringify(cell.order) === order)))}
${tuningSection(row)}
<h2 id="runs">Runs</h2>${runsTable(row)}`,
  });
}
