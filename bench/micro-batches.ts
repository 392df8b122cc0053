import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withRandomCheckpoint } from './checkpoint.js';
import { median } from './measure.js';
import { megabytes } from './memory.js';
import { BUDGET, type Shape } from './shapes.js';
import { markdownTable } from './table.js';

/** A process that took some steps. */
export interface Trained {
  /** Rows in memory at once. */
  readonly size: number;
  /** The most memory that it had held before its first step, and in the end. */
  readonly heldBytes: number;
  readonly peakBytes: number;
  /** Of the steps after the first. */
  readonly milliseconds: readonly number[];
}

/** Steps of one model, as a whole and in micro-batches. */
export interface MicroBatches {
  readonly model: string;
  readonly tokens: number;
  readonly threads: number;
  readonly trained: readonly Trained[];
}

const SIZES = [BUDGET.batch, 4, 1];

/** Trains in processes of their own, one a size, in turns. */
export async function measureMicroBatches(shape: Shape, threads: number, rounds: number): Promise<MicroBatches> {
  return withRandomCheckpoint(shape.config, 'F32', async (folder) => {
    const child = fileURLToPath(new URL('./micro-batches-child.js', import.meta.url));
    const trained: Trained[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const size of SIZES) {
        const { stdout } = await promisify(execFile)(process.execPath, [child, shape.id, folder, String(threads), String(size)]);
        trained.push(JSON.parse(stdout) as Trained);
      }
    }
    return { model: shape.id, tokens: shape.config.maxPositions, threads, trained };
  });
}

/** A line a size: the most memory of any round, and how long a step took beside the whole one of the same round. */
export function microBatchesText({ model, tokens, threads, trained }: MicroBatches): string {
  const whole = trained.filter(({ size }) => size === BUDGET.batch).map(({ milliseconds }) => median(milliseconds));
  const lines = SIZES.map((size) => {
    const own = trained.filter((one) => one.size === size);
    const ratios = own.map(({ milliseconds }, round) => median(milliseconds) / whole[round]!);
    return [size, megabytes(Math.max(...own.map(({ heldBytes }) => heldBytes))), megabytes(Math.max(...own.map(({ peakBytes }) => peakBytes))),
      `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`];
  });
  return [
    `${model}, steps of ${BUDGET.batch} rows of ${tokens} tokens, threads: ${threads}, rounds: ${whole.length}`,
    markdownTable(['rows at once', 'memory before', 'most memory', 'time of a step, times that of the whole (least to most)'], lines),
  ].join('\n');
}
