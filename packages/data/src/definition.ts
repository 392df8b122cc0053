import { existsSync, readFileSync } from 'node:fs';
import { type Document, LetheError, type Order, type Split, type TrainingBudget, didYouMean, readDocument, schemaFault } from '@lethe/core';
import { Ajv } from 'ajv';
import { templateFault } from './template.js';

/** Rows of each task, or all there are. */
export type Count = number | 'all';

/** The rows of one named size. `probe` is there where the suite has probes. */
export interface Size extends Readonly<Record<Split, Count>> {
  readonly probe?: Count;
}

/** A value of the field `output` of a row, and the answer that it stands for. */
export interface Label {
  readonly output: string;
  readonly answer: string;
}

/** A task whose rows are made by the suite's own code. */
export interface GeneratedTask {
  readonly rows: 'generated';
  readonly id: string;
  readonly title: string;
}

/** A task whose rows lie in `<data folder>/<folder>/{train,validation,test}.jsonl`. */
export interface FileTask {
  readonly rows: 'files';
  readonly id: string;
  readonly title: string;
  readonly folder: string;
  /** Template with `{input}` and perhaps `{options}`. */
  readonly prompt: string;
  readonly labels: readonly Label[];
  /** Expected hashes of the files; with them, no other file is read. */
  readonly sha256?: { readonly train: string; readonly validation?: string; readonly test: string };
}

export type TaskDefinition = GeneratedTask | FileTask;

/** A suite.yaml, checked and with its defaults filled in. Its JSON Schema is `schemas/suite.schema.json`. */
export interface SuiteDefinition {
  readonly id: string;
  readonly version: string;
  readonly kind: 'domain' | 'general';
  readonly title: string;
  readonly description: string;
  readonly licence: string;
  readonly supersededBy?: string;
  /** Seed of generated rows and of samples. */
  readonly seed: number;
  readonly training: TrainingBudget;
  readonly sizes: Readonly<Record<string, Size>>;
  readonly orders: readonly Order[];
  readonly tasks: readonly TaskDefinition[];
  readonly probes?: { readonly suite: string; readonly tasks?: readonly string[] };
}

/** A task as the schema lets it be. */
interface TaskEntry {
  readonly id: string;
  readonly title: string;
  readonly generator?: true;
  readonly prompt?: string;
  readonly labels?: readonly string[] | Readonly<Record<string, string>>;
  readonly folder?: string;
  readonly sha256?: NonNullable<FileTask['sha256']>;
}

/** A suite.yaml as the schema lets it be. */
interface SuiteFile extends Omit<SuiteDefinition, 'orders' | 'tasks'> {
  readonly prompt?: string;
  readonly orders: Readonly<Record<string, readonly string[]>>;
  readonly tasks: readonly TaskEntry[];
}

const validate = new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true }).compile<SuiteFile>(
  JSON.parse(readFileSync(new URL('../../schemas/suite.schema.json', import.meta.url), 'utf8')) as object);

/** A definition and where its parts stand. */
export interface LocatedDefinition {
  readonly file: string;
  readonly definition: SuiteDefinition;
  readonly locate: Document['locate'];
}

/** Refuses a suite for what stands at a JSON pointer of its file. */
type Refuse = (pointer: string, message: string, remedy: string) => never;

/**
 * Reads and checks a suite file: its shape, then that it does not contradict itself. Touches neither rows nor code.
 *
 * @param file path of a suite.yaml
 * @throws LetheError LETHE_SUITE_UNKNOWN where there is no such file, LETHE_SUITE_INVALID with file:line
 */
export function readSuiteFile(file: string): SuiteDefinition {
  return readDefinition(file).definition;
}

/** {@link readSuiteFile}, with where everything stands. */
export function readDefinition(file: string): LocatedDefinition {
  if (!existsSync(file)) {
    throw new LetheError('LETHE_SUITE_UNKNOWN', 'there is no suite file here', { where: file, remedy: 'give the path of a suite.yaml or of its folder' });
  }
  const { value, locate } = readDocument(file, 'YAML', 'LETHE_SUITE_INVALID');
  const refuse: Refuse = (pointer, message, remedy) => {
    throw new LetheError('LETHE_SUITE_INVALID', message, { where: locate(pointer), remedy });
  };
  if (!validate(value)) {
    const { pointer, message } = schemaFault(validate.errors!, 'the suite');
    refuse(pointer, message, 'see packages/data/schemas/suite.schema.json');
  }
  const { prompt, orders, tasks, ...rest } = value;
  checkTasks(value, refuse);
  checkOrders(value, refuse);
  checkSizes(value, refuse);
  return {
    file,
    locate,
    definition: {
      ...rest,
      orders: Object.entries(orders).map(([id, order]) => ({ id, tasks: order })),
      tasks: tasks.map((task) => taskDefinition(task, prompt)),
    },
  };
}

function taskDefinition({ id, title, labels, ...task }: TaskEntry, prompt: string | undefined): TaskDefinition {
  if (labels === undefined) return { rows: 'generated', id, title };
  return {
    rows: 'files', id, title,
    folder: task.folder ?? id,
    prompt: task.prompt ?? prompt!,
    labels: labelsOf(labels),
    ...(task.sha256 && { sha256: task.sha256 }),
  };
}

const labelsOf = (labels: NonNullable<TaskEntry['labels']>): Label[] =>
  (Array.isArray(labels) ? labels.map((output: string) => [output, output] as const) : Object.entries(labels as Record<string, string>))
    .map(([output, answer]) => ({ output, answer }));

function checkTasks({ id: suiteId, prompt, tasks }: SuiteFile, refuse: Refuse): void {
  const names = [suiteId, ...tasks.flatMap(({ id, folder }) => [id, ...(folder === undefined ? [] : [folder.split('/').pop()!])])];
  const checkPrompt = (pointer: string, template: string) => {
    const fault = templateFault(template, names);
    if (fault) refuse(pointer, fault.message, fault.remedy);
  };
  if (prompt !== undefined) checkPrompt('/prompt', prompt);
  const ids = tasks.map(({ id }) => id);
  for (const [i, task] of tasks.entries()) {
    const at = `/tasks/${i}`;
    if (ids.indexOf(task.id) !== i) refuse(`${at}/id`, `two tasks are called "${task.id}"`, 'rename one of them');
    if ((task.generator === undefined) === (task.labels === undefined)) {
      refuse(at, `task "${task.id}" says ${task.labels ? 'twice' : 'nowhere'} where its rows come from`, 'give it either "generator: true" or "labels"');
    }
    if (task.generator) {
      const stray = (['prompt', 'folder', 'sha256'] as const).find((field) => task[field] !== undefined);
      if (stray) refuse(`${at}/${stray}`, `the rows of task "${task.id}" are generated: they have no ${stray}`, `take "${stray}" away`);
      continue;
    }
    if (task.prompt !== undefined) checkPrompt(`${at}/prompt`, task.prompt);
    else if (prompt === undefined) refuse(at, `task "${task.id}" has no prompt`, 'give a prompt to the suite or to the task');
    const answers = labelsOf(task.labels!).map(({ answer }) => answer);
    const twice = answers.find((answer, n) => answers.indexOf(answer) !== n);
    if (twice !== undefined) refuse(`${at}/labels`, `two labels of task "${task.id}" have the answer "${twice}"`, 'give each label an answer of its own');
    const blank = answers.find((answer) => answer.trim() !== answer);
    if (blank !== undefined) refuse(`${at}/labels`, `the answer "${blank}" begins or ends with white space`, 'take it away: one space between prompt and answer is put there');
  }
  if (prompt !== undefined && tasks.every((task) => task.generator || task.prompt !== undefined)) {
    refuse('/prompt', 'no task uses this prompt', 'take it away: generated rows bring their own, as do tasks with a prompt');
  }
}

function checkOrders({ orders, tasks }: SuiteFile, refuse: Refuse): void {
  const known = tasks.map(({ id }) => id);
  for (const [name, order] of Object.entries(orders)) {
    for (const [i, id] of order.entries()) {
      const at = `/orders/${name}/${i}`;
      if (!known.includes(id)) refuse(at, `order "${name}" names a task "${id}" that there is not.${didYouMean(id, known)}`, `the tasks are: ${known.join(', ')}`);
      if (order.indexOf(id) !== i) refuse(at, `order "${name}" names task "${id}" twice`, 'a task is trained once');
    }
  }
}

function checkSizes({ sizes, tasks, probes }: SuiteFile, refuse: Refuse): void {
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
