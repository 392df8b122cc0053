import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type BudgetChange, LetheError, didYouMean, isFolder, isPath, quoted } from '@lethe/core';
import { type ScorerPlace, addScorers } from '@lethe/scorers';
import { type LocatedDefinition, type SuiteDefinition, readDefinition } from './definition.js';

const FILE = 'suite.yaml';

/** How to find a suite and its rows, as plain data: it crosses into workers and is kept with a run. */
export interface SuiteReference {
  /** Id of an installed suite, or path of a suite.yaml or of its folder. */
  readonly reference: string;
  /** Installed suites: `<suitesDir>/<id>/suite.yaml`. */
  readonly suitesDir: string;
  /** Their compiled code: `<builtDir>/<id>/generate.js`. */
  readonly builtDir: string;
  /** Scorers of plugins, which its tasks may name. */
  readonly scorers?: readonly ScorerPlace[];
  /** Folder of the rows of tasks from files; the folder of the suite.yaml where it is left out. */
  readonly dataDir?: string;
  /** Name of a size; `full` where it is left out. */
  readonly size?: string;
  /** Name of other prompts of the suite; its own where it is left out. */
  readonly prompts?: string;
  /** What the training budget is to be in the place of the suite's own; checked ({@link budgetFault}) by whoever asks for it. */
  readonly training?: BudgetChange;
  /** The rows that are scored: the test rows where it is left out. */
  readonly scored?: 'validation';
  /** `required`: a suite whose probes may be absent is refused without their rows. */
  readonly probes?: 'required';
  /** Whether rows that cannot be used are left out and counted; the first one ends the loading where it is left out. */
  readonly skipBadRows?: true;
}

/** What a list of suites says of one. */
export interface SuiteSummary {
  readonly id: string;
  readonly version: string;
  readonly kind: SuiteDefinition['kind'];
  readonly title: string;
  readonly sizes: readonly string[];
  readonly tasks: readonly string[];
  readonly orders: readonly string[];
  /** Whether its rows lie elsewhere: they are found with `--data-dir`. */
  readonly needsData: boolean;
  /** Whether it holds probes for other suites, and no stream. */
  readonly probesOnly: boolean;
  readonly supersededBy?: string;
  /** Path of its suite.yaml. */
  readonly file: string;
}

/** A suite that was found: its definition, and where its code and rows are. */
export interface FoundSuite extends LocatedDefinition {
  /** Path of its compiled generator. */
  readonly code: string;
}

const installedIds = (suitesDir: string): string[] =>
  (existsSync(suitesDir) ? readdirSync(suitesDir).filter((name) => existsSync(join(suitesDir, name, FILE))).sort() : []);

const isInstalled = (file: string, suitesDir: string): boolean => basename(file) === FILE && dirname(dirname(resolve(file))) === resolve(suitesDir);

function installed(id: string, suitesDir: string, builtDir: string): FoundSuite {
  const found = readDefinition(join(suitesDir, id, FILE));
  if (found.definition.id !== id) {
    throw new LetheError('LETHE_SUITE_INVALID', `the suite in folder "${id}" calls itself "${found.definition.id}"`, {
      where: found.locate('/id'), remedy: 'give the suite and its folder the same name',
    });
  }
  return { ...found, code: join(builtDir, id, 'generate.js') };
}

/**
 * Finds a suite and reads its file, after the scorers that it may name were made known.
 *
 * @throws LetheError LETHE_SUITE_UNKNOWN, LETHE_SUITE_INVALID, and the errors of `addScorers`
 */
export async function openSuite(reference: SuiteReference): Promise<FoundSuite> {
  await addScorers(reference.scorers ?? []);
  return findSuite(reference.reference, reference);
}

/**
 * Finds a suite and reads its file. A suite outside of `suitesDir` has its generator, if any, beside it as generate.mjs.
 *
 * @param reference id, or path from `folder`
 * @throws LetheError LETHE_SUITE_UNKNOWN, LETHE_SUITE_INVALID
 */
export function findSuite(reference: string, { suitesDir, builtDir }: Pick<SuiteReference, 'suitesDir' | 'builtDir'>, folder = '.'): FoundSuite {
  if (isPath(reference)) {
    const path = resolve(folder, reference);
    const file = isFolder(path) ? join(path, FILE) : path;
    if (isInstalled(file, suitesDir)) return installed(basename(dirname(file)), suitesDir, builtDir);
    return { ...readDefinition(file), code: join(dirname(file), 'generate.mjs') };
  }
  const known = installedIds(suitesDir);
  if (known.includes(reference)) return installed(reference, suitesDir, builtDir);
  throw suiteUnknown(reference, known, suitesDir, folder);
}

/**
 * The error of a name that no suite has. A name is never taken for a path, so that no folder can stand in for a suite; where it could be one,
 * the error says how to write it.
 *
 * @param known the names of suites
 * @param folder where names that are paths begin
 */
export function suiteUnknown(name: string, known: readonly string[], suitesDir: string, folder = '.'): LetheError {
  const meant = existsSync(join(folder, name, FILE)) ? ` Did you mean the folder ${quoted(`./${name}`)}?` : didYouMean(name, known);
  return new LetheError('LETHE_SUITE_UNKNOWN', `there is no suite called "${name}".${meant}`, {
    where: suitesDir,
    remedy: `${known.length > 0 ? `choose one of: ${known.join(', ')}; or ` : ''}give the path of a suite.yaml or of its folder`,
  });
}

/** What to call a suite on a command line: its id where it is an installed one, else the path of its file. */
export const nameOf = ({ file, definition: { id } }: FoundSuite, { suitesDir }: SuiteReference): string =>
  (isInstalled(file, suitesDir) ? id : quoted(file));

function summaryOf({ file, definition }: LocatedDefinition): SuiteSummary {
  const { id, version, kind, title, sizes, tasks, orders, supersededBy } = definition;
  return {
    id, version, kind, title, file,
    sizes: Object.keys(sizes),
    tasks: tasks.map((task) => task.id),
    orders: orders.map((order) => order.id),
    needsData: tasks.some((task) => task.rows === 'files' && !existsSync(join(dirname(file), task.folder))),
    probesOnly: orders.length === 0,
    ...(supersededBy === undefined ? {} : { supersededBy }),
  };
}

/** What a list would say of the suite of a path; throws what {@link findSuite} throws. */
export const summaryAt = (path: string, reference: Pick<SuiteReference, 'suitesDir' | 'builtDir'>): SuiteSummary => summaryOf(findSuite(path, reference));

/**
 * The installed suites, sorted by id, then those of other files.
 *
 * @param files paths of suite.yaml outside of `suitesDir`
 * @throws LetheError LETHE_SUITE_INVALID for the first whose file cannot be used
 */
export function listSuites(suitesDir: string, files: readonly string[] = []): SuiteSummary[] {
  return [...installedIds(suitesDir).map((folder) => installed(folder, suitesDir, suitesDir)), ...files.map(readDefinition)].map(summaryOf);
}

/**
 * Whether a suite holds probes for other suites, and no stream of its own.
 *
 * @throws LetheError LETHE_SUITE_UNKNOWN, LETHE_SUITE_INVALID
 */
export async function isForProbes(reference: SuiteReference): Promise<boolean> {
  return (await openSuite(reference)).definition.orders.length === 0;
}

/**
 * Whether all rows of a suite are made by its code, so that there are no files of it.
 *
 * @throws LetheError LETHE_SUITE_UNKNOWN, LETHE_SUITE_INVALID
 */
export async function isGenerated(reference: SuiteReference): Promise<boolean> {
  return (await openSuite(reference)).definition.tasks.every(({ rows }) => rows === 'generated');
}
