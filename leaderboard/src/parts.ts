import { BUDGET_LEFT_OUT, MISSING, type TrainingBudget, marksOf, methodName, suiteLabel } from '@lethe/core';
import { type Interval, severalCodes, withinRange } from '@lethe/metrics';
import { METRICS, type MetricColumn } from './columns.js';
import { counted, optionValue, percent } from './format.js';
import type { Group, Row } from './groups.js';
import { type Content, Html, html } from './html.js';
import { facts, tag, wide } from './layout.js';

/** The name of a comparison in a line. */
export const titleOf = ({ suite, model }: Group): string => `${suiteLabel(suite)}, on ${model.id}`;

/** How much a comparison holds, in words. */
export function sizesOf({ tasks, rows }: Group): string {
  const cells = rows.flatMap((row) => row.cells);
  const orders = new Set(cells.map(({ order }) => order.id));
  const seeds = new Set(cells.map(({ seed }) => seed));
  return `${counted(tasks.length, 'task')}, ${counted(orders.size, 'order')}, ${counted(seeds.size, 'seed')}, `
    + `${counted(cells.length, 'run')} of ${counted(rows.length, 'method')}`;
}

/** The name of a method with what sets it apart, as text. */
export const nameOf = ({ method, changed }: Row): string => [methodName(method), ...changed].join(' ');

/** What rows are called among each other: the method alone, with what sets it apart, its version among that, where several are of one method. */
export function shortNames(rows: readonly Row[]): (row: Row) => string {
  return ({ method, changed }) => {
    const name = methodName(method);
    const same = rows.filter((row) => methodName(row.method) === name);
    if (same.length === 1) return name;
    const isVersion = same.some((row) => row.method.version !== method.version);
    return [name, ...(isVersion ? [method.version] : []), ...changed].join(' ');
  };
}

/** An interval as text; nothing where there are too few runs for one. */
export const boundsOf = ({ low, high }: Interval, show: (value: number) => string = percent): string | null =>
  (low === null || high === null ? null : `${show(low)} to ${show(high)}`);

/** Mean and interval of a metric; the mean alone where too few runs give none. */
export function meanOf(interval: Interval | null, { range }: MetricColumn): Content {
  if (interval === null) return MISSING;
  const bounds = boundsOf(withinRange(interval, range));
  return html`${percent(interval.mean)}${bounds === null ? null : html` <span class="pm">${bounds}</span>`}`;
}

/** What sets the terms of a method apart from those of the others. */
export const termsOf = ({ method: { capabilities } }: Row): Html[] => marksOf(capabilities).map(tag);

/** What a reader must know before the numbers of a row are believed. */
export const warningsOf = ({ note, cells }: Row): Html[] => [
  ...(severalCodes(cells.flatMap(({ outcomes }) => outcomes.map(({ run }) => run))).length > 0 ? [html` <span class="tag warn" title="Its code was changed between its runs, all of one version">code differs</span>`] : []),
  ...(cells.some(({ outcomes }) => outcomes.length > 1) ? [html` <span class="tag warn" title="Some of its runs were published with several outcomes, whose mean counts">outcomes differ</span>`] : []),
  ...(note ? [] : [html` <span class="tag warn" title="No plugin of this version was at hand to hold the results to what it declares">not checked</span>`]),
];

/** What a method declares of itself that a reader must know to compare it. */
export function tagsOf(row: Row): Html[] {
  const { tuning, method: { capabilities: { growth } } } = row;
  const more = [...(tuning ? ['tuned'] : []), ...(growth === 'none' ? [] : [`grows ${growth === 'linear' ? 'linearly' : 'sublinearly'}`])];
  return [...termsOf(row), ...more.map(tag), ...warningsOf(row)];
}

/** Epochs, with those of tasks that have others. */
function epochsOf({ epochs, epochsOf: own = {} }: TrainingBudget): string {
  const others = Object.entries(own).map(([task, count]) => `${task} ${count}`);
  return `${counted(epochs, 'epoch')}${others.length > 0 ? ` (${others.join(', ')})` : ''}`;
}

/** The training budget as text. */
export function budgetOf({ training }: Pick<Group, 'training'>): string {
  const t = { ...BUDGET_LEFT_OUT, ...training };
  return `${epochsOf(t)}, batch ${t.batch}, learning rate ${t.learningRate} (warm-up ${t.warmup}, then ${t.schedule}), `
    + `weight decay ${t.weightDecay}, clip ${t.clip}, rank ${t.rank}, alpha ${t.alpha}, ${t.dropout === 0 ? '' : `dropout ${t.dropout}, `}sites ${t.sites.join(' ')}, at most ${t.maxTokens} tokens`;
}

/** All options of a method, those that differ from the defaults marked. */
export function optionsOf({ method, note }: Row): Content {
  const options = Object.entries(method.options);
  if (options.length === 0) return 'none';
  return options.map(([name, value], i) => {
    const standard = note?.defaults[name];
    const same = note !== undefined && optionValue(standard) === optionValue(value);
    const mark = same || note === undefined ? null : html` <span class="tag warn">default ${optionValue(standard)}</span>`;
    return html`${i > 0 ? ', ' : null}<code>${name}=${optionValue(value)}</code>${mark}`;
  });
}

/** A paper's address as a link where it is one. Anything else stays text. */
export const paperOf = (paper: string | null): Content =>
  (paper !== null && /^https:\/\/[^\s]+$/.test(paper) ? html`<a href="${paper}">${paper.replace('https://', '')}</a>` : paper);

/** A commit, with what must be said of it. */
export const commitOf = (git: string | null): Content =>
  (git === null ? 'not known: the run was not made from a checkout'
    : html`<code>${git}</code>${git.endsWith('-dirty') ? html` <span class="tag warn">files differed from the commit</span>` : null}`);

/** The sha256 of the rows of each task and probe. */
export const dataTable = (data: Group['data']): Content =>
  (Object.keys(data).length === 0 ? 'not known'
    : facts(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)).map(([task, hash]) => [task, html`<code>${hash}</code>`] as const)));

/**
 * The metrics of a method or run in one row, each heading a link to its definition.
 *
 * @param cell what to write of a metric
 */
export function metricsTable(cell: (column: MetricColumn) => Content, caption: string): Html {
  const heads = METRICS.map(({ title, metric }) => html`<th scope="col"><a href="../index.html#metric-${metric}">${title}</a></th>`);
  return wide('Metrics', html`<table><caption><span>${caption}</span></caption><thead><tr>${heads}</tr></thead>
<tbody><tr>${METRICS.map((column) => html`<td>${cell(column)}</td>`)}</tr></tbody></table>`);
}
