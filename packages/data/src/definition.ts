import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type BudgetChange, type Document, LetheError, type Order, type Split, type TrainingBudget, type WrittenAnswers, readDocument, schemaFault } from '@lethe/core';
import { Ajv } from 'ajv';
import { type Refuse, checkSuite } from './checks.js';
import { type SuiteFile, type TaskEntry, labelsOf, withRows } from './suite-file.js';
import { withPrompt } from './template.js';

/** Rows of each task, or all there are. */
export type Count = number | 'all';

/** The rows of one named size. `probe` is there where the suite has probes. */
export interface Size extends Readonly<Record<Split, Count>> {
  readonly probe?: Count;
  /** What differs from the budget of the suite, such as for small models; its epochs are those of every task. */
  readonly training?: BudgetChange;
  /** The most tokens of a written answer, where a task allows more. */
  readonly answerTokens?: number;
}

/** A value of the label field of a row, and the answer that it stands for. */
export interface Label {
  readonly output: string;
  readonly answer: string;
}

/** What every task may say. */
interface AnyTask {
  readonly id: string;
  readonly title: string;
  /** Where it has other epochs than the budget. */
  readonly epochs?: number;
}

/** A task whose rows are made by the suite's own code. */
export interface GeneratedTask extends AnyTask {
  readonly rows: 'generated';
  /** Where the model writes its answers. */
  readonly written?: WrittenAnswers;
}

/** What a task keeps in a file: the rows of a split, or answered rows for prompts. */
export type FileKind = Split | 'fewshot';

/** A file of the hub or of GitHub for each of the files of a task. */
export interface TaskSource {
  readonly repo: string;
  readonly revision: string;
  /** Paths inside of the repository, of those files that have a hash. */
  readonly paths: Readonly<Partial<Record<FileKind, string>>>;
}

/** How a task is answered by writing, and the field of a row that an answer rewrites. */
export interface WrittenTask extends WrittenAnswers {
  readonly source?: string;
}

/** A task whose rows lie in `<data folder>/<folder>/{train,validation,test}.{jsonl,csv,parquet}`. */
export interface FileTask extends AnyTask {
  readonly rows: 'files';
  readonly folder: string;
  /** Template with a `{field}` for each of `inputs` and perhaps `{options}`. */
  readonly prompt: string;
  /** Templates to take instead, by the name of the suite's other prompts. */
  readonly prompts?: Readonly<Record<string, string>>;
  /** Fields of a row that the prompt takes in. */
  readonly inputs: readonly string[];
  /** Field of a row that holds its label, or its right answers. */
  readonly output: string;
  /** Whether ids are made of the rows' inputs or of their places, for rows that bring none. */
  readonly ids?: 'content' | 'place';
  /** What is answered; empty where rows bring their own choices or answers. */
  readonly labels: readonly Label[];
  /** How the choices that rows bring are answered: by their letters or their texts. */
  readonly choices?: 'letters' | 'texts';
  /** Where the model writes its answers; rows then bring right ones. */
  readonly written?: WrittenTask;
  /** Rows with a longer choice, in characters, are left out. */
  readonly longestChoice?: number;
  /** Answered rows before every row: how many, of which group, and the field of their answer where that is another one. */
  readonly shots?: { readonly count: number; readonly by?: string; readonly answer?: string };
  /** Ids of rows that are known to be unusable, and left out. */
  readonly without?: readonly string[];
  /** Expected hashes of the files; with them, no other file is read. */
  readonly sha256?: Readonly<Partial<Record<FileKind, string>>>;
  readonly source?: TaskSource;
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
  /** Prompts that may be asked for instead, by name, and what they do. */
  readonly prompts?: Readonly<Record<string, string>>;
  /** Absent in a suite of probes, which has neither sizes nor orders either. */
  readonly training?: TrainingBudget;
  readonly sizes: Readonly<Record<string, Size>>;
  readonly orders: readonly Order[];
  readonly tasks: readonly TaskDefinition[];
  readonly probes?: { readonly suite: string; readonly tasks?: readonly string[]; readonly optional?: true };
}

/** Path of the JSON Schema of suite files, for editors. */
export const suiteSchema = fileURLToPath(new URL('../../schemas/suite.schema.json', import.meta.url));

const validate = new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true, keywords: ['patternErrorMessage'] }).compile<SuiteFile>(
  JSON.parse(readFileSync(suiteSchema, 'utf8')) as object);

/** A definition and where its parts stand. */
export interface LocatedDefinition {
  readonly file: string;
  readonly definition: SuiteDefinition;
  readonly locate: Document['locate'];
}

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
    const { pointer, message, remedy = 'see packages/data/schemas/suite.schema.json' } = schemaFault(validate.errors!, 'the suite');
    refuse(pointer, message, remedy);
  }
  const suite = withRows(value);
  checkSuite(suite, refuse);
  const { prompt: _prompt, rows: _rows, source: _source, orders, sizes, tasks, ...rest } = suite;
  return {
    file,
    locate,
    definition: {
      ...rest,
      sizes: sizes ?? {},
      orders: Object.entries(orders ?? {}).map(([id, order]) => ({ id, tasks: order })),
      tasks: tasks.map((task) => taskDefinition(task, suite)),
    },
  };
}

function taskDefinition(entry: TaskEntry, suite: SuiteFile): TaskDefinition {
  const {
    id, title, epochs, generator, labels, inputs = ['input'], output = 'output', folder = id, prompt = suite.prompt!, prompts, source, written, ...rest
  } = entry;
  const writing = written && { written: { stop: ['\n'], ...written } };
  if (generator) return { rows: 'generated', id, title, ...(epochs !== undefined && { epochs }), ...writing };
  const from = { ...suite.source, ...source };
  return {
    rows: 'files', id, title, folder, prompt, inputs, output, labels: labels ? labelsOf(labels) : [], ...rest,
    ...(epochs !== undefined && { epochs }), ...writing,
    ...(prompts && { prompts: Object.fromEntries(Object.entries(prompts).map(([name, other]) => [name, withPrompt(other, prompt)])) }),
    ...(from.repo && from.revision && { source: { repo: from.repo, revision: from.revision, paths: pathsOf(entry, folder, from.path) } }),
  };
}

/** Where the files of a task can be had. */
function pathsOf({ sha256 = {}, source }: TaskEntry, folder: string, pattern = '{folder}/{split}.jsonl'): TaskSource['paths'] {
  const path = (kind: FileKind) => pattern.replaceAll('{folder}', () => folder).replaceAll('{split}', kind);
  return Object.fromEntries((Object.keys(sha256) as FileKind[]).map((kind) => [kind, source?.[kind] ?? path(kind)]));
}
