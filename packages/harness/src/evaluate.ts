import { LetheError } from '@lethe/core';
import type { Arrays, Learner } from '@lethe/core';
import type { Device, Program } from '@lethe/engine';
import { batchInputs, floats } from './batch.js';
import { type Forward, targetLogProbabilities } from './loss.js';
import { type EncodedExample, packScoring, scoringShape } from './packing.js';
import { arrayFeeds, arrayInputs, arrayTensors } from './scope.js';

const PARAMS = 'params.';
const BATCH = 16;

/** A learner that adds nothing: the untouched base model. */
export const baseModel: Learner = {
  trainable: {},
  frozen: {},
  begin: () => undefined,
  adapt: () => null,
  end: () => undefined,
  save: () => ({ trainable: {}, frozen: {}, stored: {}, json: null }),
  restore: () => undefined,
};

/**
 * Chooses the most probable option of every row: the largest sum of token log probabilities, the first where some are
 * equal. Rows are read in order of length, so that batches carry little padding; the result is in the order given.
 *
 * @throws LETHE_ENGINE_NUMBERS for a score that is not finite, LETHE_RUN_STOPPED when asked to stop
 */
export async function chooseOptions(
  device: Device, forward: Forward, rows: readonly EncodedExample[],
  onRows: (done: number) => void, stop: () => boolean,
): Promise<number[]> {
  const { learner, model } = forward;
  const params: Arrays = { ...learner.frozen, ...learner.trainable };
  const feeds = arrayFeeds(params, PARAMS);
  const sorted = rows.map((row, at) => ({ row, at, length: row.prompt.length + row.options.flat().length }))
    .sort((a, b) => a.length - b.length || a.at - b.at);
  const programs = new Map<number, Program>();
  const chosen = new Array<number>(rows.length).fill(0);
  try {
    for (let start = 0; start < sorted.length; start += BATCH) {
      if (stop()) throw new LetheError('LETHE_RUN_STOPPED', 'Stopped while scoring.');
      const group = sorted.slice(start, start + BATCH);
      const batch = group.map(({ row }) => row);
      const shape = scoringShape(batch, rows, BATCH);
      let program = programs.get(shape.tokens);
      if (!program) {
        program = await device.compile({
          name: 'score',
          inputs: { ...batchInputs(shape, false), ...arrayInputs(params, PARAMS) },
          constants: model.weights,
          compute: (inputs, weights) => ({
            logp: targetLogProbabilities(forward, inputs, weights, arrayTensors(params, PARAMS, inputs), false).logp,
          }),
        });
        programs.set(shape.tokens, program);
      }
      const { ids, positions, segments, index, token, owners } = packScoring(batch, shape);
      const logp = floats((await program.run({ ids, positions, segments, index, token, ...feeds }))['logp']);
      const scores = batch.map(({ options }) => options.map(() => 0));
      owners.forEach(({ at, row, option }) => { scores[row]![option]! += logp[at]!; });
      scores.forEach((values, row) => {
        if (!values.every(Number.isFinite)) {
          throw new LetheError('LETHE_ENGINE_NUMBERS', 'The score of an option is not a finite number.', {
            remedy: 'Training has probably diverged: lower the learning rate of the suite.',
          });
        }
        chosen[group[row]!.at] = values.indexOf(Math.max(...values));
      });
      onRows(group.length);
    }
  } finally {
    for (const program of programs.values()) await program.dispose();
  }
  return chosen;
}
