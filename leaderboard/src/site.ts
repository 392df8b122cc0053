import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CompletedRun } from '@lethe/core';
import { SCRIPT, STYLE } from './assets.js';
import { curves, scatter } from './charts.js';
import { readEntries } from './entry.js';
import { escapeHtml, fixed, whole } from './html.js';
import { bestOf, type Group, groupsOf, type Row, type Source, summarise } from './summary.js';

type Column = readonly [title: string, value: (run: CompletedRun) => number | null, show: (value: number | null) => string];
const COLUMNS: readonly Column[] = [
  ['Average accuracy', (r) => r.metrics.averageAccuracy, fixed],
  ['Backward transfer', (r) => r.metrics.backwardTransfer, fixed],
  ['Forgetting', (r) => r.metrics.forgetting, fixed],
  ['Forward transfer', (r) => r.metrics.forwardTransfer, fixed],
  ['Learning accuracy', (r) => r.metrics.learningAccuracy, fixed],
  ['General delta', (r) => r.metrics.generalDelta, fixed],
  ['Trainable parameters', (r) => r.cost.trainableParameters, whole],
  ['Stored bytes', (r) => r.cost.storedBytes, whole],
  ['Train seconds', (r) => r.cost.trainSeconds, whole],
];

function rowHtml(row: Row, best: boolean): string {
  const cells = COLUMNS.map(([, value, show], i) => {
    const interval = summarise(row.completed.map(value));
    const half = i === 0 && interval && interval.high !== null ? ` <span class="pm">± ${fixed(interval.high - interval.mean)}</span>` : '';
    const mark = i === 0 && best ? ' class="best"' : '';
    return `<td${mark} data-value="${interval?.mean ?? ''}">${show(interval?.mean ?? null)}${half}${mark ? ' best' : ''}</td>`;
  });
  const failed = row.failed.length ? ` (${row.failed.length} failed)` : '';
  return `<tr><th scope="row" data-value="${escapeHtml(row.name)}">${escapeHtml(row.name)}</th>${cells.join('')}`
    + `<td data-value="${row.completed.length}">${row.completed.length}${failed}</td></tr>`;
}

/** The score matrix, with text dark on light and light on dark cells. */
function heatmap(run: CompletedRun): string {
  const cell = (score: number | null): string => {
    if (score === null) return '<td>–</td>';
    const lightness = Math.round(95 - 65 * score);
    return `<td style="background:hsl(205 60% ${lightness}%);color:${lightness > 55 ? '#111' : '#fff'}">${score.toFixed(2)}</td>`;
  };
  const head = run.order.tasks.map((task) => `<th scope="col">${escapeHtml(task)}</th>`).join('');
  const rows = run.matrix.map((row, i) =>
    `<tr><th scope="row">${i === 0 ? 'base model' : escapeHtml(`after ${run.order.tasks[i - 1]}`)}</th>${row.map(cell).join('')}</tr>`);
  return `<div class="wide" tabindex="0" role="region" aria-label="Score matrix"><table class="heat"><caption>Score matrix (rows: after training; columns: task tested)</caption>`
    + `<thead><tr><th scope="col">Trained</th>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function detailsOf(name: string, { entry, run }: Source): string {
  const env = run.environment;
  const made: readonly (readonly [string, unknown])[] = [
    ['Command', entry.command], ['Results sha256', entry.results.sha256], ['Model sha256', run.model.sha256],
    ['Seed', run.seed], ['Order', `${run.order.id}: ${run.order.tasks.join(', ')}`],
    ['Options', JSON.stringify(run.method.options)], ['Training budget', JSON.stringify(run.training)],
    ['Data sha256', Object.entries(env.dataSha256).map(([task, sha]) => `${task} ${sha}`).join('; ')],
    ['Environment', `Lethe ${env.lethe}, Node ${env.node}, ${env.device}, ${env.threads} threads`],
    ['Git commit', env.git ?? 'not known'],
  ];
  const body = run.status === 'completed'
    ? heatmap(run) + curves(run)
    : `<p><strong>Failed.</strong> ${escapeHtml(run.error.code)}: ${escapeHtml(run.error.message)}</p>`;
  const list = made.map(([term, value]) => `<dt>${term}</dt><dd>${escapeHtml(value)}</dd>`).join('');
  return `<details><summary>${escapeHtml(`${name}, order ${run.order.id}, seed ${run.seed}`)}${run.status === 'failed' ? ' (failed)' : ''}</summary>${body}<dl>${list}</dl></details>`;
}

function sectionOf(group: Group): string {
  const best = bestOf(group.rows);
  const body = (rows: readonly Row[], kind: string): string =>
    rows.length ? `<tbody class="${kind}">${rows.map((row) => rowHtml(row, row === best)).join('')}</tbody>` : '';
  const heads = ['Method', ...COLUMNS.map(([title]) => title), 'Runs'].map((t) => `<th scope="col"><button type="button">${t}</button></th>`);
  const title = escapeHtml(`${group.title}, ${group.model}`);
  return `<section><h2>${title}</h2><p class="soft">Model ${escapeHtml(group.modelSha256.slice(0, 12))}</p>`
    + `<div class="wide" tabindex="0" role="region" aria-label="${title}"><table><caption>Means over seeds and orders, ± half of the 95 % interval. Below the double line: bounds.</caption>`
    + `<thead><tr>${heads.join('')}</tr></thead>${body(group.rows.filter((r) => !r.bound), 'methods')}${body(group.rows.filter((r) => r.bound), 'bounds')}</table></div>`
    + `${scatter(group.rows)}<h3>Runs</h3>${group.rows.map((row) => row.sources.map((s) => detailsOf(row.name, s)).join('')).join('')}</section>`;
}

/**
 * Writes one self-contained `index.html` of all entries; it needs no network and its tables need no script.
 *
 * @returns the path of the page
 * @throws LETHE_RESULTS_INVALID where a file of the folder is not an entry
 */
export async function buildSite(entriesDir: string, outDir: string): Promise<string> {
  const sections = groupsOf(await readEntries(entriesDir)).map(sectionOf).join('');
  const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Lethe leaderboard</title><style>${STYLE}</style></head>`
    + `<body><header><h1>Lethe leaderboard</h1><p>Continual learning of language models: what methods learn, and what they forget. Suites, versions, sizes and models are never mixed in one table. A method is marked best only where its interval overlaps no other.</p></header>`
    + `<main>${sections || '<p>There are no entries yet. Publish a run with <code>lethe publish</code>.</p>'}</main><script>${SCRIPT}</script></body></html>\n`;
  await mkdir(outDir, { recursive: true });
  const path = join(outDir, 'index.html');
  const part = `${path}.${process.pid}.part`;
  await writeFile(part, page);
  await rename(part, path);
  return path;
}
