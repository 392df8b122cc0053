import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { LetheError } from '@lethe/core';
import { cacheFolder } from '@lethe/hub';
import type { FileKind, FileTask } from './definition.js';
import { FORMATS } from './records.js';
import type { FoundSuite, SuiteReference } from './reference.js';

/** Where `lethe data pull` puts the files of a suite: of another version they may be others. */
export const pulledFolder = ({ definition: { id, version } }: FoundSuite): string => join(cacheFolder(), 'data', id, version);

/** Where the rows of a suite's tasks from files are looked for first: where a missing file belongs. */
export const dataFolder = ({ file }: FoundSuite, { dataDir }: SuiteReference): string => (dataDir === undefined ? dirname(file) : resolve(dataDir));

const KINDS: readonly FileKind[] = ['train', 'validation', 'test', 'fewshot'];

/** The file of a kind in the first folder that has one. Throws LETHE_DATA_AMBIGUOUS for several in one folder: whose rows are meant, nobody knows. */
function fileIn(folders: readonly string[], kind: FileKind): string | undefined {
  for (const folder of folders) {
    const [file, ...others] = FORMATS.map((format) => join(folder, `${kind}.${format}`)).filter((path) => existsSync(path));
    if (others.length > 0) {
      throw new LetheError('LETHE_DATA_AMBIGUOUS', `There are several files of ${kind} rows: ${[file!, ...others].map((path) => basename(path)).join(', ')}.`, {
        where: folder, remedy: 'Keep the one that is meant, and move the others out of the folder.',
      });
    }
    if (file !== undefined) return file;
  }
  return undefined;
}

/**
 * The file of a task, in the first folder that there is one in: `--data-dir` or, where that has no file of the task, the
 * suite's own folder, by the task's whole folder and then by the last part of it, then what was pulled. Rows of the two are never mixed:
 * they may be of different making.
 */
export function fileOf(suite: FoundSuite, { folder }: FileTask, kind: FileKind, reference: SuiteReference): string | undefined {
  const [given, own] = [dataFolder(suite, reference), dirname(suite.file)].map((place) => [join(place, folder), join(place, basename(folder))]) as [string[], string[]];
  const folders = KINDS.some((one) => fileIn(given, one) !== undefined) ? given : own;
  return fileIn([...folders, join(pulledFolder(suite), folder)], kind);
}

/** The error of a task that has no rows of a kind: where from a file, in that file. */
export function emptyError(task: string, kind: FileKind, where: string, remedy = 'put rows into it; suites/README.md says how they look'): LetheError {
  return new LetheError('LETHE_DATA_MISSING', `task "${task}" has no ${kind} rows`, { where, remedy });
}

/** The files that a task reads: those with a hash, or else train, test and, where they are there, validation. */
export function kindsOf(suite: FoundSuite, task: FileTask, probe: boolean, reference: SuiteReference): FileKind[] {
  const { sha256: hashes, shots } = task;
  const validation = hashes ? hashes.validation !== undefined : fileOf(suite, task, 'validation', reference) !== undefined;
  return [
    ...(probe ? [] : ['train' as const, ...(validation ? ['validation' as const] : [])]), 'test', ...(shots ? ['fewshot' as const] : []),
  ];
}
