import { cpus } from 'node:os';
import type { CompletedRun, Environment, FailedRun, LearnerState, TaskData } from '@lethe/core';
import { LetheError, bytesOfState, fileError } from '@lethe/core';
import type { Device } from '@lethe/engine';
import { meanScore, metricsOf, predictionsOf, rowScores } from '@lethe/metrics';
import type { Job } from './job.js';
import type { Answers, Scored, StepRecord } from './steps.js';

const scoreOf = (task: TaskData, answers: Answers): number => meanScore(rowScores(predictionsOf(task, [answers]), 0)!);

/** The scores of a step, in the order of the tasks given; null where it was not scored. */
export function scoresOf(record: StepRecord | null, tasks: readonly TaskData[]): (number | null)[] {
  return tasks.map((task) => {
    const answers = record?.tasks[task.id];
    return answers ? scoreOf(task, answers) : null;
  });
}

function allPredictions(list: readonly TaskData[], rows: readonly (StepRecord | null)[], kind: 'tasks' | 'probes'): CompletedRun['predictions'] {
  return Object.fromEntries(list.map((task) => [task.id, predictionsOf(task, rows.map((record) => record?.[kind][task.id] ?? null))]));
}

/**
 * The result of a stream.
 *
 * @param scored the tasks in the order trained, and the probes
 * @param records step 0 is the base model; a joint run has one more, which is the last row of its matrix
 * @param learned what the learner keeps after the last task, and how many parameters its predictions read besides the model's
 */
export function completedRun(
  job: Job, { tasks, probes }: Scored, records: readonly StepRecord[], learned: { state: LearnerState; addedParameters: number }, device: Device,
): CompletedRun {
  const [first, last] = [records[0]!, records.at(-1)!];
  const rows = Array.from({ length: tasks.length + 1 }, (_, i): StepRecord | null =>
    i === 0 ? first : i === tasks.length ? last : job.stream === 'joint' ? null : records[i]!);
  const matrix = rows.map((record) => scoresOf(record, tasks));
  const probeScores = (record: StepRecord) =>
    Object.fromEntries(probes.map((task) => [task.id, scoreOf(task, record.probes[task.id]!)]));
  const general = { base: probeScores(first), final: probeScores(last) };
  const costs = records.map(({ cost }) => cost);
  const sum = (key: 'trainTokens' | 'trainSeconds' | 'evalSeconds') => costs.reduce((total, cost) => total + cost[key], 0);
  const most = (key: 'trainableParameters' | 'peakBytes') => Math.max(...costs.map((cost) => cost[key]));
  return {
    status: 'completed',
    ...job.identity,
    matrix, general,
    metrics: metricsOf(matrix, general),
    predictions: { ...allPredictions(tasks, rows, 'tasks'), ...allPredictions(probes, rows, 'probes') },
    cost: {
      trainableParameters: most('trainableParameters'),
      storedBytes: bytesOfState(learned.state),
      addedParameters: learned.addedParameters,
      trainTokens: sum('trainTokens'), trainSeconds: sum('trainSeconds'), evalSeconds: sum('evalSeconds'),
      peakBytes: most('peakBytes'),
    },
    ...(last.report === undefined ? {} : { report: last.report }),
    environment: environmentOf(job, device.name, [...tasks, ...probes]),
  };
}

/** The result of a run that threw: others go on, and this one says why it did not. */
export function failedRun(job: Job, error: unknown): FailedRun {
  const { code, message, where, remedy } = error instanceof LetheError ? error : fileError(error)
    ?? { code: 'LETHE_INTERNAL', message: error instanceof Error ? error.message : String(error), where: undefined, remedy: undefined };
  return {
    status: 'failed',
    ...job.identity,
    error: { code, message, ...(where === undefined ? {} : { where }), ...(remedy === undefined ? {} : { remedy }) },
    environment: environmentOf(job, job.device, []),
  };
}

function environmentOf(job: Job, device: string, data: readonly TaskData[]): Environment {
  const skippedRows = Object.fromEntries(data.flatMap(({ id, skippedRows: count }) => (count === undefined ? [] : [[id, count]])));
  const processor = cpus()[0]?.model.trim();
  return {
    device, threads: job.threads, ...(job.microBatch !== undefined && { microBatch: job.microBatch }), lethe: job.origin.lethe,
    ...(job.code !== undefined && { code: job.code }), node: process.version, ...(processor && { processor }),
    dataSha256: Object.fromEntries(data.map(({ id, sha256 }) => [id, sha256])),
    ...(Object.keys(skippedRows).length > 0 && { skippedRows }),
    git: job.origin.git,
  };
}
