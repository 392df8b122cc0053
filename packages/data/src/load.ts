import { dirname } from 'node:path';
import { LetheError, type SuiteData, type Split, type TaskData, didYouMean, sha256 } from '@lethe/core';
import type { Size } from './definition.js';
import { refuseOverlap } from './overlap.js';
import { type Pools, type Wanted, poolsOf, refuseMissing } from './pools.js';
import { type FoundSuite, type SuiteReference, findSuite } from './reference.js';
import { sample } from './sample.js';

const SPLITS: readonly Split[] = ['train', 'validation', 'test'];
const DEFAULT_SIZE = 'full';

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
    ...probesOf(suite, size, reference),
  ];
  refuseMissing(wanted, reference);
  const pools = new Map<Wanted, Pools>();
  for (const one of wanted) pools.set(one, await poolsOf(one, reference));
  refuseOverlap([...pools].flatMap(([{ task, probe }, splits]) => SPLITS.map((split) =>
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

function probesOf(suite: FoundSuite, size: string, reference: SuiteReference): Wanted[] {
  const { probes, tasks, sizes } = suite.definition;
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
    const count = sizes[size]!.probe!;
    if (count === 'all' && task.rows === 'generated') {
      refuse(`/sizes/${size}/probe`, `there is no end to the generated rows of probe "${id}"`, 'give a number');
    }
    return { suite: source, task, counts: { train: 0, validation: 0, test: count }, probe: true };
  });
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
