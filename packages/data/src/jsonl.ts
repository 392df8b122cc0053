import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { LetheError } from '@lethe/core';

const NEWLINE = 0x0a;

/** One line of a JSON lines file. */
export interface Line {
  readonly value: unknown;
  /** `file:line`, counted from 1. */
  readonly where: string;
}

/** A fault of one row. */
export function rowFault(where: string, message: string, remedy: string, cause?: unknown): LetheError {
  return new LetheError('LETHE_DATA_ROW', message, { where, remedy, cause });
}

/**
 * Streams the values of a JSON lines file, one line in memory at a time. Lines without text are passed over.
 *
 * @param expected sha256 of the whole file, checked after its last line
 * @throws LetheError LETHE_DATA_ROW for a line that is not UTF-8, not JSON or cut off; LETHE_DATA_CHANGED for another
 * hash; LETHE_DATA_MISSING where the file cannot be read
 */
export async function* readJsonLines(file: string, expected?: string): AsyncGenerator<Line> {
  const hash = createHash('sha256');
  let number = 0;
  for await (const { bytes, ended } of byteLines(file, (chunk) => hash.update(chunk))) {
    const where = `${file}:${++number}`;
    const text = decode(bytes, where);
    if (text.trim() === '') continue;
    yield { value: parse(text, where, ended), where };
  }
  const found = hash.digest('hex');
  if (expected !== undefined && found !== expected) {
    throw new LetheError('LETHE_DATA_CHANGED', `the file is not the one that the suite was made with: its sha256 is ${found}, not ${expected}`, {
      where: file, remedy: 'get the file again; for other rows make a suite of your own (suites/README.md)',
    });
  }
}

/** The lines of a file as bytes; `ended` says whether a newline came after. */
async function* byteLines(file: string, onChunk: (chunk: Buffer) => void): AsyncGenerator<{ bytes: Buffer; ended: boolean }> {
  let parts: Buffer[] = [];
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      onChunk(chunk);
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        yield { bytes: Buffer.concat([...parts, chunk.subarray(start, end)]), ended: true };
        parts = [];
        start = end + 1;
      }
      if (start < chunk.length) parts.push(chunk.subarray(start));
    }
  } catch (cause) {
    throw new LetheError('LETHE_DATA_MISSING', `the file cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      where: file, remedy: 'put the file there, or mend its permissions', cause,
    });
  }
  if (parts.length > 0) yield { bytes: Buffer.concat(parts), ended: false };
}

function decode(bytes: Buffer, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw rowFault(where, 'the line is not valid UTF-8', 'save the file as UTF-8', cause);
  }
}

function parse(text: string, where: string, ended: boolean): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (!ended) throw rowFault(where, 'the file ends in the middle of a row: it was cut off', 'get the file again', cause);
    throw rowFault(where, `the line is not JSON: ${(cause as Error).message}`, 'write one JSON object on each line', cause);
  }
}
