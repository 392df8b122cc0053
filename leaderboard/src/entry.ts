import { readFileSync } from 'node:fs';
import { link, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LetheError, type Results, type Run, canonicalJson } from '@lethe/core';
import { validateResults } from '@lethe/metrics';
import { Ajv } from 'ajv';
import { commandsOf, missingRuns } from './command.js';

/** What the plugin of a method says of itself. */
export interface MethodNote {
  readonly version: string;
  readonly description: string;
  /** Address of the paper, or why there is none. */
  readonly paper: string | null;
  /** The default of every option. */
  readonly defaults: Readonly<Record<string, unknown>>;
}

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

/** What is known of a method of this version, if anything. */
export type DescribeMethod = (id: string, version: string) => MethodNote | undefined;

const checkShape = new Ajv().compile<Entry>(
  JSON.parse(readFileSync(new URL('../../schemas/entry.schema.json', import.meta.resolve('@lethe/core')), 'utf8')) as object);

const REMEDY = 'Entries are never edited by hand: delete the file and publish the run again.';

const safe = (text: string): string => text.replace(/[^A-Za-z0-9.]+/g, '-');

async function readJson(path: string, remedy: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new LetheError('LETHE_RUN_MISSING', 'The file cannot be read.', { where: path, remedy, cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LetheError('LETHE_RESULTS_INVALID', 'The file is not JSON.', { where: path, remedy, cause });
  }
}

/** JSON over several lines, but lists of numbers (predictions, matrices) on one: white space alone is changed. */
const printed = (entry: Entry): string =>
  `${JSON.stringify(entry, null, 1).replace(/\[\n[\s\d.,eE+-]*\]/g, (list) => list.replace(/\s+/g, ''))}\n`;

/** All runs of an entry are of one suite on one model, scored on test rows, and none is left out. */
function checkWhole(runs: readonly Run[], where: string): void {
  if (runs.length === 0) {
    throw new LetheError('LETHE_RESULTS_INVALID', 'The results hold no runs.', { where, remedy: 'Run at least one method.' });
  }
  if (new Set(runs.map((run) => canonicalJson([run.suite, run.model]))).size > 1) {
    throw new LetheError('LETHE_RESULTS_INVALID', 'The runs are of several suites or models.', {
      where, remedy: 'Publish each suite and model from its own run folder.',
    });
  }
  if (runs.some(({ suite }) => suite.scored)) {
    throw new LetheError('LETHE_RESULTS_INVALID', 'The runs were scored on validation rows, to tune methods.', {
      where, remedy: 'Publish a run with the options that were chosen: lethe run SUITE --tuned RUN.',
    });
  }
  const missing = missingRuns(runs);
  if (missing === 0) return;
  throw new LetheError('LETHE_RUN_STOPPED', `${missing} of the runs of these methods, orders and seeds are not there.`, {
    where, remedy: 'Finish them with `lethe resume`; a part of a run is not published.',
  });
}

/**
 * Publishes `results.json` of a run folder as one entry, written whole or not at all. Every score and metric is recomputed
 * first; failed runs are kept.
 *
 * @returns the path of the new entry
 * @throws LETHE_RUN_MISSING without results, LETHE_RUN_STOPPED for a part of a run, LETHE_RESULTS_INVALID with a JSON pointer,
 *   LETHE_ENTRY_EXISTS for the same content
 */
export async function publishRun(runDir: string, entriesDir: string, describe: DescribeMethod): Promise<string> {
  const source = join(runDir, 'results.json');
  const results = validateResults(await readJson(source, 'Give the folder of a run that `lethe run` has finished.'), source);
  const { runs, sha256 } = results;
  checkWhole(runs, source);
  const methods: Record<string, MethodNote> = {};
  for (const { method } of runs) {
    const note = describe(method.id, method.version);
    if (note) methods[method.id] = note;
  }
  const entry: Entry = { schema: 'lethe.entry/1', commands: commandsOf(runs, (id) => methods[id]?.defaults), methods, results };
  const { suite, model } = runs[0]!;
  const name = `${[`${suite.id}-${suite.version}`, suite.size, ...(suite.prompts ? [suite.prompts] : []), model.id].map(safe).join('--')}--${sha256.slice(0, 12)}.json`;
  const path = join(entriesDir, name);
  const part = join(entriesDir, `.${name}.${process.pid}.part`);
  await mkdir(entriesDir, { recursive: true });
  try {
    await writeFile(part, printed(entry));
    // A link, unlike a rename, never replaces an entry that another process published in between.
    await link(part, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new LetheError('LETHE_ENTRY_EXISTS', 'This content is already published.', {
      where: path, remedy: 'Nothing to do; publish another run.', cause,
    });
  } finally {
    await rm(part, { force: true });
  }
  return path;
}

/** Checks an entry: its shape, its results with every number recomputed, and that its commands are those of its runs. */
function validateEntry(value: unknown, path: string): Entry {
  const refuse = (pointer: string, message: string): never => {
    throw new LetheError('LETHE_RESULTS_INVALID', message, { where: `${path}#${pointer}`, remedy: REMEDY });
  };
  if (!checkShape(value)) {
    const { instancePath, message } = checkShape.errors![0]!;
    return refuse(instancePath, `The file is not a leaderboard entry: ${message}.`);
  }
  const { runs } = validateResults(value.results, path, '/results');
  checkWhole(runs, `${path}#/results/runs`);
  const commands = commandsOf(runs, (id) => value.methods[id]?.defaults);
  const other = value.commands.findIndex((command, i) => command !== commands[i]);
  if (other >= 0) return refuse(`/commands/${other}`, 'This is not a command that makes the runs again.');
  if (value.commands.length < commands.length) return refuse('/commands', `The runs are made by ${commands.length} commands.`);
  return value;
}

/**
 * One entry, recomputed.
 *
 * @throws LETHE_RUN_MISSING where it cannot be read, LETHE_RESULTS_INVALID with file and JSON pointer where it is none or its numbers do not hold
 */
export async function readEntry(path: string): Promise<Entry> {
  return validateEntry(await readJson(path, 'Give the file of an entry, or the folder of a run.'), path);
}

/**
 * Every entry of a folder by file name, each one recomputed. No folder is no entries.
 *
 * @throws LETHE_RESULTS_INVALID with file and JSON pointer where a file is not an entry or its numbers do not hold
 */
export async function readEntries(entriesDir: string): Promise<PublishedEntry[]> {
  const names = await readdir(entriesDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const files = names.filter((name) => name.endsWith('.json') && !name.startsWith('.')).sort();
  const entries: PublishedEntry[] = [];
  for (const file of files) {
    const path = join(entriesDir, file);
    entries.push({ file, entry: validateEntry(await readJson(path, 'Publish the run again.'), path) });
  }
  return entries;
}
