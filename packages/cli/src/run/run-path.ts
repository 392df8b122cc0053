import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { LetheError, didYouMean, isFolder } from '@lethe/core';
import { here, typed } from '../paths.js';

const [RECORD, RESULTS, SUITE] = ['run.json', 'results.json', 'suite.yaml'];
const REMEDY = 'Give the folder of a run, or the file of an entry.';
/** As many names as are told. */
const TOLD = 8;

const missing = (where: string, message: string, remedy = REMEDY) => new LetheError('LETHE_RUN_MISSING', message, { where, remedy });
const isRun = (folder: string): boolean => [RECORD, RESULTS].some((name) => existsSync(join(folder, name)));

/** What runs are made of, in the place of a run. */
const made = (path: string, what: string, runs: string): LetheError =>
  missing(path, `${here(path)} is ${what}: lethe run ${typed(path)} makes ${runs}.`, 'Give the folder that lethe run wrote.');

/** There is nothing: the first part of the path that is not there may be another one of its folder. */
function nothing(path: string): LetheError {
  let part = path;
  while (!existsSync(dirname(part))) part = dirname(part);
  const near = isFolder(dirname(part)) ? didYouMean(basename(part), readdirSync(dirname(part))) : '';
  return missing(path, `There is no such file or folder.${near}`);
}

/** A folder that is none of a run, which may hold some. */
function folderFault(folder: string): LetheError {
  const name = here(folder);
  const runs = readdirSync(folder).filter((child) => isRun(join(folder, child))).sort();
  if (runs.length > 0) {
    const more = runs.length > TOLD ? ` and ${runs.length - TOLD} more` : '';
    return missing(folder, `${name} is no run folder; it holds run folders: ${runs.slice(0, TOLD).join(', ')}${more}.`, `Name one: ${typed(join(folder, runs[0]!))}`);
  }
  if (existsSync(join(folder, SUITE))) return made(folder, 'a suite', 'runs of it');
  return missing(folder, `${name} is no run folder: it holds no ${RECORD} and no ${RESULTS}.`);
}

/** A file that is none with results. */
function fileFault(file: string): LetheError {
  const [name, folder] = [basename(file), dirname(file)];
  if (name === SUITE) return made(file, 'a suite', 'runs of it');
  if (['.yaml', '.yml'].includes(extname(file))) return made(file, 'a configuration of runs', 'them');
  if ([RECORD, RESULTS].includes(name)) return missing(file, `${here(file)} is a file of a run, whose folder is wanted.`, `Name its folder: ${typed(folder)}`);
  return missing(file, `${here(file)} is no run folder.`);
}

/**
 * Refuses what is not the folder of a run.
 *
 * @throws LETHE_RUN_MISSING, which says what the path is instead
 */
export function checkRunFolder(path: string): void {
  if (!existsSync(path)) throw nothing(path);
  if (!isFolder(path)) throw fileFault(path);
  if (!isRun(path)) throw folderFault(path);
}

/**
 * {@link checkRunFolder} where files with results are taken too: a results.json, an entry of the leaderboard.
 *
 * @returns whether there are results, or a run alone that has none yet
 */
export function checkRunPath(path: string): boolean {
  const isResults = basename(path) === RESULTS;
  if (isResults || isFolder(path) || !existsSync(path)) {
    const folder = isResults ? dirname(path) : path;
    checkRunFolder(folder);
    return existsSync(join(folder, RESULTS));
  }
  if (extname(path) !== '.json' || basename(path) === RECORD) throw fileFault(path);
  return true;
}
