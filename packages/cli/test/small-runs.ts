import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CompletedRun, Run } from '@lethe/core';
import { writeResults } from '@lethe/harness';
import { metricsOf } from '@lethe/metrics';
import pc from 'picocolors';
import { createProgram, explained } from '../src/index.js';

const ROWS = 10;
const answers = Array.from({ length: ROWS }, () => 0);
const right = (count: number) => answers.map((_, row) => (row < count ? 0 : 1));

/** Changes of what a run is, field by field. */
export interface Changes {
  readonly suite?: Partial<Run['suite']>;
  readonly method?: Partial<Run['method']>;
  readonly model?: Partial<Run['model']>;
}

/**
 * A run of the tasks x and y. Of ten rows each, nine of x are right after x and `first` at the end, and `second` of y: average accuracy is
 * their mean, backward transfer what x gained since, and forgetting what it lost.
 */
export function run(id: string, seed: number, first: number, second: number, { suite, method, model }: Changes = {}): CompletedRun {
  const rows = { x: [2, 9, first], y: [2, 3, second] };
  const matrix = [0, 1, 2].map((i) => [rows.x[i]! / ROWS, rows.y[i]! / ROWS]);
  const general = { base: {}, final: {} };
  return {
    status: 'completed', suite: { id: 's', version: '1.0.0', size: 'full', ...suite },
    method: { id, version: '1.0.0', options: {}, capabilities: { rehearsal: id === 'replay', taskIdentity: false, growth: 'none', bound: id === 'joint' }, ...method },
    model: { id: 'tiny', sha256: 'a'.repeat(64), ...model }, order: { id: '1', tasks: ['x', 'y'] }, seed,
    training: { epochs: 1, batch: 4, learningRate: 1e-3, warmup: 0.1, weightDecay: 0, clip: 1, rank: 2, alpha: 4, sites: ['q'], maxTokens: 32 },
    matrix, general, metrics: metricsOf(matrix, general),
    predictions: { x: { answers, chosen: rows.x.map(right) }, y: { answers, chosen: rows.y.map(right) } },
    cost: { trainableParameters: 1000, storedBytes: 4000, addedParameters: 2000, trainTokens: 9, trainSeconds: 1.5, evalSeconds: 1, peakBytes: 1 },
    environment: { device: 'cpu', threads: 1, lethe: '0.1.0', node: 'v20', dataSha256: { x: '0'.repeat(64), y: '1'.repeat(64) }, git: null },
  };
}

/** The same run, failed. */
export function failed({ matrix: _, general: __, metrics: ___, predictions: ____, cost: _____, ...one }: CompletedRun): Run {
  return { ...one, status: 'failed', error: { code: 'LETHE_METHOD_FAILED', message: 'no' } };
}

/** Writes the results of runs into a folder of their own within another, and gives its path. */
export function writerIn(folder: () => string): (...runs: readonly (Run | readonly Run[])[]) => Promise<string> {
  let written = 0;
  return async (...runs) => {
    const path = join(folder(), `run${written++}`);
    mkdirSync(path);
    await writeResults(path, runs.flat());
    return path;
  };
}

/** Runs a command in this process: its data, its notes, and what went wrong in the form that users see. */
export async function call(...args: string[]): Promise<{ data: string; notes: string; problem: string }> {
  const [lines, notes]: [string[], string[]] = [[], []];
  const output = { data: (text: string) => void lines.push(text), note: (text: string) => void notes.push(text), colour: pc.createColors(false) };
  let problem = '';
  try {
    await createProgram(output).parseAsync(args, { from: 'user' });
  } catch (error) {
    problem = explained(error)?.describe() ?? '';
  }
  return { data: lines.join('\n'), notes: notes.join('\n'), problem };
}

/** What a command writes to stdout, and its problem, with its notes. */
export async function said(...args: string[]): Promise<{ text: string; notes: string }> {
  const { data, problem, notes } = await call(...args);
  return { text: [data, problem].filter((text) => text !== '').join('\n'), notes };
}
