import type { CompletedRun, FailedRun } from '@lethe/core';
import { createRandom } from '@lethe/core';
import { metricsOf } from '../src/index.js';

export const ROWS = 20;

/** What a run is, where it is not like the others. */
export interface Given {
  readonly method?: string;
  readonly bound?: boolean;
  readonly seed?: number;
  readonly order?: string;
  readonly tasks?: readonly string[];
  readonly version?: string;
  /** How likely a row is answered rightly after the last task, in [0, 1]. */
  readonly skill?: number;
  /** Joint training passes no step on the way. */
  readonly joint?: boolean;
}

function identity({ method = 'a', bound = false, seed = 1, order = '1', tasks = ['x', 'y'], version = '1.0.0' }: Given) {
  return {
    suite: { id: 's', version, size: 'full' },
    method: { id: method, version: '1.0.0', options: {}, capabilities: { rehearsal: false, taskIdentity: false, growth: 'none' as const, bound } },
    model: { id: 'm', sha256: '0'.repeat(64) },
    order: { id: order, tasks }, seed,
    training: {
      epochs: 1, batch: 4, learningRate: 0.001, warmup: 0, weightDecay: 0, clip: 1, rank: 2, alpha: 4, sites: ['q' as const], maxTokens: 32,
    },
    environment: { device: 'cpu', threads: 1, lethe: '0.1.0', node: 'v20', dataSha256: {}, git: null },
  };
}

/** A run whose answers are drawn; the same method, seed, order and skill give the same answers, whatever the tasks are called. */
export function completed(given: Given): CompletedRun {
  const { environment, ...who } = identity(given);
  const { skill = 0.5, joint = false, method = 'a', seed = 1, order = '1' } = given;
  const { tasks } = who.order;
  const answers = Array.from({ length: ROWS }, () => 0);
  const chosen = tasks.map((_, j) => Array.from({ length: tasks.length + 1 }, (_unused, i) => {
    if (joint && i > 0 && i < tasks.length) return null;
    const random = createRandom(seed, method, order, i, j);
    return answers.map(() => (random.uniform() < (i === 0 ? 0.25 : skill) ? 0 : 1));
  }));
  const right = (list: readonly number[] | null) => (list === null ? null : list.filter((option) => option === 0).length / ROWS);
  const matrix = Array.from({ length: tasks.length + 1 }, (_, i) => tasks.map((_task, j) => right(chosen[j]![i]!)));
  const general = { base: {}, final: {} };
  return {
    status: 'completed', ...who, matrix, general, metrics: metricsOf(matrix, general),
    predictions: Object.fromEntries(tasks.map((task, j) => [task, { answers, chosen: chosen[j]! }])),
    cost: { trainableParameters: 1, storedBytes: 1, addedParameters: 1, trainTokens: 1, trainSeconds: 1, evalSeconds: 1, peakBytes: 1 },
    environment,
  };
}

export const failed = (given: Given): FailedRun => ({ status: 'failed', ...identity(given), error: { code: 'LETHE_ENGINE_NUMBERS', message: 'no' } });

/** One run for each seed. */
export const seeds = (count: number, given: Given): CompletedRun[] => Array.from({ length: count }, (_, i) => completed({ ...given, seed: i + 1 }));
