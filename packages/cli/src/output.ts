import type { WriteStream } from 'node:tty';
import pc from 'picocolors';

/** Where a command writes: data to stdout, progress and problems to stderr. */
export interface Output {
  data(text: string): void;
  note(text: string): void;
  /** Colours for stdout; none without a terminal, under NO_COLOR or in CI. */
  readonly colour: ReturnType<typeof pc.createColors>;
  /** The terminal that progress may be drawn on in place; absent where stderr is none, and in CI. */
  readonly terminal?: WriteStream;
}

/** Output on the streams of this process. A reader that leaves early, as `head` does, ends nothing. */
export function processOutput(): Output {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => { if (error.code !== 'EPIPE') throw error; });
  }
  const ci = Boolean(process.env['CI']);
  const coloured = Boolean(process.stdout.isTTY) && !process.env['NO_COLOR'] && !ci;
  return {
    data: (text) => void process.stdout.write(`${text}\n`),
    note: (text) => void process.stderr.write(`${text}\n`),
    colour: pc.createColors(coloured),
    ...(process.stderr.isTTY && !ci ? { terminal: process.stderr } : {}),
  };
}
