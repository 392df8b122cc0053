import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { LetheError, type Split, type SuiteData, type TaskData, didYouMean, sha256 } from '@lethe/core';
import type { Count, Size, TaskDefinition } from './definition.js';
import { generateRows, importGenerator } from './generated.js';
import { refuseOverlap } from './overlap.js';
import { type FoundSuite, type SuiteReference, findSuite } from './reference.js';
import { type Placed, readRows } from './rows.js';
import { holdOut, sample } from './sample.js';

const DEFAULT_SIZE = 'full';

/** All the rows of a task that there are (files) or that were asked for (generated), before sampling. */
type Pools = Readonly<Record<Split, readonly Placed[]>>;

/** A task to load. What a probe counts as `train` and `validation` is 0: it is only ever scored. */
interface Wanted {
  readonly suite: FoundSuite;
  readonly task: TaskDefinition;
  readonly counts: Readonly<Record<Split, Count>>;
  readonly probe: boolean;
}

/**
 * Loads a suite: finds its file, reads or makes its rows, fills in prompts and applies the size. The same reference gives
 * the same rows on every machine; the seeds of runs have no part in them.
 *
 * @throws LetheError LETHE_SUITE_UNKNOWN for an unknown suite or size, LETHE_SUITE_INVALID, LETHE_DATA_MISSING,
 * LETHE_DATA_CHANGED, LETHE_DATA_ROW
 */
export async function loadSuite(reference: SuiteReference): Promise<SuiteData> {
  const suite = findSuite(reference.reference, reference);
  const { id, version, kind, title, orders, training } = suite.definition;
  const size = reference.size ?? DEFAULT_SIZE;
  const counts = sizeOf(suite, size);
  const wanted: Wanted[] = [
    ...suite.definition.tasks.map((task) => ({ suite, task, counts, probe: false })),
    ...probesOf(suite, counts, reference),
  ];
  refuseMissing(wanted, reference);
  const pools = new Map<Wanted, Pools>();
  for (const one of wanted) pools.set(one, await poolsOf(one, reference));
  refuseOverlap([...pools].flatMap(([{ task, probe }, splits]) => (['train', 'validation', 'test'] as const).map((split) =>
    ({ owner: `${probe ? 'probe' : 'task'} "${task.id}"`, split, rows: splits[split] }))));
  const data = wanted.map((one) => ({ probe: one.probe, data: taskData(one, pools.get(one)!) }));
  return {
    id, version, kind, title, orders, training, size,
    tasks: data.filter(({ probe }) => !probe).map((entry) => entry.data),
    probes: data.filter(({ probe }) => probe).map((entry) => entry.data),
  };
}

function sizeOf({ definition: { sizes }, locate }: FoundSuite, name: string): Size {
  if (Object.hasOwn(sizes, name)) return sizes[name]!;
  const known = Object.keys(sizes);
  throw new LetheError('LETHE_SUITE_UNKNOWN', `the suite has no size "${name}".${didYouMean(name, known)}`, {
    where: locate('/sizes'), remedy: `choose one of: ${known.join(', ')}`,
  });
}

function probesOf(suite: FoundSuite, size: Size, reference: SuiteReference): Wanted[] {
  const { probes, tasks } = suite.definition;
  if (probes === undefined) return [];
  const refuse = (pointer: string, message: string, remedy: string): never => {
    throw new LetheError('LETHE_SUITE_INVALID', message, { where: suite.locate(pointer), remedy });
  };
  const source = findSuite(probes.suite, reference, dirname(suite.file));
  const known = source.definition.tasks;
  const ids = probes.tasks ?? known.map(({ id }) => id);
  return ids.map((id, i) => {
    const at = probes.tasks ? `/probes/tasks/${i}` : '/probes/suite';
    const task = known.find((one) => one.id === id)
      ?? refuse(at, `suite "${probes.suite}" has no task "${id}".${didYouMean(id, known.map((one) => one.id))}`, `its tasks are: ${known.map((one) => one.id).join(', ')}`);
    if (tasks.some((one) => one.id === id)) refuse(at, `"${id}" is a task of the suite and a probe`, 'rename the task, or choose other probes');
    return { suite: source, task, counts: { train: 0, validation: 0, test: size.probe! }, probe: true };
  });
}

/** Where the rows of a suite's tasks from files are looked for. */
const dataFolder = ({ file }: FoundSuite, { dataDir }: SuiteReference): string => (dataDir === undefined ? dirname(file) : resolve(dataDir));

/** Refuses a suite whose files are not there, naming all of them before any is read. */
function refuseMissing(wanted: readonly Wanted[], reference: SuiteReference): void {
  for (const suite of new Set(wanted.map((one) => one.suite))) {
    const folder = dataFolder(suite, reference);
    const missing = wanted.flatMap(({ suite: owner, task, probe }) => (owner !== suite || task.rows === 'generated' ? [] :
      (probe ? ['test'] : ['train', 'test']).map((split) => join(task.folder, `${split}.jsonl`)))).filter((file) => !existsSync(join(folder, file)));
    if (missing.length === 0) continue;
    throw new LetheError('LETHE_DATA_MISSING', `rows of suite "${suite.definition.id}" are missing: ${missing.join(', ')}`, {
      where: folder, remedy: 'give the folder that holds these files with --data-dir DIR; suites/README.md says what is in them',
    });
  }
}

async function poolsOf({ suite, task, counts, probe }: Wanted, reference: SuiteReference): Promise<Pools> {
  const { seed, tasks, sizes } = suite.definition;
  const taken = new Map<string, string>();
  if (task.rows === 'generated') {
    const generator = await importGenerator(suite.code);
    const where = suite.locate(`/tasks/${tasks.indexOf(task)}`);
    const made = (split: Split) => {
      const count = counts[split];
      // "all" cannot be: sizes of suites with generated tasks are numbers, but those of a probe are another suite's
      if (count === 'all') {
        throw new LetheError('LETHE_SUITE_INVALID', `there is no end to the generated rows of probe "${task.id}"`, { where, remedy: 'give the size a number of probe rows' });
      }
      return count === 0 ? [] : generateRows(generator, task.id, split, count, seed, where, taken);
    };
    return { train: made('train'), validation: made('validation'), test: made('test') };
  }
  const folder = join(dataFolder(suite, reference), task.folder);
  const read = (split: Split) => readRows(join(folder, `${split}.jsonl`), split, task, taken);
  if (probe) return { train: [], validation: [], test: await read('test') };
  const train = await read('train');
  const test = await read('test');
  if (existsSync(join(folder, 'validation.jsonl'))) return { train, validation: await read('validation'), test };
  // held out for every size alike as soon as one asks for it: no row is trained on in one size and tuned with in another
  const heldOut = Object.values(sizes).some(({ validation }) => validation !== 0);
  return heldOut ? { ...holdOut(train, seed), test } : { train, validation: [], test };
}

function taskData({ suite, task: { id, title }, counts, probe }: Wanted, pools: Pools): TaskData {
  const { seed } = suite.definition;
  const rows = (split: Split) => sample(pools[split], counts[split], seed).map(({ example }) => example);
  const splits = { train: rows('train'), validation: rows('validation'), test: rows('test') };
  const empty = (probe ? ['test'] as const : ['train', 'test'] as const).find((split) => splits[split].length === 0);
  if (empty) {
    throw new LetheError('LETHE_DATA_MISSING', `task "${id}" has no ${empty} rows`, { where: suite.file, remedy: `put rows into its ${empty}.jsonl` });
  }
  return { id, title, ...splits, sha256: sha256(splits) };
}
