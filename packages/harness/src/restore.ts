import { LetheError, quoted } from '@lethe/core';
import { type Job, runName } from './job.js';
import { newLearner, within } from './learner.js';
import type { Forward } from './loss.js';
import type { StreamDependencies } from './protocol.js';
import { readStep, stepNames } from './steps.js';

/**
 * A learner as it was after a step of a run, with its model: to score, to generate or to export with.
 *
 * @param step how many stages it has learned, from 1 (a stage is a task, or all of them for a joint run); the last by default
 * @throws LETHE_USAGE for a step that the run does not have, LETHE_RUN_STOPPED for one that it has not reached, LETHE_RUN_DAMAGED,
 * LETHE_METHOD_FAILED
 */
export async function restoreForward(job: Job, deps: StreamDependencies, step?: number): Promise<Forward> {
  const names = stepNames(job, deps.model.sha256, deps.suite);
  const last = names.length - 1;
  const wanted = step ?? last;
  const where = `${job.outDir}: ${runName(job.identity)}`;
  if (wanted < 1 || wanted > last) {
    throw new LetheError('LETHE_USAGE', `There is no step ${wanted}: the run has steps 1 to ${last}.`, { where, remedy: 'Step n comes after n tasks were learned.' });
  }
  const found = await readStep(job, names[wanted]!);
  if (!found) {
    throw new LetheError('LETHE_RUN_STOPPED', `Step ${wanted} of ${last} has not been computed.`, { where, remedy: `Run: lethe resume ${quoted(job.outDir)}` });
  }
  const { forward } = await newLearner(job, deps);
  await within(job, where, () => forward.learner.restore(found.state));
  return forward;
}
