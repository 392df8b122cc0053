import { type CompletedRun, type Results, grouped } from '@lethe/core';
import { percent } from '@lethe/leaderboard';
import { meanOf } from '@lethe/metrics';

/** Of what a task gains when it is learned, less than this is luck, or next to it. */
const LITTLE = 0.05;

/** How far the tasks of a run came above the untouched model when each had just been learned, or at the end where nothing was scored before: the mean. */
function gainOf({ matrix, order: { tasks } }: CompletedRun): number {
  return meanOf(tasks.map((_, i) => (matrix[i + 1]![i] ?? matrix.at(-1)![i]!) - matrix[0]![i]!));
}

/**
 * A line to say that none of the methods that trained learned anything, so that their differences are luck; null where one did, or none trained.
 */
export function nothingLearned({ runs }: Pick<Results, 'runs'>): string | null {
  const trained = runs.filter((run): run is CompletedRun => run.status === 'completed' && run.cost.trainTokens > 0);
  if (trained.length === 0) return null;
  const means = grouped(trained, ({ method }) => method).map((own) => meanOf(own.map(gainOf)));
  const most = Math.max(...means);
  return most > LITTLE ? null : `no method learned its tasks: just after training they were at most ${percent(Math.max(0, most))} points above the untouched model, so that there is nothing `
    + 'to forget and differences are luck; raise epochs, learningRate or rank, or name more sites, with --training or in the suite';
}
