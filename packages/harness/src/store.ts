import { existsSync } from 'node:fs';
import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Results, Run, Sweep } from '@lethe/core';
import { LetheError, canonicalJson, makeFolder, unfinished, writeWhole } from '@lethe/core';
import { resultsHash, validateResults } from '@lethe/metrics';
import { differences } from './differences.js';
import { LOCK } from './lock.js';
import { ALIKE_ENDING, STEPS, STEP_ENDING } from './steps.js';

/** `run.json`: what a run folder is for. */
export interface RunRecord<Configuration = unknown> {
  readonly schema: 'lethe.run/1';
  readonly lethe: string;
  /** The resolved configuration, plain JSON: equal configurations continue one another. */
  readonly configuration: Configuration;
  /** sha256 of the code of every method, by id: no part of the configuration, which another machine may share. Runs of earlier versions have none. */
  readonly code?: Readonly<Record<string, string>>;
  /** Runs at a time, where so many were asked for last: no part of the configuration either, as numbers are the same with any. */
  readonly workers?: number;
}

const RECORD = 'run.json';
const RESULTS = 'results.json';

const STEP_FILE = new RegExp(`^[0-9a-f]{64}(?:\\${STEP_ENDING}|\\${ALIKE_ENDING})$`);
/** What writing left unfinished: names of now, and those of earlier versions. */
const isPartOf = (name: string, whole: (name: string) => boolean): boolean => whole(unfinished(name) ?? /^(.+)\.\d+$/.exec(name)?.[1] ?? '');
const isStrayStep = (name: string) => isPartOf(name, (whole) => STEP_FILE.test(whole));
const isStray = (name: string) => isPartOf(name, (whole) => [RECORD, RESULTS].includes(whole));

async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LetheError('LETHE_RUN_DAMAGED', 'The file is not JSON.', {
      where: path, remedy: `Delete ${path} and run the same command again; finished steps are reused.`, cause,
    });
  }
}

const writeJson = (path: string, value: unknown) => writeWhole(path, `${JSON.stringify(value, null, 2)}\n`);

/** A run folder that was opened. */
export interface OpenedRun<C> {
  readonly record: RunRecord<C>;
  /** Whether it was there before, so that its results are those of its record. */
  readonly known: boolean;
  /** Methods whose code is another one than their results were made with: those results are dropped. Steps are named by the code and stay. */
  readonly changed: readonly string[];
}

/**
 * Opens a run folder for a configuration, making it where there is none.
 *
 * @param code sha256 of the code of every method, by id
 * @param workers runs at a time, where so many are asked for now
 * @param extend given where a run of another configuration is to be gone on with: its steps stay, which are named by all that determines them,
 *   and its results go. It is shown that configuration, and throws where the steps are of no use
 * @throws LETHE_RUN_EXISTS where the folder holds another configuration and is not extended, LETHE_RUN_VERSION where another version of Lethe made it,
 *   LETHE_FOLDER_EXISTS where it holds files that are no run's
 */
export async function openRun<C>(
  folder: string, lethe: string, configuration: C, { code = {}, workers }: Pick<RunRecord, 'code' | 'workers'> = {}, extend?: (known: C) => void,
): Promise<OpenedRun<C>> {
  const path = join(folder, RECORD);
  const known = (await readJson(path)) as RunRecord<C> | undefined;
  const asked = workers !== undefined && { workers };
  const record: RunRecord<C> = { schema: 'lethe.run/1', lethe, configuration, code, ...asked };
  if (known === undefined) {
    makeFolder(folder);
    await checkFree(folder);
    await writeJson(path, record);
    makeFolder(join(folder, STEPS));
    return { record, known: false, changed: [] };
  }
  checkVersion(known, lethe, path);
  if (canonicalJson(known.configuration) !== canonicalJson(configuration)) {
    if (!extend) {
      throw new LetheError('LETHE_RUN_EXISTS', `The folder holds a run of another configuration: it differs in ${differences(known.configuration, configuration)}.`, {
        where: path, remedy: 'Choose another folder with --out, or add --extend to go on from its steps: those that are the same stay, its results are replaced.',
      });
    }
    extend(known.configuration);
    makeFolder(join(folder, STEPS));
    // before the record: as long as it is the old one, its results can be made anew from the steps
    await rm(join(folder, RESULTS), { force: true });
    await writeJson(path, record);
    return { record, known: false, changed: [] };
  }
  makeFolder(join(folder, STEPS));
  const changed = Object.entries(known.code ?? {}).filter(([method, hash]) => code[method] !== hash).map(([method]) => method);
  const { workers: before, ...rest } = known;
  const reopened: RunRecord<C> = { ...rest, ...(changed.length > 0 && { code }), ...asked };
  // results before the record: as long as it names the old code, they are not taken for what the new one gave
  if (changed.length > 0) await dropResults(folder, changed);
  if (changed.length > 0 || workers !== before) await writeJson(path, reopened);
  return { record: reopened, known: true, changed };
}

/** Takes the runs of some methods out of `results.json`; results that are damaged are made anew from the steps in any case. */
async function dropResults(folder: string, methods: readonly string[]): Promise<void> {
  const results = await readResults(folder).catch(() => undefined);
  const kept = results?.runs.filter(({ method }) => !methods.includes(method.id)) ?? [];
  if (kept.length > 0) await writeResults(folder, kept, results!.sweep);
  else await rm(join(folder, RESULTS), { force: true });
}

/** Refuses a folder without a record where anything else lies than what is left of a run whose record was deleted: LETHE_FOLDER_EXISTS. */
async function checkFree(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith(LOCK) && !isStray(name));
  const steps = names.includes(STEPS) ? await readdir(join(folder, STEPS)) : null;
  const other = steps ? names.find((name) => name !== STEPS && name !== RESULTS) : names[0];
  const stray = steps?.find((name) => !STEP_FILE.test(name) && !isStrayStep(name));
  const found = other ?? (stray === undefined ? undefined : join(STEPS, stray));
  if (found === undefined) return;
  throw new LetheError('LETHE_FOLDER_EXISTS', `The folder is not empty, and what it holds is no run: there is ${found}, and no ${RECORD}.`, {
    where: folder, remedy: 'Choose another folder with --out.',
  });
}

/** Whether a folder is that of a run. */
export const hasRun = (folder: string): boolean => existsSync(join(folder, RECORD));

/** The record of an existing run folder. Throws LETHE_RUN_MISSING, LETHE_RUN_VERSION, LETHE_RUN_DAMAGED. */
export async function readRun<C = unknown>(folder: string, lethe: string): Promise<RunRecord<C>> {
  const path = join(folder, RECORD);
  const record = (await readJson(path)) as RunRecord<C> | undefined;
  if (record === undefined) {
    throw new LetheError('LETHE_RUN_MISSING', `There is no ${RECORD} in this folder.`, {
      where: folder, remedy: 'Give the folder that `lethe run` was given with --out.',
    });
  }
  checkVersion(record, lethe, path);
  return record;
}

/** Removes what a killed process left half written in a run folder: files that never got their final names. */
export async function sweepRun(folder: string): Promise<void> {
  const steps = join(folder, STEPS);
  const stray = [
    ...(await readdir(steps)).filter(isStrayStep).map((name) => join(steps, name)),
    ...(await readdir(folder)).filter(isStray).map((name) => join(folder, name)),
  ];
  for (const path of stray) await rm(path, { force: true });
}

/** Runs of one minor version continue one another. Throws LETHE_RUN_DAMAGED for what is no record. */
function checkVersion(record: RunRecord, lethe: string, path: string): void {
  if (typeof record?.configuration !== 'object' || record.configuration === null) {
    throw new LetheError('LETHE_RUN_DAMAGED', 'The file does not say what the run is for.', {
      where: path, remedy: `Delete ${path} and run the same command again; finished steps are reused.`,
    });
  }
  const minor = (version: unknown) => String(version).split('.').slice(0, 2).join('.');
  if (record.schema !== 'lethe.run/1' || minor(record.lethe) !== minor(lethe)) {
    throw new LetheError('LETHE_RUN_VERSION', `Lethe ${record.lethe} made this run (${record.schema}), this is ${lethe}.`, {
      where: path, remedy: 'Finish the run with that version, or start a new one in another folder with --out.',
    });
  }
}

/** Writes `results.json` atomically and gives back what it holds. */
export async function writeResults(folder: string, runs: readonly Run[], sweep?: Sweep): Promise<Results> {
  const results: Results = { schema: 'lethe.results/1', sha256: resultsHash(runs, sweep), runs, ...(sweep && { sweep }) };
  await writeJson(join(folder, RESULTS), results);
  return results;
}

/** Reads and checks `results.json`; undefined where there is none yet. Throws LETHE_RESULTS_INVALID, LETHE_RUN_DAMAGED. */
export async function readResults(folder: string): Promise<Results | undefined> {
  const path = join(folder, RESULTS);
  const json = await readJson(path);
  return json === undefined ? undefined : validateResults(json, path);
}
