import { dirname } from 'node:path';
import { type Capabilities, type Learner, LetheError, checkLearner, createRandom, declaredOptions, frameWithin } from '@lethe/core';
import { Host } from './host.js';
import { type Job, runName } from './job.js';
import type { Forward } from './loss.js';
import type { StreamDependencies } from './protocol.js';
import { MEND } from './scope.js';

/**
 * Runs a method's own code; what it throws becomes LETHE_METHOD_FAILED, unless it is a clear error already. One that names no place has the
 * line of the plugin that it came by.
 *
 * @param what what the method was at, which stands behind the line
 */
export async function within<T>({ codePath }: Job, what: string, call: () => T | Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    if (cause instanceof LetheError && cause.where !== undefined) throw cause;
    const line = frameWithin(cause, dirname(codePath));
    const where = line === undefined ? what : `${line}, ${what}`;
    if (cause instanceof LetheError) throw cause.with({ where });
    throw new LetheError('LETHE_METHOD_FAILED', cause instanceof Error ? cause.message : String(cause), { where, remedy: MEND, cause });
  }
}

/**
 * The learner of a job that has seen no task yet, with what it is given and the model that it adapts.
 *
 * @throws LETHE_METHOD_FAILED where the method throws, or gives no learner
 */
export async function newLearner(job: Job, { device, model, method }: StreamDependencies, stop: () => boolean = () => false): Promise<{ host: Host; forward: Forward }> {
  const { seed, training, method: { id, options, capabilities } } = job.identity;
  const host = new Host(device, model, training, createRandom(seed, 'method'), capabilities, { stop, microBatch: job.microBatch });
  const learner = await within(job, `${id}, ${runName(job.identity)}`, () => checkLearner(method.create(host, declaredOptions(options))));
  host.learner = learner;
  return { host, forward: host.forward() };
}

/**
 * Holds a learner, at the beginning and the end of a task, to its contract and to what its manifest says of rows.
 *
 * @throws LETHE_METHOD_FAILED for arrays that are none, LETHE_METHOD_CAPABILITY where it keeps rows, or chooses those of a step, undeclared
 */
export function checkTrained(learner: Learner, { rehearsal, pseudoRehearsal }: Capabilities, where: string): void {
  const { rows = [], batch } = checkLearner(learner);
  if (rehearsal || (rows.length === 0 && (pseudoRehearsal || !batch))) return;
  throw new LetheError('LETHE_METHOD_CAPABILITY', `A method ${rows.length === 0 ? 'chooses the rows of a step' : `keeps ${rows.length} rows`}, which its manifest does not declare.`, {
    where, remedy: 'Set "rehearsal" in the capabilities of its plugin.json, "pseudoRehearsal" where it makes rows and keeps none, or do without.',
  });
}
