import { type Sweep, type Trial, methodName, suiteLabel } from '@lethe/core';
import { carriedOver, trialMean } from '@lethe/metrics';
import { retryCommand } from './command.js';
import { counted, optionValue, percent } from './format.js';
import type { Row } from './groups.js';
import { type Html, html } from './html.js';
import { command, tag, wide } from './layout.js';

/** The options in which the settings differ, of one setting. */
function settingOf({ options }: Trial, all: readonly Trial[]): string {
  const differing = Object.keys(options).filter((name) => new Set(all.map((other) => optionValue(other.options[name]))).size > 1);
  return differing.map((name) => `${name}=${optionValue(options[name])}`).join(' ');
}

/** What a sweep was made on. */
const termsOf = ({ suite, model, orders, seeds }: Sweep): string =>
  `the validation rows of ${suiteLabel(suite)}, with ${model.id}, ${orders.length === 1 ? 'order' : 'orders'} ${orders.join(', ')}, ${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}`;

/** The settings of a method that were tried before its runs, or null where there are none. */
export function tuningSection({ tuning, cells }: Row): Html | null {
  if (!tuning) return null;
  const { sweep, tuned, file } = tuning;
  const { run } = cells[0]!.outcomes[0]!;
  const rows = tuned.trials.map((trial, i) => html`<tr><td class="name">${settingOf(trial, tuned.trials)}${i === tuned.chosen ? html` ${tag('chosen')}` : null}</td>
<td>${percent(trialMean(trial))}</td></tr>`);
  return html`<h2 id="tuning">Tuning</h2><p>${counted(tuned.trials.length, 'setting was', 'settings were')} tried, as many as of every method that was tuned (${sweep.methods.map(methodName).join(', ')}), on
${termsOf(sweep)}. No test row was read.${carriedOver(sweep, run) ? ' What was chosen there is carried over to the runs on this page: they are of another suite, model or budget, or have other prompts.' : ''}</p>
${wide('Tuning', html`<table><caption><span>Average accuracy on validation rows after the last task, percent. The first setting is the
defaults, but for options that were given in every trial.</span></caption><thead><tr><th scope="col" class="name">Setting</th><th scope="col">Accuracy</th></tr></thead><tbody>${rows}</tbody></table>`)}
<p>To make some of them again, drawn anew every time:</p>${command(retryCommand(tuned, file))}`;
}
