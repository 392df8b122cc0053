import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SuiteData } from '@lethe/core';
import type { Job } from './job.js';
import { ALIKE_ENDING, STEPS, STEP_ENDING, stepNames } from './steps.js';

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
  const files = names.filter((name) => name.endsWith(STEP_ENDING));
  const pointers = names.filter((name) => name.endsWith(ALIKE_ENDING));
  // every step has a pointer to it, but for those from which it was taken
  if (files.length <= pointers.length) return;
  const kept = new Set(jobs.flatMap((job) => stepNames(job, job.identity.model.sha256, suite).map(({ whole }) => whole)));
  for (const pointer of pointers) kept.add(await readFile(join(steps, pointer), 'utf8'));
  for (const file of files) if (!kept.has(file.slice(0, -STEP_ENDING.length))) await rm(join(steps, file));
}
