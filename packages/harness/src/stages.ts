import type { SuiteData, TaskData, TrainingBudget } from '@lethe/core';
import { LetheError, didYouMean } from '@lethe/core';
import type { Job } from './job.js';

/** One stage of training: a task, or all of them for joint training. */
export interface Stage {
  readonly name: string;
  readonly tasks: readonly TaskData[];
}

/** The tasks of a job in the order trained. Throws LETHE_SUITE_INVALID for one that the suite lacks. */
export function orderedTasks({ identity }: Job, { tasks }: SuiteData): readonly TaskData[] {
  return identity.order.tasks.map((id) => {
    const task = tasks.find((t) => t.id === id);
    if (task) return task;
    throw new LetheError('LETHE_SUITE_INVALID', `The suite has no task "${id}".${didYouMean(id, tasks.map((t) => t.id))}`);
  });
}

/** The stages of a job, in order. */
export function stagesOf({ stream }: Job, ordered: readonly TaskData[]): readonly Stage[] {
  return stream === 'joint' ? [{ name: 'all tasks', tasks: ordered }] : ordered.map((task) => ({ name: task.id, tasks: [task] }));
}

/**
 * What a stage trains on, and how often it goes through it. Tasks of different epochs that are trained together stand as often as each
 * has epochs, and are gone through once.
 */
export function curriculumOf({ tasks }: Stage, { epochs, epochsOf = {} }: TrainingBudget): { tasks: readonly TaskData[]; epochs: number } {
  const own = tasks.map(({ id }) => epochsOf[id] ?? epochs);
  if (own.every((count) => count === own[0])) return { tasks, epochs: own[0]! };
  return { tasks: tasks.flatMap((task, i) => Array<TaskData>(own[i]!).fill(task)), epochs: 1 };
}
