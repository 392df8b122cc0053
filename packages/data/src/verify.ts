import { type LetheError } from '@lethe/core';
import { sha256OfFile } from '@lethe/hub';
import type { FileKind, FileTask } from './definition.js';
import { fileOf, kindsOf } from './files.js';
import { type FoundSuite, type SuiteReference, openSuite } from './reference.js';
import { RowReader, readShots } from './rows.js';
import { Places, Seen } from './seen.js';

/** What was found out about one file of a suite. */
export interface VerifiedFile {
  readonly task: string;
  readonly kind: FileKind;
  /** `ok`: it has the hash that the suite states; `unpinned`: the suite states none. */
  readonly state: 'ok' | 'unpinned' | 'missing' | 'changed' | 'unreadable';
  /** Path of the file, or below the data folder where it is missing. */
  readonly file: string;
  readonly sha256?: string;
  /** Rows that can be used. */
  readonly rows: number;
  readonly faulty: number;
  /** The first rows that cannot be used, as `file:line` and reason. */
  readonly faults: readonly string[];
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
  const faults: string[] = [];
  let [rows, faulty] = [0, 0];
  const onFault = ({ where, message }: LetheError) => {
    faulty++;
    if (faults.length < NAMED) faults.push(`${where}: ${message}`);
  };
  try {
    const found = await sha256OfFile(file);
    const expected = task.sha256?.[kind];
    const { shots: _shots, ...plain } = task;
    for await (const batch of new RowReader(plain).read(file, ids, places, places.part((at) => `${file}:${at}`), onFault)) rows += batch.length;
    if (kind === 'fewshot') await readShots(task, file, task.shots!.count);
    return { ...about, state: expected === undefined ? 'unpinned' : expected === found ? 'ok' : 'changed', file, sha256: found, rows, faulty, faults };
  } catch (error) {
    return { ...about, state: 'unreadable', file, rows, faulty, faults: [...faults, (error as Error).message] };
  }
}
