import { join } from 'node:path';
import type { CompletedRun, LearnerState, Row, TaskData } from '@lethe/core';
import { sha256, unlabelled } from '@lethe/core';
import { readArtefact, writeArtefact } from './artefact.js';
import type { Job } from './job.js';

/** Raised whenever the same job would give other numbers: artefacts of another version are not found again. */
const PROTOCOL = 4;

/** The answers to the test rows of a task: the options chosen, or what was written. */
export type Answers = readonly number[] | readonly string[];

/** What a step leaves behind, besides the arrays of the learner. */
export interface StepRecord {
  /** By task id, for tasks and probes; nothing for a step that was not scored. */
  readonly tasks: Readonly<Record<string, Answers>>;
  readonly probes: Readonly<Record<string, Answers>>;
  readonly cost: {
    readonly trainTokens: number;
    readonly trainSeconds: number;
    readonly evalSeconds: number;
    readonly trainableParameters: number;
    readonly peakBytes: number;
  };
  readonly report?: CompletedRun['report'];
}

export interface Step {
  readonly record: StepRecord;
  readonly state: LearnerState;
}

/** What is scored after every step. */
export interface Scored {
  readonly tasks: readonly TaskData[];
  readonly probes: readonly TaskData[];
}

/** What all steps of a stream have in common; scored tasks are sorted, so that orders share what they can. */
function common(job: Job, modelSha256: string, scored: Scored) {
  const hashes = (tasks: readonly TaskData[]) => tasks.map((task) => [task.id, task.sha256]).sort(([a], [b]) => (a! < b! ? -1 : 1));
  return {
    protocol: PROTOCOL, model: modelSha256, tasks: hashes(scored.tasks), probes: hashes(scored.probes),
    maxTokens: job.identity.training.maxTokens,
  };
}

/** The name of the base model's scores: no method, order or seed has a part in them. */
export function baseKey(job: Job, modelSha256: string, scored: Scored): string {
  return sha256({ ...common(job, modelSha256, scored), step: 'base' });
}

/** Whether the step after so many of the stages of a job is scored: of trials, which are judged by the end of the stream, only the last is. */
export const isScored = ({ identity }: Job, step: number, stages: number): boolean => identity.suite.scored !== 'validation' || step === stages;

/** The name of the step after these stages: the hash of all that determines it, the code of the method too, so that orders share their prefixes. */
export function stepKey(job: Job, modelSha256: string, scored: Scored, trained: readonly (readonly TaskData[])[]): string {
  const { method, seed, training } = job.identity;
  return sha256({
    ...common(job, modelSha256, scored), step: trained.map((stage) => stage.map((task) => task.sha256)), method: unlabelled(method), code: job.code, seed, training,
  });
}

const pathOf = (job: Job, key: string) => join(job.outDir, 'steps', `${key}.step`);

/** The step of this name, or undefined. Throws LETHE_RUN_DAMAGED. */
export async function readStep(job: Job, key: string): Promise<Step | undefined> {
  const artefact = await readArtefact<{ record: StepRecord; learner: unknown; rows?: readonly Row[] }>(pathOf(job, key));
  if (!artefact) return undefined;
  const { trainable = {}, frozen = {}, stored = {} } = artefact.groups;
  const { record, learner, rows } = artefact.json;
  return { record, state: { trainable, frozen, stored, json: learner, ...(rows ? { rows } : {}) } };
}

/** Writes a step atomically. */
export async function writeStep(job: Job, key: string, { record, state }: Step): Promise<void> {
  const { trainable, frozen, stored, json, rows } = state;
  await writeArtefact(pathOf(job, key), { json: { record, learner: json, ...(rows ? { rows } : {}) }, groups: { trainable, frozen, stored } });
}
