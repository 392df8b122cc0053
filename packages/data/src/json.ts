import { isUtf8 } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import { type Line, rowFault, unreadable } from './line.js';

/** Largest file in bytes: unlike JSON lines it is read whole. */
const LARGEST = 2 ** 28;
/** Rows that are handed on together. */
const BATCH = 512;

/** A file of Natural Instructions: a task with its rows. */
interface InstructionFile {
  readonly Definition: readonly string[];
  readonly Instances: readonly object[];
}

const isInstructionFile = (value: unknown): value is InstructionFile =>
  typeof value === 'object' && value !== null && 'Instances' in value && Array.isArray(value.Instances)
  && 'Definition' in value && Array.isArray(value.Definition) && value.Definition.length > 0;

/**
 * The rows of a JSON file, some at a time, counted from 1: those of its list, as TRACE's files are, or the `Instances` of a task of
 * Natural Instructions, each with the first `Definition` of the task as its field `definition`.
 */
export async function* readJson(file: string): AsyncGenerator<Line[]> {
  const rows = rowsOf(await valueOf(file), file);
  for (let from = 0; from < rows.length; from += BATCH) {
    yield rows.slice(from, from + BATCH).map((value, i) => ({ at: from + i + 1, value }));
  }
}

function rowsOf(value: unknown, file: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (!isInstructionFile(value)) {
    throw rowFault(file, 'the file is neither a list of rows nor a task with "Definition" and "Instances"', 'write [{…}, {…}], or one row on each line of a .jsonl file');
  }
  const [definition] = value.Definition;
  return value.Instances.map((row) => ({ ...row, definition }));
}

async function valueOf(file: string): Promise<unknown> {
  const readable = <T>(read: Promise<T>) => read.catch((cause: unknown) => { throw unreadable(file, cause); });
  const { size } = await readable(stat(file));
  if (size > LARGEST) {
    throw rowFault(file, `the file is larger than ${LARGEST / 2 ** 20} MB, and JSON is read whole`, 'write one row on each line of a .jsonl file');
  }
  const bytes = await readable(readFile(file));
  if (!isUtf8(bytes)) throw rowFault(file, 'the file is not valid UTF-8', 'save the file as UTF-8');
  try {
    return JSON.parse(bytes.toString('utf8').replace(/^\ufeff/, '')) as unknown;
  } catch (cause) {
    throw rowFault(file, `the file is not JSON: ${(cause as Error).message}`, 'get the file again, or mend it', cause);
  }
}
