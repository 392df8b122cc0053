import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SuiteData } from '@lethe/core';
import type { Job } from './job.js';
import { orderedTasks, stagesOf } from './stages.js';
import { ALIKE, STEP, STEPS, stepNames } from './steps.js';

/** The files of all steps of a job. */
function filesOf(job: Job, suite: SuiteData): string[] {
  const ordered = orderedTasks(job, suite);
  const scored = { tasks: ordered, probes: suite.probes };
  return stepNames(job, job.identity.model.sha256, scored, stagesOf(job, ordered)).map(({ whole }) => `${whole}${STEP}`);
}

/**
 * Removes the steps of a run folder in whose place there is another, trained alike and scored on other rows: those of a stream before it got
 * a task more, which would pile up month by month. What was trained stays in the other one.
 *
 * @param jobs all that the folder is for: what they have is kept in any case
 * @param suite the rows of them
 */
export async function dropSuperseded(folder: string, jobs: readonly Job[], suite: SuiteData): Promise<void> {
  const steps = join(folder, STEPS);
  const names = await readdir(steps);
  const [files, pointers] = [STEP, ALIKE].map((ending) => names.filter((name) => name.endsWith(ending)));
  // every step has a pointer to it, but for those from which it was taken
  if (files!.length <= pointers!.length) return;
  const kept = new Set(jobs.flatMap((job) => filesOf(job, suite)));
  for (const pointer of pointers!) kept.add(`${await readFile(join(steps, pointer), 'utf8')}${STEP}`);
  for (const file of files!) if (!kept.has(file)) await rm(join(steps, file));
}
