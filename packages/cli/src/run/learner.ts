import { resolve } from 'node:path';
import { LETHE_VERSION } from '@lethe/core';
import type { Device } from '@lethe/engine';
import type { Forward, Job } from '@lethe/harness';
import type { Command } from 'commander';
import { chosen } from '../chosen.js';
import { methodLabels } from '../labels.js';
import { type Configuration, jobsOf } from './configuration.js';
import { readRecord } from './record.js';
import { parseInteger } from './request.js';

/** Which learner of a run is meant; what is left out is the only one there is. */
export interface LearnerFlags {
  readonly method?: string;
  readonly order?: string;
  readonly seed?: string;
  readonly step?: number;
}

const MOST_STEPS = 1000;

/** Adds the flags of {@link LearnerFlags}. */
export function addLearnerOptions(command: Command): Command {
  return command
    .option('--method <name>', 'which method of the run, as its table names it (default: the only one)')
    .option('--order <id>', 'which order (default: the only one)')
    .option('--seed <number>', 'which seed (default: the only one)')
    .option('--step <n>', 'after how many tasks (default: all)', (text) => parseInteger('--step', text, 1, MOST_STEPS));
}

/** A learner of a run with its model, as it was after a step. */
export interface OpenLearner {
  readonly forward: Forward;
  /** The device of the run, which the caller disposes of. */
  readonly device: Device;
  /** What the run calls its method. */
  readonly method: string;
  /** Method, order and seed in words. */
  readonly name: string;
  readonly model: Configuration['model'];
}

/**
 * Opens the learner that is meant.
 *
 * @param run the run folder
 * @throws LetheError LETHE_USAGE where it is open which one is meant, and the errors of `readRecord`, `composeRun` and `restoreForward`
 */
export async function openLearner(run: string, { method, order, seed, step }: LearnerFlags): Promise<OpenLearner> {
  const { composeRun, createContainer, restoreForward } = await import('@lethe/harness');
  const folder = resolve(run);
  const { configuration, code } = await readRecord(folder);
  const { methods, orders, seeds, model } = configuration;
  const labels = methodLabels(methods);
  const at = chosen('--method', labels, method);
  const one = {
    methods: [methods[at]!],
    orders: [orders[chosen('--order', orders.map(({ id }) => id), order)]!],
    seeds: [seeds[chosen('--seed', seeds.map(String), seed)]!],
  };
  const [described] = jobsOf({ ...configuration, ...one }, folder, { lethe: LETHE_VERSION, git: null });
  const job: Job = { ...described!, ...(code && { code: code[described!.identity.method.id]! }) };
  const dependencies = await composeRun(createContainer(), job);
  const { device } = dependencies;
  try {
    const forward = await restoreForward(job, dependencies, step);
    return { forward, device, method: labels[at]!, name: `${labels[at]!}, order ${one.orders[0]!.id}, seed ${one.seeds[0]}`, model };
  } catch (error) {
    await device.dispose();
    throw error;
  }
}
