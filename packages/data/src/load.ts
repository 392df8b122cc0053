import { dirname } from 'node:path';
import { LetheError, type SuiteData, type SuiteTerms, type Split, type TaskData, type WrittenAnswers, didYouMean, sha256 } from '@lethe/core';
import { budgetOf } from './budget.js';
import type { Size, TaskDefinition } from './definition.js';
import { emptyError, fileOf } from './files.js';
import { type Overlap, overlapsOf } from './near.js';
import { Prompts } from './overlap.js';
import { type Pools, type Wanted, isFromFiles, missingError, missingFiles, ownerOf, poolsOf, wantedFiles } from './pools.js';
import { type FoundSuite, type SuiteReference, findSuite, openSuite } from './reference.js';
import { stopNotes } from './stopped.js';

const SPLITS: readonly Split[] = ['train', 'validation', 'test'];
/** The size of a suite where none is asked for. */
export const DEFAULT_SIZE = 'full';

/** A suite and what one should know of its rows. */
export interface InspectedSuite {
  readonly suite: SuiteData;
  /** Rows that were left out, ids to leave out that no row has, probes that are not there, and answers that cannot be written whole. */
  readonly notes: readonly string[];
  /** Rows that are nearly the same in two places, among those that are used. */
  readonly overlaps: readonly Overlap[];
}

/**
 * Loads a suite: finds its file, reads or makes its rows, fills in prompts and applies the size. The same reference gives
 * the same rows on every machine; the seeds of runs have no part in them.
 *
 * @throws LetheError LETHE_SUITE_UNKNOWN for an unknown suite or size, LETHE_SUITE_INVALID, LETHE_DATA_MISSING,
 * LETHE_DATA_CHANGED, LETHE_DATA_ROW
 */
export async function loadSuite(reference: SuiteReference): Promise<SuiteData> {
  return (await read(reference, false)).suite;
}

/** {@link loadSuite}, with what one should know before trusting its numbers. */
export async function inspectSuite(reference: SuiteReference): Promise<InspectedSuite> {
  const { suite, pools, notes } = await read(reference, true);
  const overlaps = overlapsOf([...pools].flatMap(([one, { rows, shots }]) => {
    const part = { owner: ownerOf(one), probe: one.probe };
    return [...SPLITS.map((split) => ({ ...part, split, rows: rows[split] })), { ...part, split: 'fewshot' as const, rows: shots }];
  }));
  return { suite, notes: [...notes, ...stopNotes([...suite.tasks, ...suite.probes])], overlaps };
}

/**
 * The error of files that are not there, where none is: neither those of the suite's tasks nor, where these are there, those of its probes.
 * Null where some are, and one would not say that rows lie elsewhere.
 *
 * @throws LetheError LETHE_SUITE_UNKNOWN, LETHE_SUITE_INVALID
 */
export async function absentRows(reference: SuiteReference): Promise<LetheError | null> {
  const found = await openSuite(reference);
  const size = reference.size ?? DEFAULT_SIZE;
  const tasks = found.definition.tasks.map((task): Wanted => ({ suite: found, task, counts: sizeOf(found, size), probe: false }));
  const first = [tasks, found.definition.probes?.optional ? [] : probesOf(found, size, reference)].find((wanted) => missingFiles(wanted, reference).length > 0);
  const missing = first ? missingFiles(first, reference) : [];
  return first && missing.length === wantedFiles(first, reference).length ? missingError(missing, reference) : null;
}

/**
 * The terms of a suite, from its file alone: no rows are read. Scorers of plugins that it names have to be known.
 *
 * @throws LetheError LETHE_SUITE_UNKNOWN for an unknown suite, size or prompts, LETHE_SUITE_INVALID
 */
export function suiteTerms(reference: SuiteReference): SuiteTerms {
  const found = findSuite(reference.reference, reference);
  const { size = DEFAULT_SIZE } = reference;
  const counts = sizeToTrain(found, size, reference.prompts);
  const { orders, probes } = found.definition;
  return {
    orders, ...budgetOf(found.definition, counts, reference.training),
    probes: probesOf(found, size, reference).map(({ task }) => task.id), probesOptional: probes?.optional ?? false,
  };
}

/** @param repeats whether it is noted which rows stand more than once */
async function read(reference: SuiteReference, repeats: boolean): Promise<{ suite: SuiteData; pools: ReadonlyMap<Wanted, Pools>; notes: string[] }> {
  const found = await openSuite(reference);
  const { id, version, kind, title, orders } = found.definition;
  const { size = DEFAULT_SIZE, prompts: asked } = reference;
  const counts = sizeToTrain(found, size, asked);
  const tasks = found.definition.tasks.map((task): Wanted => ({ suite: found, task: prompted(task, asked), counts, probe: false }));
  const missing = missingFiles(tasks, reference);
  if (missing.length > 0) throw missingError(missing, reference);
  // what is tuned may see no row by which it is judged later, and probes have no others
  const { probes, notes } = reference.scored === 'validation' ? { probes: [], notes: [] }
    : availableProbes(found, probesOf(found, size, reference), reference);
  const prompts = new Prompts(repeats);
  const pools = new Map<Wanted, Pools>();
  for (const one of [...tasks, ...probes]) pools.set(one, await poolsOf(one, prompts, reference));
  prompts.refuse();
  notes.push(...prompts.notes());
  const data = (list: readonly Wanted[]) => list.map((one) => taskData(one, pools.get(one)!, reference, counts.answerTokens));
  for (const [one, { skipped, unmet }] of pools) {
    const [rows, are] = skipped === 1 ? ['row', 'is'] : ['rows', 'are'];
    if (skipped > 0) notes.push(`${skipped} ${rows} of ${ownerOf(one)} cannot be used and ${are} left out`);
    if (unmet.length > 0) notes.push(`no row of ${ownerOf(one)} has an id that is to be left out: ${unmet.join(', ')}`);
  }
  const suite: SuiteData = {
    id, version, kind, title, orders, size, ...budgetOf(found.definition, counts, reference.training), ...(asked !== undefined && { prompts: asked }), tasks: data(tasks), probes: data(probes),
  };
  return { suite, pools, notes };
}

/** The size of this name of a suite to train on, which has these prompts. Throws LETHE_SUITE_INVALID for a suite of probes, LETHE_SUITE_UNKNOWN. */
function sizeToTrain(found: FoundSuite, size: string, prompts: string | undefined): Size {
  const { id, training } = found.definition;
  if (training === undefined) {
    throw new LetheError('LETHE_SUITE_INVALID', `suite "${id}" holds probes: it has no rows to train on`, {
      where: found.file, remedy: `name it in another suite: probes: { suite: ${id} }`,
    });
  }
  const counts = sizeOf(found, size);
  if (prompts !== undefined) checkPrompts(found, prompts);
  return counts;
}

function checkPrompts({ definition: { id, prompts = {} }, file, locate }: FoundSuite, name: string): void {
  if (Object.hasOwn(prompts, name)) return;
  const known = Object.keys(prompts);
  throw new LetheError('LETHE_SUITE_UNKNOWN', `suite "${id}" has no other prompts called "${name}".${didYouMean(name, known)}`, {
    where: known.length > 0 ? locate('/prompts') : file,
    remedy: known.length > 0 ? `choose one of: ${known.join(', ')}` : 'leave --prompts away: it has its own alone',
  });
}

/** A task with the prompt of this name; with its own one where it has no such. */
function prompted(task: TaskDefinition, name: string | undefined): TaskDefinition {
  if (task.rows === 'generated' || name === undefined) return task;
  return { ...task, prompt: task.prompts?.[name] ?? task.prompt };
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

/** All probes, or none where they may be absent and a file of theirs is: a mean over some of them would be another number. */
function availableProbes(
  { definition: { probes: named } }: FoundSuite, probes: readonly Wanted[], reference: SuiteReference,
): { probes: readonly Wanted[]; notes: string[] } {
  const missing = missingFiles(probes, reference);
  if (missing.length === 0) return { probes, notes: [] };
  if (!named?.optional || reference.probes === 'required') throw missingError(missing, reference);
  return { probes: [], notes: [`no probes of general ability: ${missingError(missing, reference).message}`] };
}

function noRows(wanted: Wanted, split: Split, reference: SuiteReference): LetheError {
  const { suite, task } = wanted;
  const file = isFromFiles(wanted) ? fileOf(suite, wanted.task, split, reference) : undefined;
  return file === undefined ? emptyError(task.id, split, suite.file, 'choose a size with validation rows') : emptyError(task.id, split, file);
}

/** @param most tokens of an answer that the size allows */
const answersOf = ({ scorer, maxTokens, stop }: WrittenAnswers, most = Infinity): WrittenAnswers => ({ scorer, maxTokens: Math.min(maxTokens, most), stop });

function taskData(wanted: Wanted, { rows, skipped }: Pools, reference: SuiteReference, most: number | undefined): TaskData {
  const { task, probe } = wanted;
  const { id, title } = task;
  const scored: Split = reference.scored ?? 'test';
  const used = (split: Split) => rows[split].map(({ example }) => example);
  const empty = (probe ? [scored] : ['train', scored] as const).find((split) => rows[split].length === 0);
  if (empty) throw noRows(wanted, empty, reference);
  const splits = { train: used('train'), validation: used('validation'), test: used(scored) };
  const written = task.written ? { written: answersOf(task.written, most) } : {};
  return { id, title, ...splits, ...written, sha256: sha256({ ...splits, ...written }), ...(skipped > 0 && { skippedRows: skipped }) };
}
