import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withRandomCheckpoint } from './checkpoint.js';
import { megabytes } from './memory.js';
import type { Shape } from './shapes.js';

/** A new process on its way to its first optimizer steps. */
export interface FirstStep {
  readonly model: string;
  readonly dtype: 'F32' | 'BF16';
  readonly threads: number;
  readonly weightsBytes: number;
  /** Where it was when: since the process started, elapsed and of all processors together, and the most memory it had held. */
  readonly stages: readonly { readonly stage: string; readonly seconds: number; readonly processorSeconds: number; readonly peakBytes: number }[];
}

/** Starts a process that loads a random checkpoint of the shape and trains three steps; the file was written just before. */
export async function measureFirstStep(shape: Shape, dtype: FirstStep['dtype'], threads: number): Promise<FirstStep> {
  return withRandomCheckpoint(shape.config, dtype, async (folder) => {
    const { size } = await stat(join(folder, 'model.safetensors'));
    const child = fileURLToPath(new URL('./first-step-child.js', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [child, shape.id, folder, String(threads)]);
    return { model: shape.id, dtype, threads, weightsBytes: size, stages: JSON.parse(stdout) as FirstStep['stages'] };
  });
}

/** The stages as lines of text. */
export function firstStepText({ model, dtype, threads, weightsBytes, stages }: FirstStep): string {
  const lines = stages.map(({ stage, seconds, processorSeconds, peakBytes }) =>
    `${seconds.toFixed(1).padStart(8)} s ${processorSeconds.toFixed(1).padStart(8)} s processor ${megabytes(peakBytes).padStart(9)}  ${stage}`);
  const most = stages.at(-1)!.peakBytes;
  const share = `peak memory is ${(most / weightsBytes).toFixed(2)} times the weights, ${((most - stages[0]!.peakBytes) / weightsBytes).toFixed(2)} times without what the process held before them`;
  return [`${model}, ${dtype}, ${megabytes(weightsBytes)} of weights, ${threads} threads, from the start of the process`, ...lines, share].join('\n');
}
