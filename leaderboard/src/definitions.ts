import type { Metrics } from '@lethe/core';
import { METRICS as CATALOGUE } from '@lethe/metrics';
import { METRICS } from './columns.js';
import { Html, type Content, html } from './html.js';

/** What a metric is: a sentence, its formula as MathML, and who defined it. */
interface Definition {
  readonly says: string;
  readonly formula: Html;
  readonly source: Content;
}

// A notation for MathML: R with two indices, a mean over tasks, and words.
const math = (...parts: readonly string[]) => new Html(`<math display="block"><mrow>${parts.join('')}</mrow></math>`);
const i = (name: string) => `<mi>${name}</mi>`;
const o = (sign: string) => `<mo>${sign}</mo>`;
const n = (value: number) => `<mn>${value}</mn>`;
const r = (row: string, column: string) => `<msub>${i('R')}<mrow>${row}${o(',')}${column}</mrow></msub>`;
const less = (name: string) => `<mrow>${i(name)}${o('−')}${n(1)}</mrow>`;
const mean = (count: string, from: string, to: string, body: string) =>
  `<mfrac>${n(1)}${count}</mfrac><munderover>${o('∑')}<mrow>${from}</mrow>${to}</munderover>${body}`;
const from = (name: string, value: number) => `${i(name)}${o('=')}${n(value)}`;
const bracketed = (body: string) => `<mrow>${o('(')}${body}${o(')')}</mrow>`;
const T = i('T');
const J = i('j');

const cite = (names: string, id: string): Content => html`${names}, <a href="https://arxiv.org/abs/${id}">arXiv ${id}</a>`;

const DEFINITIONS: Readonly<Record<keyof Metrics, Definition>> = {
  averageAccuracy: {
    says: 'What the model knows at the end: the mean score over all tasks after the last one. Tables are ranked by it.',
    formula: math(mean(T, from('j', 1), T, r(T, J))),
    source: cite('ACC of Lopez-Paz and Ranzato 2017', '1706.08840'),
  },
  forgetting: {
    says: 'What was known once and is lost: how far each earlier task has fallen from its best score on the way.',
    formula: math(mean(less('T'), from('j', 1), less('T'), bracketed(
      `<munder><mi>max</mi><mrow>${n(1)}${o('≤')}${i('i')}${o('&lt;')}${T}</mrow></munder>${r(i('i'), J)}${o('−')}${r(T, J)}`))),
    source: cite('the forgetting measure of Chaudhry et al. 2018', '1801.10112'),
  },
  backwardTransfer: {
    says: 'How later training changed earlier tasks: the score at the end against that just after training. Below zero is forgetting.',
    formula: math(mean(less('T'), from('j', 1), less('T'), bracketed(`${r(T, J)}${o('−')}${r(J, J)}`))),
    source: cite('BWT of Lopez-Paz and Ranzato 2017', '1706.08840'),
  },
  forwardTransfer: {
    says: 'How earlier training helped tasks not yet trained: the score just before training against that of the base model.',
    formula: math(mean(less('T'), from('j', 2), T, bracketed(`${r(less('j'), J)}${o('−')}${r(n(0), J)}`))),
    source: html`${cite('FWT of Lopez-Paz and Ranzato 2017', '1706.08840')}, against the base model in place of random weights`,
  },
  learningAccuracy: {
    says: 'How well each task was learned when its turn came, before anything could be forgotten.',
    formula: math(mean(T, from('j', 1), T, r(J, J))),
    source: cite('LA of Riemer et al. 2019', '1810.11910'),
  },
  averageIncrementalAccuracy: {
    says: 'The mean, over all steps, of the mean score on the tasks trained so far.',
    formula: math(mean(T, from('i', 1), T, mean(i('i'), from('j', 1), i('i'), r(i('i'), J)))),
    source: cite('after Rebuffi et al. 2017, with tasks in place of classes', '1611.07725'),
  },
  generalDelta: {
    says: 'What the model could do before and does not unlearn: the mean score on probes that are never trained, at the end against the base model.',
    formula: math(mean(i('P'), from('p', 1), i('P'), bracketed(
      `<msub>${i('G')}<mrow>${T}${o(',')}${i('p')}</mrow></msub>${o('−')}<msub>${i('G')}<mrow>${n(0)}${o(',')}${i('p')}</mrow></msub>`))),
    source: cite('Wang et al. 2023 (TRACE)', '2310.06762'),
  },
};

/** What no page shows. */
const VARIANTS = CATALOGUE.filter(({ id }) => METRICS.every(({ metric }) => metric !== id));

const R = new Html(`<math><mrow>${r(i('i'), J)}</mrow></math>`);
const G = new Html(`<math><mrow><msub>${i('G')}<mrow>${i('i')}${o(',')}${i('p')}</mrow></msub></mrow></math>`);

/** The protocol in three sentences. */
export const PROTOCOL: Html = html`<p>The untouched base model answers every test row of every task, then a method trains on the tasks
one after another, each within the same budget. After each task it answers all test rows of all tasks, and of general probes that are never trained,
without being told which task a row belongs to. One order of the tasks with one seed is one run; tables give the mean over runs and
its 95 % interval over other seeds in other orders: the variances of the orders' means and of the seeds' means add up, as the runs of one order are not independent.</p>`;

/** Every metric with its formula and its source. */
export const definitions = (): Html => html`<section aria-labelledby="metrics"><h2 id="metrics">Metrics</h2>
<p>${R} is the fraction of test rows of task <i>j</i> that are answered rightly after training on task <i>i</i>, or the mean score of what was written; row 0 is the base model, <i>T</i> is the
number of tasks. ${G} is the same for probe <i>p</i> of <i>P</i>. Means are over tasks, never over rows. A metric that a method does not pass
the points of (joint training has no step for each task) is a dash: it is not defined, and it is not zero.</p>
<dl class="definitions">${METRICS.map(({ metric, title, better }) => {
    const { says, formula, source } = DEFINITIONS[metric];
    return html`<div><dt id="metric-${metric}">${title} <span class="muted small">${better > 0 ? 'higher is better' : 'lower is better'}</span></dt>
<dd>${formula}<p>${says}</p><p class="muted">${source}</p></dd></div>`;
  })}</dl>
<details><summary>Other numbers under the same names</summary><p>Code and papers print these under the names above. They are on no page here and
comparable with none of it; <code>lethe compare --metric</code> gives them.</p><ul>${VARIANTS.map(({ id, formula, source }) =>
    html`<li><code>${id}</code> = ${formula}: ${source}.</li>`)}</ul></details></section>`;
