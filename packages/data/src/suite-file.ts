import type { FileKind, FileTask, Label, Size, SuiteDefinition, WrittenTask } from './definition.js';

/** A task as the schema lets it be. */
export interface TaskEntry {
  readonly id: string;
  readonly title: string;
  readonly epochs?: number;
  readonly generator?: true;
  readonly prompt?: string;
  readonly prompts?: NonNullable<FileTask['prompts']>;
  readonly inputs?: readonly string[];
  readonly output?: string;
  readonly ids?: NonNullable<FileTask['ids']>;
  readonly labels?: readonly string[] | Readonly<Record<string, string>>;
  readonly choices?: 'letters' | 'texts';
  readonly written?: Omit<WrittenTask, 'stop'> & Partial<Pick<WrittenTask, 'stop'>>;
  readonly longestChoice?: number;
  readonly shots?: NonNullable<FileTask['shots']>;
  readonly without?: NonNullable<FileTask['without']>;
  readonly folder?: string;
  readonly sha256?: NonNullable<FileTask['sha256']>;
  readonly source?: { readonly repo?: string; readonly revision?: string; readonly path?: string } & Readonly<Partial<Record<FileKind, string>>>;
}

/** A suite.yaml as the schema lets it be. */
export interface SuiteFile extends Omit<SuiteDefinition, 'orders' | 'sizes' | 'tasks'> {
  readonly prompt?: string;
  /** What tasks say of their rows unless they say otherwise. */
  readonly rows?: Pick<TaskEntry, 'inputs' | 'output' | 'ids'>;
  readonly source?: { readonly repo: string; readonly revision: string; readonly path?: string };
  readonly sizes?: Readonly<Record<string, Size>>;
  readonly orders?: Readonly<Record<string, readonly string[]>>;
  readonly tasks: readonly TaskEntry[];
}

/** Labels as pairs; a list says that output and answer are the same. */
export const labelsOf = (labels: NonNullable<TaskEntry['labels']>): Label[] =>
  (Array.isArray(labels) ? labels.map((output: string) => [output, output] as const) : Object.entries(labels as Record<string, string>))
    .map(([output, answer]) => ({ output, answer }));

/** A suite whose tasks say of their rows what it says of all. */
export const withRows = (suite: SuiteFile): SuiteFile =>
  ({ ...suite, tasks: suite.tasks.map((task) => (task.generator ? task : { ...suite.rows, ...task })) });
