import { Console } from 'node:console';
import type { WriteStream } from 'node:tty';
import { type LetheError, printable } from '@lethe/core';
import pc from 'picocolors';
import { explained } from './problem.js';

/** Where a command writes: data to stdout, progress and problems to stderr. */
export interface Output {
  data(text: string): void;
  note(text: string): void;
  /** Colours for stdout; none without a terminal, under NO_COLOR or in CI. */
  readonly colour: ReturnType<typeof pc.createColors>;
  /** The terminal that progress may be drawn on in place; absent where stderr is none, and in CI. */
  readonly terminal?: WriteStream;
}

/** Says on stderr what ended this process, and gives its exit status: 2, or 1 where it is a fault of Lethe itself. */
export function endedBy(problem: LetheError): 1 | 2 {
  process.stderr.write(`${printable(problem.describe())}\n`);
  return problem.code === 'LETHE_INTERNAL' ? 1 : 2;
}

/**
 * Output on the streams of this process. A reader that leaves early, as `head` does, ends nothing; one that takes nothing ends it. Data is changed for
 * a terminal alone: a file gets what there is.
 */
export function processOutput(): Output {
  // what plugins print while they are imported is no data
  globalThis.console = new Console(process.stderr);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => { if (error.code !== 'EPIPE') process.exit(endedBy(explained(error)!)); });
  // there is no other place to say it
  process.stderr.on('error', (error: NodeJS.ErrnoException) => { if (error.code !== 'EPIPE') process.exit(2); });
  const ci = Boolean(process.env['CI']);
  const coloured = Boolean(process.stdout.isTTY) && !process.env['NO_COLOR'] && !ci;
  return {
    data: (text) => void process.stdout.write(`${process.stdout.isTTY ? printable(text, coloured) : text}\n`),
    note: (text) => void process.stderr.write(`${printable(text)}\n`),
    colour: pc.createColors(coloured),
    ...(process.stderr.isTTY && !ci ? { terminal: process.stderr } : {}),
  };
}
