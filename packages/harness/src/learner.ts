import { dirname } from 'node:path';
import { type Learner, type LearnerState, LetheError, arraysFault, createRandom, frameWithin, stateFault } from '@lethe/core';
import { Host } from './host.js';
import { type Job, runName } from './job.js';
import type { Forward } from './loss.js';
import type { StreamDependencies } from './protocol.js';

/** What every learner can do. */
const CALLS = ['begin', 'adapt', 'end', 'save', 'restore'] as const;

/**
 * Runs a method's own code; what it throws becomes LETHE_METHOD_FAILED with the line of the plugin that threw, unless it is a clear error already.
 *
 * @param what what the method was at, for its author
 */
export async function within<T>({ codePath }: Job, what: string, call: () => T | Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    if (cause instanceof LetheError) throw cause;
    const line = frameWithin(cause, dirname(codePath));
    throw new LetheError('LETHE_METHOD_FAILED', cause instanceof Error ? cause.message : String(cause), {
      where: line === undefined ? what : `${line}, ${what}`, remedy: 'Mend the method there. LETHE_DEBUG=1 prints where it was called from.', cause,
    });
  }
}

/**
 * The learner of a job that has seen no task yet, with what it is given and the model that it adapts.
 *
 * @throws LETHE_METHOD_FAILED where the method throws, or gives no learner
 */
export async function newLearner(job: Job, { device, model, method }: StreamDependencies): Promise<{ host: Host; forward: Forward }> {
  const { seed, training, method: { id, options, capabilities } } = job.identity;
  const host = new Host(device, model, training, createRandom(seed, 'method'), capabilities);
  const where = `${id}, ${runName(job.identity)}`;
  const learner = await within(job, where, () => method.create(host, { ...options }));
  const missing = CALLS.find((name) => typeof (learner as Partial<Learner> | undefined)?.[name] !== 'function');
  if (missing !== undefined) {
    throw new LetheError('LETHE_METHOD_FAILED', `create() gives no learner: it has no function "${missing}".`, { where, remedy: 'See Learner in packages/core/src/method.ts.' });
  }
  host.learner = learner;
  return { host, forward: { model, learner, sites: host.sites, told: capabilities.taskIdentity } };
}

/**
 * Holds a learner to its contract, and to what its manifest says of rows.
 *
 * @param rehearsal whether the manifest declares it
 * @throws LETHE_METHOD_FAILED for arrays that are none, LETHE_METHOD_CAPABILITY where it keeps rows, or chooses those of a step, undeclared
 */
export function checkLearner({ trainable, frozen, rows = [], batch }: Learner, rehearsal: boolean, where: string): void {
  const fault = arraysFault('trainable', trainable) ?? arraysFault('frozen', frozen);
  if (fault !== null) {
    throw new LetheError('LETHE_METHOD_FAILED', `The arrays of the learner cannot be used: ${fault}.`, {
      where, remedy: 'Give both trainable and frozen, as Float32Arrays with as many values as their shapes say.',
    });
  }
  if (rehearsal || (rows.length === 0 && !batch)) return;
  throw new LetheError('LETHE_METHOD_CAPABILITY', `A method ${batch ? 'chooses the rows of a step' : `keeps ${rows.length} rows`}, which its manifest does not declare.`, {
    where, remedy: 'Set "rehearsal" in the capabilities of its plugin.json, or do without rows.',
  });
}

/**
 * What a learner saves.
 *
 * @throws LETHE_METHOD_FAILED for what would not come back from a file as it was
 */
export function savedState(learner: Learner, where: string): LearnerState {
  const state: unknown = learner.save();
  const fault = stateFault(state);
  if (fault === null) return state as LearnerState;
  throw new LetheError('LETHE_METHOD_FAILED', `What save() gives cannot be kept: ${fault}.`, {
    where, remedy: 'Give arrays as Float32Arrays with as many values as their shapes say, and all else as plain JSON in json.',
  });
}
