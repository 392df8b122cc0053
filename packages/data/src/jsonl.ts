import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { type Line, LONGEST_LINE, rowFault, tooLong, unreadable } from './line.js';

const NEWLINE = 0x0a;

/** A line as bytes, or null where it was too long to be kept. */
interface ByteLine {
  readonly bytes: Buffer | null;
  /** Whether a newline came after. */
  readonly ended: boolean;
}

/** The lines of each chunk of a file. No more than a chunk and one line is in memory. */
async function* byteLines(file: string): AsyncGenerator<ByteLine[]> {
  let parts: Buffer[] = [];
  let length = 0;
  const take = (piece: Buffer) => {
    length += piece.length;
    if (length <= LONGEST_LINE) parts.push(piece);
    else parts = [];
  };
  const line = (ended: boolean): ByteLine => {
    const bytes = length > LONGEST_LINE ? null : parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    [parts, length] = [[], 0];
    return { bytes, ended };
  };
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>) {
      const lines: ByteLine[] = [];
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        take(chunk.subarray(start, end));
        lines.push(line(true));
        start = end + 1;
      }
      if (start < chunk.length) take(chunk.subarray(start));
      yield lines;
    }
  } catch (cause) {
    throw unreadable(file, cause);
  }
  if (length > 0) yield [line(false)];
}

/** The values of a JSON lines file, some lines at a time. Lines without text are passed over. */
export async function* readJsonLines(file: string): AsyncGenerator<Line[]> {
  let number = 0;
  for await (const lines of byteLines(file)) {
    const values: Line[] = [];
    for (const line of lines) {
      const parsed = parseLine(line, file, ++number);
      if (parsed) values.push(parsed);
    }
    yield values;
  }
}

function parseLine({ bytes, ended }: ByteLine, file: string, at: number): Line | undefined {
  const where = `${file}:${at}`;
  const fault = (message: string, remedy: string, cause?: unknown): Line => ({ at, fault: rowFault(where, message, remedy, cause) });
  if (bytes === null) return { at, fault: tooLong(where, 'the line') };
  if (!isUtf8(bytes)) return fault('the line is not valid UTF-8', 'save the file as UTF-8');
  const whole = bytes.toString('utf8');
  const text = at === 1 && whole.startsWith('\ufeff') ? whole.slice(1) : whole;
  if (text.trim() === '') return undefined;
  try {
    return { at, value: JSON.parse(text) as unknown };
  } catch (cause) {
    return ended ? fault(`the line is not JSON: ${(cause as Error).message}`, 'write one JSON object on each line', cause)
      : fault('the file ends in the middle of a row: it was cut off', 'get the file again', cause);
  }
}
