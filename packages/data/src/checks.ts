import { didYouMean } from '@lethe/core';
import { findScorer, textScorers } from '@lethe/scorers';
import { type SuiteFile, type TaskEntry, labelsOf } from './suite-file.js';
import { fieldsFault, withPrompt, wordsFault } from './template.js';

/** Refuses a suite for what stands at a JSON pointer of its file. */
export type Refuse = (pointer: string, message: string, remedy: string) => never;

/** Fields that say how rows are read: generated rows have none of them. */
const OF_FILES = ['prompt', 'prompts', 'without', 'folder', 'sha256', 'inputs', 'output', 'ids', 'longestChoice', 'shots', 'source'] as const;

/** Refuses a suite that matches its schema and contradicts itself. */
export function checkSuite(suite: SuiteFile, refuse: Refuse): void {
  checkTasks(suite, refuse);
  checkOrders(suite, refuse);
  checkSizes(suite, refuse);
  if (suite.probes && suite.orders === undefined) {
    refuse('/probes', 'a suite without orders holds probes and has none', 'take "probes" away, or add orders, sizes and training');
  }
}

function checkTasks({ id: suiteId, prompt, prompts = {}, source, orders, tasks }: SuiteFile, refuse: Refuse): void {
  const names = [suiteId, ...tasks.flatMap(({ id, folder }) => [id, ...(folder === undefined ? [] : [folder.split('/').pop()!])])];
  const ids = tasks.map(({ id }) => id);
  // a common prompt that fits the rows of another task is not what is wrong
  const fits = tasks.some((task) => prompt !== undefined && task.prompt === undefined && !task.generator && !fieldsFault(prompt, task));
  for (const [i, task] of tasks.entries()) {
    const at = `/tasks/${i}`;
    if (ids.indexOf(task.id) !== i) refuse(`${at}/id`, `two tasks are called "${task.id}"`, 'rename one of them');
    // what is written may be generated as well
    const origins = [task.labels, task.choices, task.generator ?? task.written].filter((origin) => origin !== undefined).length;
    if (origins !== 1) {
      refuse(at, `task "${task.id}" says ${origins > 1 ? 'twice' : 'nowhere'} where its rows come from`, 'give it either "labels", "choices", "written" or "generator: true"');
    }
    if (task.written) checkWritten(task, `${at}/written`, refuse);
    if (task.generator) {
      const stray = OF_FILES.find((field) => task[field] !== undefined);
      if (stray) refuse(`${at}/${stray}`, `the rows of task "${task.id}" are generated: they have no ${stray}`, `take "${stray}" away`);
      continue;
    }
    const own = task.prompt ?? prompt;
    const place = task.prompt === undefined ? '/prompt' : `${at}/prompt`;
    if (own === undefined) return refuse(at, `task "${task.id}" has no prompt`, 'give a prompt to the suite or to the task');
    const odds = fieldsFault(own, task);
    if (odds) refuse(task.prompt === undefined && fits ? at : place, odds.message, odds.remedy);
    const fault = wordsFault(own, names);
    if (fault) refuse(place, fault.message, fault.remedy);
    checkPrompts(task, own, prompts, at, refuse);
    checkAnswers(task, at, refuse);
    if (task.written && own.includes('{options}')) {
      refuse(place, `task "${task.id}" is answered by writing: it has no {options}`, 'give it a prompt without {options}');
    }
    checkFiles(task, at, { source, trained: orders !== undefined }, refuse);
  }
  const unused = Object.keys(prompts).find((name) => tasks.every((task) => task.prompts?.[name] === undefined));
  if (unused !== undefined) refuse(`/prompts/${unused}`, `no task has prompts called "${unused}"`, 'give them to the tasks, or take them away here');
  if (prompt !== undefined && tasks.every((task) => task.generator || task.prompt !== undefined)) {
    refuse('/prompt', 'no task uses this prompt', 'take it away: generated rows bring their own, as do tasks with a prompt');
  }
}

function checkAnswers({ id, labels, choices, output, longestChoice }: TaskEntry, at: string, refuse: Refuse): void {
  if (choices && output !== undefined) {
    refuse(`${at}/output`, `task "${id}" has choices: their fields are called choices and answer`, 'take "output" away');
  }
  if (!choices && longestChoice !== undefined) {
    refuse(`${at}/longestChoice`, `the rows of task "${id}" bring no choices`, 'take "longestChoice" away');
  }
  const answers = labelsOf(labels ?? []).map(({ answer }) => answer);
  const twice = answers.find((answer, n) => answers.indexOf(answer) !== n);
  if (twice !== undefined) refuse(`${at}/labels`, `two labels of task "${id}" have the answer "${twice}"`, 'give each label an answer of its own');
  const blank = answers.find((answer) => answer.trim() !== answer);
  if (blank !== undefined) refuse(`${at}/labels`, `the answer "${blank}" begins or ends with white space`, 'take it away: one space between prompt and answer is put there');
}

/** Other prompts of a task may say what its own may not: they are asked for by name, and the results say so. */
function checkPrompts(task: TaskEntry, own: string, described: NonNullable<SuiteFile['prompts']>, at: string, refuse: Refuse): void {
  for (const [name, template] of Object.entries(task.prompts ?? {})) {
    if (!Object.hasOwn(described, name)) {
      refuse(`${at}/prompts/${name}`, `the suite does not say what the prompts "${name}" are.${didYouMean(name, Object.keys(described))}`,
        'describe them in the prompts of the suite');
    }
    const whole = withPrompt(template, own);
    const fault = fieldsFault(whole, task) ?? wordsFault(whole, []);
    if (fault) refuse(`${at}/prompts/${name}`, fault.message, fault.remedy);
  }
}

function checkWritten({ id: task, written, generator }: TaskEntry, at: string, refuse: Refuse): void {
  const { scorer: id, source } = written!;
  const scorer = findScorer(id);
  const known = textScorers();
  if (scorer?.needs !== 'text') return refuse(`${at}/scorer`, `there is no scorer of text called "${id}".${didYouMean(id, known)}`, `choose one of: ${known.join(', ')}; where a plugin brings it, name the folder of that plugin with --plugins`);
  if (generator && source !== undefined) refuse(`${at}/source`, `the rows of task "${task}" are generated: they bring their source`, 'take "source" away');
  if (scorer.needsSource && source === undefined && !generator) {
    refuse(at, `the scorer ${id} of task "${task}" compares with the text that was rewritten`, 'name its field in the rows: source: FIELD');
  }
  if (!scorer.needsSource && source !== undefined) refuse(`${at}/source`, `the scorer ${id} of task "${task}" takes no source`, 'take "source" away');
}

function checkFiles(
  { id, sha256, shots, source }: TaskEntry, at: string, suite: { source: SuiteFile['source']; trained: boolean }, refuse: Refuse,
): void {
  if (sha256 && suite.trained && sha256.train === undefined) refuse(`${at}/sha256`, `the training rows of task "${id}" have no hash`, 'add "train"');
  if (sha256 && shots && sha256.fewshot === undefined) refuse(`${at}/sha256`, `the few-shot rows of task "${id}" have no hash`, 'add "fewshot"');
  const from = { ...suite.source, ...source };
  if (source && !(from.repo && from.revision)) {
    refuse(`${at}/source`, `the source of task "${id}" lacks its repository or revision`, 'give repo and revision to it, or to the suite');
  }
  if ((source ?? suite.source) && !sha256) {
    refuse(at, `the files of task "${id}" have a source and no sha256`, 'add their hashes: what is downloaded is checked against them');
  }
}

function checkOrders({ orders = {}, tasks }: SuiteFile, refuse: Refuse): void {
  const known = tasks.map(({ id }) => id);
  for (const [name, order] of Object.entries(orders)) {
    for (const [i, id] of order.entries()) {
      const at = `/orders/${name}/${i}`;
      if (!known.includes(id)) refuse(at, `order "${name}" names a task "${id}" that there is not.${didYouMean(id, known)}`, `the tasks are: ${known.join(', ')}`);
      if (order.indexOf(id) !== i) refuse(at, `order "${name}" names task "${id}" twice`, 'a task is trained once');
    }
  }
}

function checkSizes({ sizes = {}, tasks, probes }: SuiteFile, refuse: Refuse): void {
  const generated = tasks.find(({ generator }) => generator);
  for (const [name, size] of Object.entries(sizes)) {
    const at = `/sizes/${name}`;
    for (const split of ['train', 'test'] as const) {
      if (size[split] === 0) refuse(`${at}/${split}`, `size "${name}" has no ${split} rows`, 'every task is trained and tested: give at least 1');
    }
    const all = (['train', 'validation', 'test'] as const).find((split) => size[split] === 'all');
    if (generated && all) refuse(`${at}/${all}`, `there is no end to generated rows, such as those of task "${generated.id}"`, 'give a number');
    if (probes && !size.probe) refuse(at, `size "${name}" does not say how many rows of a probe are scored`, 'add "probe" with at least 1');
    if (!probes && size.probe !== undefined) refuse(`${at}/probe`, `size "${name}" counts rows of probes, but the suite has none`, 'take "probe" away, or add probes');
  }
}
