import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CompletedRun, LearnerState, Row, SuiteData, TaskData } from '@lethe/core';
import { sha256, unlabelled, writeWhole } from '@lethe/core';
import { readArtefact, writeArtefact } from './artefact.js';
import type { Job } from './job.js';
import { orderedTasks, stagesOf } from './stages.js';

/** Raised whenever the same job would give other numbers: artefacts of another version are not found again. */
const PROTOCOL = 4;

/** The answers to the test rows of a task: the options chosen, or what was written. */
export type Answers = readonly number[] | readonly string[];

/** What a step leaves behind, besides the arrays of the learner. */
export interface StepRecord {
  /** By task id, for tasks and probes; nothing for a step that was not scored. */
  readonly tasks: Readonly<Record<string, Answers>>;
  readonly probes: Readonly<Record<string, Answers>>;
  /** sha256 of the tasks and probes that were answered, by id; steps of earlier versions have none. */
  readonly answered?: Readonly<Record<string, string>>;
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

/** What a step is called. */
export interface StepName {
  /** The hash of all that determines it, the code of the method too, so that orders share their prefixes. */
  readonly whole: string;
  /** The same without the rows that are scored: a stream that scores others, such as one of a task more, trains alike. */
  readonly trained: string;
}

/** @param what all that determines a step but its model, and the rows that are scored; these are sorted, so that orders share what they can */
function nameOf(job: Job, model: string, scored: Scored, what: object): StepName {
  const hashes = (tasks: readonly TaskData[]) => tasks.map((task) => [task.id, task.sha256]).sort(([a], [b]) => (a! < b! ? -1 : 1));
  const all = { protocol: PROTOCOL, model, maxTokens: job.identity.training.maxTokens, ...what };
  return { whole: sha256({ ...all, tasks: hashes(scored.tasks), probes: hashes(scored.probes) }), trained: sha256(all) };
}

/** Whether the step after so many of the stages of a job is scored: of trials, which are judged by the end of the stream, only the last is. */
export const isScored = ({ identity }: Job, step: number, stages: number): boolean => identity.suite.scored !== 'validation' || step === stages;

/** The names of all steps of a job: the scores of the base model, in which no method, order or seed has a part, and what is there after each of its stages. Throws as `orderedTasks` does. */
export function stepNames(job: Job, model: string, suite: SuiteData): readonly StepName[] {
  const { method, seed, training } = job.identity;
  const ordered = orderedTasks(job, suite);
  const scored = { tasks: ordered, probes: suite.probes };
  const trained = stagesOf(job, ordered).map(({ tasks }) => tasks.map((task) => task.sha256));
  return [
    nameOf(job, model, scored, { step: 'base' }),
    ...trained.map((_, i) => nameOf(job, model, scored, { step: trained.slice(0, i + 1), method: unlabelled(method), code: job.code, seed, training })),
  ];
}

/** Where the steps of a run lie in its folder. */
export const STEPS = 'steps';
/** How the file of a step ends. */
export const STEP_ENDING = '.step';
/** How the file ends that points to the last step that was trained so. */
export const ALIKE_ENDING = '.alike';

const pathOf = (job: Job, whole: string) => join(job.outDir, STEPS, `${whole}${STEP_ENDING}`);
const WHOLE = /^[0-9a-f]{64}$/;
/** A file with the whole name of the last step that was trained so. */
const alikeOf = (job: Job, { trained }: StepName) => join(job.outDir, STEPS, `${trained}${ALIKE_ENDING}`);

/** The step of this name, or undefined. Throws LETHE_RUN_DAMAGED. */
export const readStep = (job: Job, { whole }: StepName): Promise<Step | undefined> => readWhole(job, whole);

/** A step that was trained as the one of this name, whatever was scored after it, or undefined. Throws LETHE_RUN_DAMAGED. */
export async function readAlike(job: Job, name: StepName): Promise<Step | undefined> {
  const whole = await readFile(alikeOf(job, name), 'utf8').catch(() => undefined);
  return whole === undefined || !WHOLE.test(whole) ? undefined : readWhole(job, whole);
}

async function readWhole(job: Job, key: string): Promise<Step | undefined> {
  const artefact = await readArtefact<{ record: StepRecord; learner: unknown; rows?: readonly Row[] }>(pathOf(job, key));
  if (!artefact) return undefined;
  const { trainable = {}, frozen = {}, stored = {} } = artefact.groups;
  const { record, learner, rows } = artefact.json;
  return { record, state: { trainable, frozen, stored, json: learner, ...(rows ? { rows } : {}) } };
}

/** Writes a step atomically, then where those who train alike find it. */
export async function writeStep(job: Job, name: StepName, { record, state }: Step): Promise<void> {
  const { trainable, frozen, stored, json, rows } = state;
  await writeArtefact(pathOf(job, name.whole), { json: { record, learner: json, ...(rows ? { rows } : {}) }, groups: { trainable, frozen, stored } });
  await writeWhole(alikeOf(job, name), name.whole);
}
