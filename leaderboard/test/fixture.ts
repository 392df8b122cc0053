import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Capabilities, type CompletedRun, type FailedRun, type Run, type Sweep, sha256 } from '@lethe/core';
import { metricsOf, resultsHash } from '@lethe/metrics';
import type { Describer } from '../src/index.js';

/** Test rows of every task. */
export const ROWS = 40;

/** What a run is, where it is not as in {@link identity}. */
export interface Given {
  readonly method?: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly capabilities?: Partial<Capabilities>;
  readonly seed?: number;
  readonly order?: string;
  readonly tasks?: readonly string[];
  readonly suite?: Partial<Run['suite']>;
  readonly model?: string;
  readonly training?: Partial<Run['training']>;
  readonly environment?: Partial<Run['environment']>;
}

function identity({
  method = 'lora', options = {}, capabilities, seed = 1, order = '1', tasks = ['law', 'news', 'med'], suite, model = 'nano', training, environment,
}: Given) {
  return {
    suite: { id: 'domains', version: '1.0.0', size: 'mini', ...suite },
    method: {
      id: method, version: '1.0.0', options,
      capabilities: { rehearsal: false, taskIdentity: false, growth: 'none' as const, bound: false, ...capabilities },
    },
    model: { id: model, sha256: sha256(model) },
    order: { id: order, tasks }, seed,
    training: {
      epochs: 2, batch: 8, learningRate: 0.001, warmup: 0.1, weightDecay: 0, clip: 1, rank: 8, alpha: 16,
      sites: ['q' as const, 'v' as const], maxTokens: 128, ...training,
    },
    environment: {
      device: 'cpu', threads: 1, lethe: '0.1.0', node: 'v20.20.2', git: 'a'.repeat(40),
      dataSha256: Object.fromEntries([...tasks, 'facts'].map((task) => [task, sha256(task)])), ...environment,
    },
  };
}

/** What a model chose that is right in a fraction of the rows; every answer is option 0. */
const choices = (score: number): number[] => Array.from({ length: ROWS }, (_, row) => (row < Math.round(score * ROWS) ? 0 : 1));

/** A run whose numbers follow from its predictions. Scores are rounded to whole rows. */
export function completed(given: Given, scores: readonly (readonly (number | null)[])[], general = { base: 0.5, final: 0.45 }): CompletedRun {
  const { environment, ...who } = identity(given);
  const chosen = scores.map((row) => row.map((score) => (score === null ? null : choices(score))));
  const right = (list: readonly number[] | null) => (list === null ? null : list.filter((option) => option === 0).length / ROWS);
  const matrix = chosen.map((row) => row.map(right));
  const answers = Array.from({ length: ROWS }, () => 0);
  const probe = scores.map((_, i) => (i === 0 ? choices(general.base) : scores[i]!.every((score) => score === null) ? null : choices(general.final)));
  const probes = { base: { facts: right(probe[0]!)! }, final: { facts: right(probe.at(-1)!)! } };
  return {
    status: 'completed', ...who, matrix, general: probes, metrics: metricsOf(matrix, probes),
    predictions: {
      ...Object.fromEntries(who.order.tasks.map((task, j) => [task, { answers, chosen: chosen.map((row) => row[j]!) }])),
      facts: { answers, chosen: probe },
    },
    cost: {
      trainableParameters: 12_288, storedBytes: 49_152, addedParameters: 12_288, trainTokens: 250_000,
      trainSeconds: 31.5, evalSeconds: 12, peakBytes: 4.2e8,
    },
    environment,
  };
}

/** A stream of three tasks that are learned and then partly lost. */
export const stream = (learned: number, lost: number): number[][] => [
  [0.25, 0.25, 0.25], [learned, 0.3, 0.25], [learned - lost, learned, 0.3], [learned - 2 * lost, learned - lost, learned],
];

export const failed = (given: Given, message = 'The loss is not a number.'): FailedRun =>
  ({ status: 'failed', ...identity({ ...given, environment: { ...given.environment, dataSha256: {} } }), error: { code: 'LETHE_ENGINE_NUMBERS', message } });

/** Writes the results of runs into a run folder. */
export async function writeRun(folder: string, runs: readonly Run[], sweep?: Sweep): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'results.json'), JSON.stringify({ schema: 'lethe.results/1', sha256: resultsHash(runs, sweep), runs, ...(sweep && { sweep }) }));
  return folder;
}

/** Knows one method, `ewc`, and no suite. */
export const describer: Describer = {
  method: (id, version) => (id === 'ewc' ? {
    note: { version, description: 'Elastic weight consolidation.', paper: 'https://arxiv.org/abs/1612.00796', defaults: { lambda: 2000, gamma: 1 } },
    stream: 'continual', capabilities: () => ({ rehearsal: false, taskIdentity: false, growth: 'none', bound: false }), accepts: () => true,
  } : undefined),
  suite: () => undefined,
  rows: async () => undefined,
};
