import { LetheError } from '@lethe/core';
import type { FileKind, FileTask } from './definition.js';
import { emptyError, fileOf, kindsOf } from './files.js';
import { hashOf } from './records.js';
import { type FoundSuite, type SuiteReference, openSuite } from './reference.js';
import { RowReader } from './rows.js';
import { Places, Seen } from './seen.js';
import { Shots } from './shots.js';

/** What is wrong with a row, or with a whole file. */
export interface Fault {
  /** `file:line`, or the file. */
  readonly where: string;
  readonly message: string;
  /** How to mend it. */
  readonly remedy: string;
}

/** What was found out about one file of a suite. */
export interface VerifiedFile {
  readonly task: string;
  readonly kind: FileKind;
  /** `ok`: it has the hash that the suite states; `unpinned`: the suite states none; `empty`: no line of it is a row, good or bad. */
  readonly state: 'ok' | 'unpinned' | 'missing' | 'changed' | 'empty' | 'unreadable';
  /** Path of the file, or below the data folder where it is missing. */
  readonly file: string;
  readonly sha256?: string;
  /** Rows that can be used. */
  readonly rows: number;
  readonly faulty: number;
  /** Those of the first rows that cannot be used, and what stopped the reading. */
  readonly faults: readonly Fault[];
}

/** Faults that are named; all are counted. */
const NAMED = 5;

/**
 * Checks the files of a suite: whether they are there, are those that the suite was made with, and what their rows are like. Rows are
 * read to their end, whatever is wrong with them.
 *
 * @throws LetheError LETHE_SUITE_UNKNOWN, LETHE_SUITE_INVALID
 */
export async function verifyData(reference: SuiteReference): Promise<VerifiedFile[]> {
  const suite = await openSuite(reference);
  const files: VerifiedFile[] = [];
  for (const task of suite.definition.tasks) {
    if (task.rows === 'generated') continue;
    const ids = new Seen();
    const places = new Places();
    for (const kind of kindsOf(suite, task, suite.definition.orders.length === 0, reference)) {
      // examples for prompts are not rows of the task: an id of theirs may be one of its own
      files.push(await verifyFile(suite, task, kind, reference, kind === 'fewshot' ? new Seen() : ids, places));
    }
  }
  return files;
}

async function verifyFile(
  suite: FoundSuite, task: FileTask, kind: FileKind, reference: SuiteReference, ids: Seen, places: Places,
): Promise<VerifiedFile> {
  const file = fileOf(suite, task, kind, reference);
  const about = { task: task.id, kind };
  if (file === undefined) return { ...about, state: 'missing', file: `${task.folder}/${kind}.jsonl`, rows: 0, faulty: 0, faults: [] };
  const faults: Fault[] = [];
  let [rows, faulty] = [0, 0];
  const faultOf = ({ where = file, message, remedy = '' }: LetheError): Fault => ({ where, message, remedy });
  const onFault = (fault: LetheError) => {
    faulty++;
    if (faults.length < NAMED) faults.push(faultOf(fault));
  };
  try {
    const found = await hashOf(file);
    const expected = task.sha256?.[kind];
    const { shots: _shots, ...plain } = task;
    for await (const batch of new RowReader(plain).read(file, ids, places, places.part((at) => `${file}:${at}`), onFault)) rows += batch.length;
    if (kind === 'fewshot') await Shots.read(task, file, task.shots!.count);
    if (rows + faulty === 0) return { ...about, state: 'empty', file, sha256: found, rows, faulty, faults: [faultOf(emptyError(task.id, kind, file))] };
    return { ...about, state: expected === undefined ? 'unpinned' : expected === found ? 'ok' : 'changed', file, sha256: found, rows, faulty, faults };
  } catch (error) {
    if (!(error instanceof LetheError)) throw error;
    return { ...about, state: 'unreadable', file, rows, faulty, faults: [...faults, faultOf(error)] };
  }
}
