import { readFileSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LetheError, type Results, schemaFault } from '@lethe/core';
import { validateResults } from '@lethe/metrics';
import { Ajv } from 'ajv';
import { commandsOf } from './command.js';
import { type Describer, type MethodNote, checkDeclared, unknown } from './declared.js';
import { checkWhole } from './whole.js';

/** One published results file. Its JSON Schema is `schemas/entry.schema.json` of the core package. */
export interface Entry {
  readonly schema: 'lethe.entry/1';
  /** The command lines that make the runs again. */
  readonly commands: readonly string[];
  /** By method id; only of methods whose plugin of that version was at hand when the results were published. */
  readonly methods: Readonly<Record<string, MethodNote>>;
  readonly results: Results;
}

/** An entry that was read and recomputed, with its file's name. */
export interface PublishedEntry {
  readonly file: string;
  readonly entry: Entry;
}

const checkShape = new Ajv({ verbose: true }).compile<Entry>(
  JSON.parse(readFileSync(new URL('../../schemas/entry.schema.json', import.meta.resolve('@lethe/core')), 'utf8')) as object);

const RESULTS = 'results.json';
const REMEDY = 'Entries are never edited by hand: delete the file and publish the run again.';

/** @param missing what to do where there is no file; `damaged` where it holds no JSON */
async function readJson(path: string, missing: string, damaged: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new LetheError('LETHE_RUN_MISSING', 'The file cannot be read.', { where: path, remedy: missing, cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LetheError('LETHE_RESULTS_INVALID', 'The file is not JSON.', { where: path, remedy: damaged, cause });
  }
}

/** Checks an entry: its shape, its results with every number recomputed, what it says of methods and its suite, and that its commands are those of its runs. */
async function validateEntry(value: unknown, path: string, describer: Describer): Promise<Entry> {
  const refuse = (pointer: string, message: string): never => {
    throw new LetheError('LETHE_RESULTS_INVALID', message, { where: `${path}#${pointer}`, remedy: REMEDY });
  };
  if ((value as { schema?: unknown } | null)?.schema !== 'lethe.entry/1') {
    throw new LetheError('LETHE_RESULTS_INVALID', 'The file is not an entry of the leaderboard.', {
      where: path, remedy: 'Give the file of an entry, or the folder of a run; `lethe publish RUN` makes an entry of a run.',
    });
  }
  if (!checkShape(value)) {
    const { pointer, message } = schemaFault(checkShape.errors!, 'the entry');
    return refuse(pointer, message);
  }
  const results = validateResults(value.results, path, '/results');
  const { runs } = results;
  checkWhole(results, `${path}#/results/runs`);
  await checkDeclared(results, value.methods, describer, path);
  const commands = commandsOf(runs, (id) => value.methods[id]?.defaults);
  const other = value.commands.findIndex((command, i) => command !== commands[i]);
  if (other >= 0) return refuse(`/commands/${other}`, 'This is not a command that makes the runs again.');
  if (value.commands.length < commands.length) return refuse('/commands', `The runs are made by ${commands.length} commands.`);
  return value;
}

/** The file with the results that a path names: a run folder, its results.json, or an entry. */
export const resultsFile = (path: string): string => (path.endsWith('.json') ? path : join(path, RESULTS));

/** Whether a path that {@link resultsFile} takes is that of an entry. */
export const isEntry = (path: string): boolean => basename(resultsFile(path)) !== RESULTS;

/**
 * The results that a path names, recomputed, with what is said of their methods where it is an entry.
 *
 * @param path as {@link resultsFile} takes it
 * @throws LETHE_RUN_MISSING where there are none, LETHE_RESULTS_INVALID with file and JSON pointer where their numbers do not hold
 */
export async function partAt(path: string): Promise<Pick<Entry, 'methods' | 'results'>> {
  const file = resultsFile(path);
  if (isEntry(path)) return readEntry(file);
  return { methods: {}, results: validateResults(await readJson(file, 'Give the folder of a run that `lethe run` has finished, or the file of an entry.',
    'Delete it and go on with `lethe resume`: finished steps are reused.'), file) };
}

/** The results that a path names, recomputed; throws what {@link partAt} throws. */
export const resultsAt = async (path: string): Promise<Results> => (await partAt(path)).results;

/**
 * One entry, recomputed.
 *
 * @param describer what is known of methods and suites, to hold the entry to it
 * @throws LETHE_RUN_MISSING where it cannot be read, LETHE_RESULTS_INVALID with file and JSON pointer where it is none or its numbers do not hold
 */
export async function readEntry(path: string, describer = unknown): Promise<Entry> {
  return validateEntry(await readJson(path, 'Give the file of an entry, or the folder of a run.', REMEDY), path, describer);
}

/** Names in a folder of entries. Throws LETHE_RUN_MISSING where there is no such folder. */
async function namesIn(entriesDir: string): Promise<string[]> {
  try {
    return await readdir(entriesDir);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw cause;
    throw new LetheError('LETHE_RUN_MISSING', 'There is no folder of entries here.', {
      where: entriesDir, remedy: 'Give the folder that holds the entries with --entries; `lethe publish RUN` makes one, and it.', cause,
    });
  }
}

/**
 * Every entry of a folder by file name, each one recomputed.
 *
 * @param describer what is known of methods and suites, to hold the entries to it
 * @throws LETHE_RUN_MISSING where there is no such folder, LETHE_RESULTS_INVALID with file and JSON pointer where a file is not an entry
 *   or its numbers do not hold
 */
export async function readEntries(entriesDir: string, describer = unknown): Promise<PublishedEntry[]> {
  const files = (await namesIn(entriesDir)).filter((name) => name.endsWith('.json') && !name.startsWith('.')).sort();
  const entries: PublishedEntry[] = [];
  for (const file of files) {
    const path = join(entriesDir, file);
    entries.push({ file, entry: await validateEntry(await readJson(path, REMEDY, REMEDY), path, describer) });
  }
  return entries;
}
