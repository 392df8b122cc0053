import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { CsvError, type Info, parse } from 'csv-parse';
import { LetheError } from '@lethe/core';
import { type Line, LONGEST_LINE, rowFault, tooLong, unreadable } from './line.js';
import { LineCounter } from './line-counter.js';

const MARK = Buffer.from('\ufeff');
/** How a file of UTF-16 begins. */
const WIDE_MARKS = ['fffe', 'feff'];
/** Bytes of a file that are looked at before it is parsed: a first line is hardly longer. */
const BEGINNING = 1 << 16;
/** Rows that are handed on together. */
const BATCH = 512;

/** The fields of a record, and the line that it begins on. */
interface PlacedRecord {
  readonly record: Buffer[];
  readonly at: number;
}

/** The rows of a CSV file (RFC 4180) whose first record names the fields, some at a time. All values are texts. */
export async function* readCsv(file: string): AsyncGenerator<Line[]> {
  // the parser decodes a file with a byte order mark, come what may
  const input = createReadStream(file, { start: await checkedStart(file) });
  const lines = new LineCounter();
  const placed = (record: Buffer[], { bytes }: Info): PlacedRecord => {
    const at = lines.next();
    lines.passTo(bytes);
    return { record, at };
  };
  const parser = parse({
    // bytes, not texts: a decoder would hide what is not UTF-8
    encoding: null, record_delimiter: ['\r\n', '\n', '\r'], relax_column_count: true, skip_empty_lines: true, max_record_size: LONGEST_LINE,
    // at once: records that stand before a fault may never arrive, and would not be counted. Its types know records of texts alone
    on_record: placed as never,
  });
  input.on('error', (error) => parser.destroy(error));
  // before the parser has them: it asks for the line of each record as it ends
  input.on('data', (chunk) => lines.push(chunk as Buffer));
  let header: string[] | undefined;
  let batch: Line[] = [];
  try {
    for await (const { record, at } of input.pipe(parser) as AsyncIterable<PlacedRecord>) {
      if (header === undefined) header = namesOf(record, file);
      else batch.push(lineOf(record, header, file, at));
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
  } catch (cause) {
    if (cause instanceof LetheError) throw cause;
    if (!(cause instanceof CsvError)) throw unreadable(file, cause);
    // the parser cannot tell where the next record begins
    throw recordFault(`${file}:${lines.next()}`, cause);
  } finally {
    input.destroy();
  }
  yield batch;
}

function recordFault(where: string, cause: CsvError): LetheError {
  if (cause.code === 'CSV_MAX_RECORD_SIZE') return tooLong(where, 'the record', cause);
  // the parser shows a value as the bytes that it was given, and counts lines in its own way
  const reason = cause.message.replace(/, value is .*$/s, '').replace(/ (?:at|on) line \d+/, '');
  return rowFault(where, `the record is not CSV: ${reason}`, 'quote fields that hold quotes or line breaks, and double the quotes within', cause);
}

/**
 * Where the text of a file begins: behind its byte order mark. What is no CSV of UTF-8 and commas is refused here, by its beginning: to the
 * parser the quotes of such a file are misplaced, which says nothing of what is wrong.
 */
async function checkedStart(file: string): Promise<number> {
  const handle = await open(file).catch((cause: unknown) => { throw unreadable(file, cause); });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(BEGINNING), 0, BEGINNING, 0);
    const beginning = buffer.subarray(0, bytesRead);
    if (WIDE_MARKS.includes(beginning.subarray(0, 2).toString('hex'))) {
      throw rowFault(`${file}:1`, 'the file is UTF-16, and not UTF-8', 'save the file as UTF-8; a spreadsheet calls it "CSV UTF-8"');
    }
    const start = beginning.subarray(0, MARK.length).equals(MARK) ? MARK.length : 0;
    checkSeparator(beginning.toString('utf8', start).split(/[\r\n]/, 1)[0]!, file);
    return start;
  } catch (cause) {
    if (cause instanceof LetheError) throw cause;
    throw unreadable(file, cause);
  } finally {
    await handle.close();
  }
}

function checkSeparator(firstLine: string, file: string): void {
  const separator = firstLine.includes(',') ? undefined : [';', '\t', '|'].find((sign) => firstLine.includes(sign));
  if (separator === undefined) return;
  const shown = separator === '\t' ? 'a tab' : `"${separator}"`;
  throw rowFault(`${file}:1`, `the first line names one field, "${firstLine.trim()}": its separator looks like ${shown}, and that of CSV is a comma`,
    'save the file with commas between the fields, and quotes around fields that hold commas; a spreadsheet asks for the separator where it exports');
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
