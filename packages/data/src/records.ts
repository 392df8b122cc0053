import { extname } from 'node:path';
import { LetheError } from '@lethe/core';
import { sha256OfFile } from '@lethe/hub';
import { readCsv } from './csv.js';
import { readJson } from './json.js';
import { readJsonLines } from './jsonl.js';
import { type Line, unreadable } from './line.js';
import { readParquet } from './parquet.js';

/** The formats of rows, by how the names of their files end. */
const READERS: Readonly<Record<string, (file: string) => AsyncGenerator<Line[]>>> = {
  jsonl: readJsonLines, json: readJson, csv: readCsv, parquet: readParquet,
};
export const FORMATS: readonly string[] = Object.keys(READERS);

/**
 * Streams the rows of a file, some at a time. Rows that cannot be read are among them with their fault.
 *
 * @throws LetheError LETHE_DATA_MISSING where the file cannot be read, LETHE_DATA_ROW where it cannot be gone on with
 */
export function readLines(file: string): AsyncGenerator<Line[]> {
  return READERS[extname(file).slice(1)]!(file);
}

/**
 * The sha256 of a file.
 *
 * @throws LetheError LETHE_DATA_MISSING where it cannot be read
 */
export const hashOf = (file: string): Promise<string> => sha256OfFile(file).catch((cause: unknown) => { throw unreadable(file, cause); });

/**
 * Refuses a file that is not the one a suite was made with.
 *
 * @param expected its sha256; anything is taken where it is left out
 * @throws LetheError LETHE_DATA_CHANGED, LETHE_DATA_MISSING
 */
export async function checkHash(file: string, expected: string | undefined): Promise<void> {
  if (expected === undefined) return;
  const found = await hashOf(file);
  if (found !== expected) {
    throw new LetheError('LETHE_DATA_CHANGED', `the file is not the one that the suite was made with: its sha256 is ${found}, not ${expected}`, {
      where: file, remedy: 'get the file again; for other rows make a suite of your own (suites/README.md)',
    });
  }
}
