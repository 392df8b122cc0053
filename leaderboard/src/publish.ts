import { link, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LetheError, type Results, type Run, type Sweep, canonicalJson, departuresOf, makeFolder, methodName } from '@lethe/core';
import { alikeSeeds, codesWords, severalCodes, unite } from '@lethe/metrics';
import { commandsOf } from './command.js';
import { type Describer, type MethodNote, checkDeclared } from './declared.js';
import { type Entry, partAt, resultsFile } from './entry.js';
import { alikeWords } from './format.js';
import { checkWhole } from './whole.js';

const safe = (text: string): string => text.replace(/[^A-Za-z0-9.]+/g, '-');

/** JSON over several lines, but lists of numbers (predictions, matrices) on one: white space alone is changed. */
const printed = (entry: Entry): string =>
  `${JSON.stringify(entry, null, 1).replace(/\[\n[\s\d.,eE+-]*\]/g, (list) => list.replace(/\s+/g, ''))}\n`;

export interface PublishOptions {
  /**
   * Told of methods that are left out, as parts have a newer version of them or other options, of those that nothing is known of, and of runs that do not
   * differ by seed or were made by code that differs.
   */
  readonly note?: (text: string) => void;
  /** Told of every path with the results that it names; what it throws refuses them. */
  readonly check?: (path: string, results: Results) => Promise<void>;
  /** A sweep in the place of those of the parts, as `unite` takes it. */
  readonly tuned?: Sweep | undefined;
}

/**
 * Publishes results as one entry, written whole or not at all. Every score and metric is recomputed first; failed runs are kept.
 *
 * @param paths run folders; several are the parts of one benchmark, of which an entry may be one
 * @returns the path of the new entry
 * @throws LETHE_RUN_MISSING without results, LETHE_RUN_STOPPED for a part of a run, LETHE_RESULTS_INVALID with a JSON pointer,
 *   LETHE_ENTRY_EXISTS for the same content; the errors of `unite`
 */
export async function publishRuns(
  paths: readonly string[], entriesDir: string, describer: Describer, { note = () => undefined, check, tuned }: PublishOptions = {},
): Promise<string> {
  const parts = await Promise.all(paths.map(async (path) => {
    const part = await partAt(path);
    await check?.(path, part.results);
    return { ...part, where: resultsFile(path) };
  }));
  const results = unite(parts, tuned);
  const { runs, sha256 } = results;
  const all = parts.flatMap((part) => part.results.runs);
  const named = (some: readonly Run[]) => new Set(some.map(({ method }) => `${method.id} ${method.version}`));
  const kept = named(runs);
  const left = [...named(all)].filter((method) => !kept.has(method));
  if (left.length > 0) note(`left out: ${left.join(', ')}, of which a newer version is there`);
  const settings = new Set(runs.map(({ method }) => canonicalJson(method)));
  const other = [...new Set(all.flatMap(({ method }) => (kept.has(`${method.id} ${method.version}`) && !settings.has(canonicalJson(method)) ? methodName(method) : [])))];
  if (other.length > 0) note(`left out: runs of ${other.join(', ')} with other options than were chosen`);
  const where = parts.map((part) => part.where).join(', ');
  checkWhole(results, where);
  const methods: Record<string, MethodNote> = {};
  for (const { method: { id, version } } of runs) {
    const known = describer.method(id, version)?.note ?? parts.map((part) => part.methods[id]).find((said) => said?.version === version);
    if (known) methods[id] = known;
  }
  await checkDeclared(results, methods, describer, where);
  for (const several of severalCodes(runs)) note(codesWords(several));
  for (const alike of alikeSeeds(runs)) note(`${methodName(alike.method)}: ${alikeWords(alike)}`);
  const undescribed = [...new Set(runs.filter(({ method }) => !Object.hasOwn(methods, method.id)).map(({ method }) => `${method.id} ${method.version}`))];
  if (undescribed.length > 0) {
    note(`what ${undescribed.join(', ')} is, its paper and its defaults are not in the entry, and what it declares was not checked, as its plugin is not at hand in that `
      + 'version: to have them there, delete the entry and publish again with --plugins DIR');
  }
  const entry: Entry = { schema: 'lethe.entry/1', commands: commandsOf(runs, (id) => methods[id]?.defaults), methods, results };
  const { suite, model } = runs[0]!;
  const name = `${[`${suite.id}-${suite.version}`, suite.size, ...departuresOf(suite), model.id].map(safe).join('--')}--${sha256.slice(0, 12)}.json`;
  const path = join(entriesDir, name);
  const part = join(entriesDir, `.${name}.${process.pid}.part`);
  makeFolder(entriesDir);
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
