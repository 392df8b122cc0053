import type { Row, SuiteData, TaskData, TrainingBudget } from '@lethe/core';
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

/**
 * What a method that rehearses is told of a row that it keeps: the stage, from 1, in which it first appeared. Rows are known by their tokens, as a
 * learner that was restored has others than those that it kept.
 *
 * @param rowsOf the training rows of a task, as methods are given them
 * @returns a function that throws LETHE_METHOD_FAILED for a row of none of these stages
 */
export function stageLookup(stages: readonly Stage[], rowsOf: (task: TaskData) => readonly Row[]): (row: Row) => number {
  const keyOf = ({ prompt, answer }: Row) => `${prompt.join(' ')}|${answer.join(' ')}`;
  const first = new Map<string, number>();
  stages.forEach(({ tasks }, i) => {
    for (const row of tasks.flatMap(rowsOf)) if (!first.has(keyOf(row))) first.set(keyOf(row), i + 1);
  });
  return (row) => {
    const stage = first.get(keyOf(row));
    if (stage !== undefined) return stage;
    throw new LetheError('LETHE_METHOD_FAILED', 'A method that is told the task of a row trains on one that is of no task.', {
      remedy: 'Keep rows as host.rows gives them.',
    });
  };
}
