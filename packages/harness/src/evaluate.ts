import { LetheError } from '@lethe/core';
import type { Arrays, Learner } from '@lethe/core';
import type { Device, Program } from '@lethe/engine';
import { batchInputs, floats } from './batch.js';
import { type Forward, targetLogProbabilities } from './loss.js';
import { type EncodedExample, packScoring, scoringShapes, scoringTokens } from './packing.js';
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
 * The score of every option of every row: the sum of the log probabilities of its tokens after the prompt, without a share
 * for its length, so that of options equally likely token by token the shorter scores higher. Where an option is the
 * beginning of another, the end of text counts as one of its tokens. A score does not depend on the rows beside its own.
 *
 * Rows are read from the longest to the shortest, so that batches carry little padding and a last batch that is not full
 * is a cheap one; the result is in the order given.
 *
 * @throws LETHE_ENGINE_NUMBERS for a score that is not finite, LETHE_RUN_STOPPED when asked to stop
 */
export async function scoreOptions(
  device: Device, forward: Forward, rows: readonly EncodedExample[],
  onRows: (done: number) => void = () => undefined, stop: () => boolean = () => false,
): Promise<number[][]> {
  const { learner, model } = forward;
  const params: Arrays = { ...learner.frozen, ...learner.trainable };
  const feeds = arrayFeeds(params, PARAMS);
  const sorted = rows.map((row, at) => ({ row, at, length: scoringTokens(row) }))
    .sort((a, b) => b.length - a.length || a.at - b.at);
  const shapeOf = scoringShapes(rows, BATCH);
  const programs = new Map<number, Program>();
  const scores = rows.map(({ options }) => options.map(() => 0));
  try {
    for (let start = 0; start < sorted.length; start += BATCH) {
      if (stop()) throw new LetheError('LETHE_RUN_STOPPED', 'Stopped while scoring.');
      const group = sorted.slice(start, start + BATCH);
      const batch = group.map(({ row }) => row);
      const shape = shapeOf(batch);
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
      const { ids, positions, segments, index, token, owners } = packScoring(batch, shape, model.tokenizer.endOfText);
      const logp = floats((await program.run({ ids, positions, segments, index, token, ...feeds }))['logp']);
      if (!logp.subarray(0, owners.length).every(Number.isFinite)) {
        throw new LetheError('LETHE_ENGINE_NUMBERS', 'The score of an option is not a finite number.', {
          remedy: 'Training has probably diverged: lower the learning rate of the suite.',
        });
      }
      owners.forEach(({ row, option }, n) => { scores[group[row]!.at]![option]! += logp[n]!; });
      onRows(group.length);
    }
  } finally {
    for (const program of programs.values()) await program.dispose();
  }
  return scores;
}

/** The option of every row with the highest of its {@link scoreOptions}, the first where several are equal. */
export async function chooseOptions(...given: Parameters<typeof scoreOptions>): Promise<number[]> {
  return (await scoreOptions(...given)).map((values) => values.indexOf(Math.max(...values)));
}
