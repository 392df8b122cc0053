import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { LetheError, type Split } from '@lethe/core';
import type { Count, FileTask, GeneratedTask, TaskDefinition } from './definition.js';
import { generateRows, importGenerator } from './generated.js';
import type { FoundSuite, SuiteReference } from './reference.js';
import { type Placed, readRows } from './rows.js';
import { holdOut } from './sample.js';

/** A task or probe to load. Nothing but test rows is wanted of a probe. */
export interface Wanted<Task extends TaskDefinition = TaskDefinition> {
  /** The suite that defines it: for a probe another one than the suite that is loaded. */
  readonly suite: FoundSuite;
  readonly task: Task;
  readonly counts: Readonly<Record<Split, Count>>;
  readonly probe: boolean;
}

/** The rows of a task by split: all that its files hold, or as many as were to be generated. */
export type Pools = Readonly<Record<Split, readonly Placed[]>>;

/** Where the rows of a suite's tasks from files are looked for. */
const dataFolder = ({ file }: FoundSuite, { dataDir }: SuiteReference): string => (dataDir === undefined ? dirname(file) : resolve(dataDir));

const isFromFiles = (wanted: Wanted): wanted is Wanted<FileTask> => wanted.task.rows === 'files';

/** The splits that have a file of their own: those with a hash, or else train, test and, where it is there, validation. */
function splitsOf({ task: { sha256: hashes, folder }, probe }: Wanted<FileTask>, data: string): Split[] {
  if (probe) return ['test'];
  const validation = hashes ? hashes.validation !== undefined : existsSync(join(data, folder, 'validation.jsonl'));
  return ['train', ...(validation ? ['validation' as const] : []), 'test'];
}

/**
 * Refuses what has no files, naming all that are wanted before any is read.
 *
 * @throws LetheError LETHE_DATA_MISSING
 */
export function refuseMissing(wanted: readonly Wanted[], reference: SuiteReference): void {
  const fromFiles = wanted.filter(isFromFiles);
  for (const suite of new Set(fromFiles.map((one) => one.suite))) {
    const data = dataFolder(suite, reference);
    const missing = fromFiles.filter((one) => one.suite === suite)
      .flatMap((one) => splitsOf(one, data).map((split) => join(one.task.folder, `${split}.jsonl`)))
      .filter((file) => !existsSync(join(data, file)));
    if (missing.length === 0) continue;
    throw new LetheError('LETHE_DATA_MISSING', `rows of suite "${suite.definition.id}" are missing: ${missing.join(', ')}`, {
      where: data, remedy: 'give the folder that holds these files with --data-dir DIR; suites/README.md says what is in them',
    });
  }
}

/**
 * Reads or makes the rows of a task.
 *
 * @throws LetheError the errors of {@link readRows}, {@link importGenerator} and {@link generateRows}
 */
export async function poolsOf(wanted: Wanted, reference: SuiteReference): Promise<Pools> {
  return isFromFiles(wanted) ? readPools(wanted, dataFolder(wanted.suite, reference)) : makePools(wanted as Wanted<GeneratedTask>);
}

async function readPools(wanted: Wanted<FileTask>, data: string): Promise<Pools> {
  const { suite: { definition: { sizes, seed } }, task, probe } = wanted;
  const pools: Record<Split, Placed[]> = { train: [], validation: [], test: [] };
  const splits = splitsOf(wanted, data);
  const taken = new Map<string, string>();
  for (const split of splits) pools[split] = await readRows(join(data, task.folder, `${split}.jsonl`), split, task, taken);
  if (probe || splits.includes('validation')) return pools;
  // held out for every size alike as soon as one asks for it: no row is trained on in one size and tuned with in another
  const heldOut = Object.values(sizes).some(({ validation }) => validation !== 0);
  return heldOut ? { ...pools, ...holdOut(pools.train, seed) } : pools;
}

async function makePools({ suite, task, counts }: Wanted<GeneratedTask>): Promise<Pools> {
  const { seed, tasks } = suite.definition;
  const generator = await importGenerator(suite.code);
  const where = suite.locate(`/tasks/${tasks.indexOf(task)}`);
  const taken = new Map<string, string>();
  // a number: suite files that count generated rows as "all" are refused
  const made = (split: Split) => generateRows(generator, task.id, split, counts[split] as number, seed, where, taken);
  return { train: made('train'), validation: made('validation'), test: made('test') };
}
