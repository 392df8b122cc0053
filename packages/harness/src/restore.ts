import { LetheError, createRandom, quoted } from '@lethe/core';
import { Host } from './host.js';
import { type Job, runName } from './job.js';
import type { Forward } from './loss.js';
import type { StreamDependencies } from './protocol.js';
import { orderedTasks, stagesOf } from './stages.js';
import { readStep, stepKey } from './steps.js';

/**
 * A learner as it was after a step of a run, with its model: to score, to generate or to export with.
 *
 * @param step how many stages it has learned, from 1 (a stage is a task, or all of them for a joint run); the last by default
 * @throws LETHE_USAGE for a step that the run does not have, LETHE_RUN_STOPPED for one that it has not reached, LETHE_RUN_DAMAGED
 */
export async function restoreForward(job: Job, { device, model, suite, method }: StreamDependencies, step?: number): Promise<Forward> {
  const ordered = orderedTasks(job, suite);
  const stages = stagesOf(job, ordered);
  const wanted = step ?? stages.length;
  const where = `${job.outDir}: ${runName(job.identity)}`;
  if (wanted < 1 || wanted > stages.length) {
    throw new LetheError('LETHE_USAGE', `There is no step ${wanted}: the run has steps 1 to ${stages.length}.`, { where, remedy: 'Step n comes after n tasks were learned.' });
  }
  const scored = { tasks: ordered, probes: suite.probes };
  const found = await readStep(job, stepKey(job, model.sha256, scored, stages.slice(0, wanted).map(({ tasks }) => tasks)));
  if (!found) {
    throw new LetheError('LETHE_RUN_STOPPED', `Step ${wanted} of ${stages.length} has not been computed.`, { where, remedy: `Run: lethe resume ${quoted(job.outDir)}` });
  }
  const { capabilities } = job.identity.method;
  const host = new Host(device, model, job.identity.training, createRandom(job.identity.seed, 'method'), capabilities);
  const learner = method.create(host, { ...job.identity.method.options });
  host.learner = learner;
  learner.restore(found.state);
  return { model, learner, sites: host.sites, told: capabilities.taskIdentity };
}
