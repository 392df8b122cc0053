import { LetheError, quoted } from '@lethe/core';
import { type Job, runName } from './job.js';
import { newLearner, within } from './learner.js';
import type { Forward } from './loss.js';
import type { StreamDependencies } from './protocol.js';
import { orderedTasks, stagesOf } from './stages.js';
import { readStep, stepNames } from './steps.js';

/**
 * A learner as it was after a step of a run, with its model: to score, to generate or to export with.
 *
 * @param step how many stages it has learned, from 1 (a stage is a task, or all of them for a joint run); the last by default
 * @throws LETHE_USAGE for a step that the run does not have, LETHE_RUN_STOPPED for one that it has not reached, LETHE_RUN_DAMAGED,
 * LETHE_METHOD_FAILED
 */
export async function restoreForward(job: Job, deps: StreamDependencies, step?: number): Promise<Forward> {
  const ordered = orderedTasks(job, deps.suite);
  const stages = stagesOf(job, ordered);
  const wanted = step ?? stages.length;
  const where = `${job.outDir}: ${runName(job.identity)}`;
  if (wanted < 1 || wanted > stages.length) {
    throw new LetheError('LETHE_USAGE', `There is no step ${wanted}: the run has steps 1 to ${stages.length}.`, { where, remedy: 'Step n comes after n tasks were learned.' });
  }
  const scored = { tasks: ordered, probes: deps.suite.probes };
  const found = await readStep(job, stepNames(job, deps.model.sha256, scored, stages)[wanted]!);
  if (!found) {
    throw new LetheError('LETHE_RUN_STOPPED', `Step ${wanted} of ${stages.length} has not been computed.`, { where, remedy: `Run: lethe resume ${quoted(job.outDir)}` });
  }
  const { forward } = await newLearner(job, deps);
  await within(job, where, () => forward.learner.restore(found.state));
  return forward;
}
