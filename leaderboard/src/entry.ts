import { link, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LetheError, type Results, type Run } from '@lethe/core';

/** One published results file. Its JSON Schema is `schemas/entry.schema.json` of the core package. */
export interface Entry {
  readonly schema: 'lethe.entry/1';
  /** The command line that makes the run again. */
  readonly command: string;
  /** The commit that made the run, null where it is not known. */
  readonly git: string | null;
  readonly results: Results;
}

/** Returns the value as results when its schema and its own numbers hold; throws LETHE_RESULTS_INVALID otherwise. */
export type Validate = (value: unknown, where: string) => Results;

const unique = (values: readonly string[]): string[] => [...new Set(values)];
const safe = (text: string): string => text.replace(/[^A-Za-z0-9.]+/g, '-');
const quoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** The command that makes these runs again. All runs of one results file share suite and model. */
function commandOf(runs: readonly Run[], first: Run): string {
  const list = (values: readonly string[]): string => quoted(unique(values).join(','));
  return [
    'lethe run', quoted(first.suite.id), '--size', quoted(first.suite.size), '--model', quoted(first.model.id),
    '--methods', list(runs.map((r) => r.method.id)), '--orders', list(runs.map((r) => r.order.id)),
    '--seeds', list(runs.map((r) => String(r.seed))),
    ...unique(runs.flatMap(({ method }) => Object.entries(method.options).map(([name, value]) =>
      `--set ${quoted(`${method.id}.${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)}`))),
  ].join(' ');
}

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

/**
 * Publishes `results.json` of a run folder as one entry, written whole or not at all. Failed runs are kept.
 *
 * @returns the path of the new entry
 * @throws LETHE_RUN_MISSING without results, LETHE_RESULTS_INVALID from `validate`, LETHE_ENTRY_EXISTS for the same content
 */
export async function publishRun(runDir: string, entriesDir: string, validate: Validate): Promise<string> {
  const source = join(runDir, 'results.json');
  const results = validate(await readJson(source, 'Finish the run first with `lethe run`.'), source);
  const first = results.runs[0];
  if (!first) {
    throw new LetheError('LETHE_RESULTS_INVALID', 'The results hold no runs.', { where: source, remedy: 'Run at least one method.' });
  }
  const group = (run: Run): string => JSON.stringify([run.suite.id, run.suite.version, run.suite.size, run.model.sha256]);
  if (results.runs.some((run) => group(run) !== group(first))) {
    throw new LetheError('LETHE_RESULTS_INVALID', 'The runs are of several suites or models.', {
      where: source, remedy: 'Publish each suite and model from its own run folder.',
    });
  }
  const commits = unique(results.runs.map((run) => run.environment.git ?? ''));
  const entry: Entry = {
    schema: 'lethe.entry/1',
    command: commandOf(results.runs, first),
    git: commits.length === 1 ? commits[0] || null : null,
    results,
  };
  const name = `${safe(first.suite.id)}-${safe(first.suite.version)}--${safe(first.model.id)}--${results.sha256.slice(0, 12)}.json`;
  const path = join(entriesDir, name);
  const part = join(entriesDir, `.${name}.${process.pid}.part`);
  await mkdir(entriesDir, { recursive: true });
  try {
    await writeFile(part, `${JSON.stringify(entry, null, 1)}\n`);
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

/** Every entry of a folder, by file name. Throws LETHE_RESULTS_INVALID where a file is not an entry. */
export async function readEntries(entriesDir: string): Promise<Entry[]> {
  const names = (await readdir(entriesDir)).filter((name) => name.endsWith('.json') && !name.startsWith('.')).sort();
  return Promise.all(names.map(async (name) => {
    const path = join(entriesDir, name);
    const value = (await readJson(path, 'Publish the run again.')) as Partial<Entry> | null;
    if (value?.schema !== 'lethe.entry/1' || !Array.isArray(value.results?.runs)) {
      throw new LetheError('LETHE_RESULTS_INVALID', 'The file is not a leaderboard entry.', { where: path, remedy: 'Publish the run again.' });
    }
    return value as Entry;
  }));
}
