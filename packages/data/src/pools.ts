import { join } from 'node:path';
import { LetheError, type Split } from '@lethe/core';
import type { Count, FileKind, FileTask, GeneratedTask, TaskDefinition } from './definition.js';
import { dataFolder, fileOf, kindsOf } from './files.js';
import { generateRows, importGenerator } from './generated.js';
import type { Prompts } from './overlap.js';
import { checkHash } from './records.js';
import { type FoundSuite, type SuiteReference, nameOf } from './reference.js';
import { type Placed, RowReader } from './rows.js';
import { HoldOut, Sampler } from './sample.js';
import { Places, Seen } from './seen.js';
import { type Shot, Shots } from './shots.js';

/** A task or probe to load. Nothing but test rows is wanted of a probe. */
export interface Wanted<Task extends TaskDefinition = TaskDefinition> {
  /** The suite that defines it: for a probe another one than the suite that is loaded. */
  readonly suite: FoundSuite;
  readonly task: Task;
  readonly counts: Readonly<Record<Split, Count>>;
  readonly probe: boolean;
}

/** The rows of a task as they are used, by split, and how many could not be. */
export interface Pools {
  readonly rows: Readonly<Record<Split, readonly Placed[]>>;
  readonly skipped: number;
  /** The rows that stand, answered, before others. */
  readonly shots: readonly Shot[];
  /** Ids that the task says to leave out and that no row has. */
  readonly unmet: readonly string[];
}

export const ownerOf = ({ task: { id }, probe }: Wanted): string => `${probe ? 'probe' : 'task'} "${id}"`;
export const isFromFiles = (wanted: Wanted): wanted is Wanted<FileTask> => wanted.task.rows === 'files';

/** A file that a suite wants: its path below the data folder. */
export interface WantedFile {
  readonly wanted: Wanted<FileTask>;
  readonly kind: FileKind;
  readonly path: string;
}

/** The files that are wanted, in the order of the tasks. */
export function wantedFiles(wanted: readonly Wanted[], reference: SuiteReference): WantedFile[] {
  return wanted.filter(isFromFiles).flatMap((one) => kindsOf(one.suite, one.task, one.probe, reference)
    .map((kind) => ({ wanted: one, kind, path: join(one.task.folder, `${kind}.jsonl`) })));
}

/** Those that are nowhere. */
export function missingFiles(wanted: readonly Wanted[], reference: SuiteReference): WantedFile[] {
  return wantedFiles(wanted, reference).filter(({ wanted: { suite, task }, kind }) => fileOf(suite, task, kind, reference) === undefined);
}

/** One error that names every missing file of a suite, and where they may be put or had from. */
export function missingError(missing: readonly WantedFile[], reference: SuiteReference): LetheError {
  const [{ wanted: { suite } }] = missing as [WantedFile];
  const own = missing.filter(({ wanted }) => wanted.suite === suite);
  const id = suite.definition.id;
  const pull = own.every(({ wanted: { task } }) => task.source) ? `lethe data pull ${nameOf(suite, reference)}, or ` : '';
  return new LetheError('LETHE_DATA_MISSING', `rows of suite "${id}" are missing: ${own.map(({ path }) => path).join(', ')}`, {
    where: dataFolder(suite, reference), remedy: `${pull}give the folder that holds these files (or .json, .csv, .parquet) with --data-dir DIR; suites/README.md says what is in them`,
  });
}

/**
 * Reads or makes the rows of a task, and takes those of its samples.
 *
 * @param prompts the prompts of all tasks so far; added to
 * @throws LetheError LETHE_DATA_ROW with file:line (unless such rows are skipped), LETHE_DATA_CHANGED, LETHE_DATA_MISSING,
 * LETHE_SUITE_INVALID for a prompt among the rows before it, and from {@link importGenerator} and {@link generateRows}
 */
export async function poolsOf(wanted: Wanted, prompts: Prompts, reference: SuiteReference): Promise<Pools> {
  return isFromFiles(wanted) ? new TaskReader(wanted, prompts, reference).read() : makePools(wanted as Wanted<GeneratedTask>, prompts);
}

/** Reads the files of one task. */
class TaskReader {
  private readonly ids = new Seen();
  private readonly places = new Places();
  private skipped = 0;
  private reader!: RowReader;

  constructor(private readonly wanted: Wanted<FileTask>, private readonly prompts: Prompts, private readonly reference: SuiteReference) {}

  async read(): Promise<Pools> {
    const { suite, task, probe, counts } = this.wanted;
    const kinds = kindsOf(suite, task, probe, this.reference);
    for (const kind of kinds) await checkHash(this.fileOf(kind), task.sha256?.[kind]);
    const shots = task.shots && await Shots.read(task, this.fileOf('fewshot'), task.shots.count);
    this.reader = new RowReader(task, shots);
    const { sizes, seed } = suite.definition;
    // held out for every size alike as soon as one asks for it: no row is trained on in one size and tuned with in another
    const heldOut = !probe && !kinds.includes('validation') && Object.values(sizes).some(({ validation }) => validation !== 0);
    const samplers = { train: new Sampler(counts.train, seed), validation: new Sampler(counts.validation, seed), test: new Sampler(counts.test, seed) };
    if (heldOut) await this.divide(samplers);
    for (const split of kinds) {
      if (split === 'fewshot' || (heldOut && split === 'train')) continue;
      const check = this.prompts.part({ owner: ownerOf(this.wanted), split }, (at) => `${this.fileOf(split)}:${at}`);
      await this.each(split, true, (row) => {
        check(row);
        if (split === 'test') shots?.check(row, ownerOf(this.wanted));
        samplers[split].offer(row);
      });
    }
    const rows = { train: samplers.train.rows(), validation: samplers.validation.rows(), test: samplers.test.rows() };
    // of a probe not all files are read
    return { rows, skipped: this.skipped, shots: shots?.all() ?? [], unmet: probe ? [] : [...this.reader.unmet] };
  }

  /** Reads the training file twice: to know the tenth that is held out, and to take it. */
  private async divide(samplers: Readonly<Record<Split, Sampler>>): Promise<void> {
    const holdOut = new HoldOut(this.wanted.suite.definition.seed);
    const place = this.placesOf('train');
    await this.each('train', true, (row) => holdOut.show(row), place);
    const name = (at: number) => `${this.fileOf('train')}:${at}`;
    const owner = ownerOf(this.wanted);
    const checks = { train: this.prompts.part({ owner, split: 'train' }, name), validation: this.prompts.part({ owner, split: 'validation' }, name) };
    await this.each('train', false, (row) => {
      const split = holdOut.splitOf(row);
      if (split === null) return;
      checks[split](row);
      samplers[split].offer(row);
    }, place);
  }

  private fileOf(kind: FileKind): string {
    return fileOf(this.wanted.suite, this.wanted.task, kind, this.reference)!;
  }

  private placesOf(kind: FileKind): (at: number) => number {
    const file = this.fileOf(kind);
    return this.places.part((at) => `${file}:${at}`);
  }

  /** @param counted whether rows that cannot be used count: they do once */
  private async each(kind: FileKind, counted: boolean, take: (row: Placed) => void, place = this.placesOf(kind)): Promise<void> {
    const onFault = (fault: LetheError) => {
      if (!this.reference.skipBadRows) throw withSkipping(fault);
      if (counted) this.skipped++;
    };
    for await (const rows of this.reader.read(this.fileOf(kind), this.ids, this.places, place, onFault)) rows.forEach(take);
  }
}

/** A fault of a row, whose remedy says as well how to do without the row. */
const withSkipping = ({ code, message, where, remedy, cause }: LetheError): LetheError =>
  new LetheError(code, message, { ...(where !== undefined && { where }), remedy: `${remedy}; --skip-bad-rows leaves such rows out, and lethe data verify counts them`, cause });

async function makePools(wanted: Wanted<GeneratedTask>, prompts: Prompts): Promise<Pools> {
  const { suite, task, counts } = wanted;
  const { seed, tasks } = suite.definition;
  const generator = await importGenerator(suite.code);
  const where = suite.locate(`/tasks/${tasks.indexOf(task)}`);
  const taken = new Map<string, string>();
  const made = (split: Split): Placed[] => {
    // a number: suite files that count generated rows as "all" are refused
    const rows = generateRows(generator, task, split, counts[split] as number, seed, where, taken);
    rows.forEach(prompts.part({ owner: ownerOf(wanted), split }, (at) => rows[at]!.where));
    return rows;
  };
  return { rows: { train: made('train'), validation: made('validation'), test: made('test') }, skipped: 0, shots: [], unmet: [] };
}
