import { LetheError } from '@lethe/core';

/** One row of a file as it stands there, or what is wrong with it. */
export type Line = {
  /** Line of the file, or row of a Parquet file; counted from 1. */
  readonly at: number;
} & ({ readonly value: unknown; readonly fault?: never } | { readonly fault: LetheError });

/** Longest line in bytes: no text that a model could read is longer, and a file without newlines does not fill the memory. */
export const LONGEST_LINE = 2 ** 24;

/** A fault of one row. Control characters of the row are spelled out: a terminal would obey them. */
export function rowFault(where: string, message: string, remedy: string, cause?: unknown): LetheError {
  const spelled = message.replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return new LetheError('LETHE_DATA_ROW', spelled, { where, remedy, cause });
}

/** The fault of what is longer than {@link LONGEST_LINE}. */
export function tooLong(where: string, what: string, cause?: unknown): LetheError {
  return rowFault(where, `${what} is longer than ${LONGEST_LINE / 2 ** 20} MB`, 'take it away, or cut its text', cause);
}

/** A file that cannot be opened or read to its end. */
export function unreadable(file: string, cause: unknown): LetheError {
  return new LetheError('LETHE_DATA_MISSING', `the file cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
    where: file, remedy: 'put the file there, or mend its permissions', cause,
  });
}
