import { availableParallelism } from 'node:os';
import { type Capabilities, type Order, type RunIdentity, type Sweep, type TrainingBudget, methodName } from '@lethe/core';
import type { SuiteReference } from '@lethe/data';
import type { Job } from '@lethe/harness';

/** A method of a benchmark, with all its options. */
export interface ConfiguredMethod {
  readonly id: string;
  /** What to call it, where it runs several times with other options. */
  readonly label?: string;
  readonly version: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly capabilities: Capabilities;
  readonly stream: 'continual' | 'joint';
  /** Of a trial: what was given of the options, and is not searched. */
  readonly given?: Readonly<Record<string, unknown>>;
  /** Path of its plugin.json. */
  readonly manifest: string;
  readonly codePath: string;
}

/**
 * All that determines the numbers of a benchmark, resolved: what `run.json` keeps, and what a run is continued from.
 * Plain JSON with absolute paths.
 */
export interface Configuration {
  readonly suite: RunIdentity['suite'] & {
    readonly reference: SuiteReference;
    /** sha256 of the rows of every task and probe, by id. */
    readonly data: Readonly<Record<string, string>>;
  };
  readonly methods: readonly ConfiguredMethod[];
  readonly orders: readonly Order[];
  readonly seeds: readonly number[];
  readonly model: RunIdentity['model'] & { readonly dir: string; readonly adapterDir?: string };
  /** Where runs are made, side by side where there are several. */
  readonly devices: readonly string[];
  readonly threads: number;
  /** Rows that are in memory at once; absent for all of a step. */
  readonly microBatch?: number;
  readonly training: TrainingBudget;
  /** Of a sweep: how many settings of each method are tried. Those of `methods` come first; what follows depends on how they did. */
  readonly trials?: number;
  /** Where the options of methods come from, if they were tuned. */
  readonly sweep?: Sweep;
  /** Places, among all jobs, of those that are wanted; absent for all. */
  readonly picked?: readonly number[];
}

/** How many methods a configuration has; all trials of one, or of one of its variants, are one. */
export const methodCount = ({ methods }: Pick<Configuration, 'methods'>): number => new Set(methods.map(methodName)).size;

/** How many runs it takes. */
export function runCount({ methods, orders, seeds, trials, picked }: Configuration): number {
  if (picked) return picked.length;
  return (trials === undefined ? methods.length : methodCount({ methods }) * trials) * orders.length * seeds.length;
}

/** Runs at a time: as many as were asked for, else one a core, as a run on a cpu uses one thread, and one at a time on every other device, which all would share. */
export function workersFor({ devices, threads }: Configuration, asked: number | undefined): number {
  const isCpu = devices[0] === 'cpu' || devices[0] === 'tfjs-cpu';
  return asked ?? (isCpu ? Math.max(1, Math.floor(availableParallelism() / threads)) : devices.length);
}

/**
 * The jobs of a benchmark. All methods of one seed and order come before the next ones, so that methods can be compared
 * as soon as possible.
 *
 * @param folder the run folder
 */
export function jobsOf(configuration: Configuration, folder: string, origin: Job['origin']): Job[] {
  const { methods, orders, seeds, model, devices, threads, microBatch, training, picked } = configuration;
  const { reference, data: _, ...suite } = configuration.suite;
  const { dir: modelDir, adapterDir, ...named } = model;
  const all = seeds.flatMap((seed) => orders.flatMap((order) => methods.map(({ id, label, version, options, capabilities, codePath, stream }): Job => {
    const identity: RunIdentity = {
      suite,
      method: { id, ...(label !== undefined && { label }), version, options, capabilities },
      model: named,
      order, seed, training,
    };
    return {
      identity, codePath, stream, suite: reference, modelDir, ...(adapterDir !== undefined && { adapterDir }), device: devices[0]!, threads,
      ...(microBatch !== undefined && { microBatch }), outDir: folder, origin,
    };
  })));
  return picked ? picked.map((place) => all[place]!) : all;
}
