import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { CsvError, type Info, parse } from 'csv-parse';
import { type Line, LONGEST_LINE, TOO_LONG, rowFault, unreadable } from './line.js';

/** Rows that are handed on together. */
const BATCH = 512;

/** The rows of a CSV file (RFC 4180) whose first record names the fields, some at a time. All values are texts. */
export async function* readCsv(file: string): AsyncGenerator<Line[]> {
  const input = createReadStream(file);
  // bytes, not texts: a decoder would hide what is not UTF-8
  const parser = parse({ bom: true, encoding: null, info: true, relax_column_count: true, skip_empty_lines: true, max_record_size: LONGEST_LINE });
  input.on('error', (error) => parser.destroy(error));
  let header: string[] | undefined;
  let batch: Line[] = [];
  let next = 1;
  try {
    for await (const { record, info } of input.pipe(parser) as AsyncIterable<{ record: Buffer[]; info: Info }>) {
      // a record begins on the line after the one before it ended; its own breaks are counted by the parser
      const at = next;
      next = info.lines + 1;
      if (header === undefined) header = namesOf(record, file);
      else batch.push(lineOf(record, header, file, at));
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw unreadable(file, cause);
    // the parser cannot tell where the next record begins
    throw rowFault(`${file}:${next}`, cause.code === 'CSV_MAX_RECORD_SIZE' ? TOO_LONG : `the record is not CSV: ${cause.message}`,
      'quote fields that hold quotes or line breaks, and double the quotes within', cause);
  } finally {
    input.destroy();
  }
  yield batch;
}

function namesOf(record: readonly Buffer[], file: string): string[] {
  const names = record.map((name) => name.toString('utf8').trim());
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return names;
  throw rowFault(`${file}:1`, `two fields are called "${twice}"`, 'give every field a name of its own in the first line');
}

function lineOf(record: readonly Buffer[], header: readonly string[], file: string, at: number): Line {
  const fault = (message: string, remedy: string): Line => ({ at, fault: rowFault(`${file}:${at}`, message, remedy) });
  if (record.length !== header.length) {
    return fault(`the record has ${record.length} fields, and the first line names ${header.length}`, 'quote fields that hold commas');
  }
  if (!record.every((field) => isUtf8(field))) return fault('the line is not valid UTF-8', 'save the file as UTF-8');
  return { at, value: Object.fromEntries(header.map((name, i) => [name, record[i]!.toString('utf8')])) };
}
