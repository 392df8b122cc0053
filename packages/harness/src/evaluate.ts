import { LetheError } from '@lethe/core';
import type { Arrays, Learner } from '@lethe/core';
import type { Device, Program, Values } from '@lethe/engine';
import { type BatchShape, batchInputs, floats } from './batch.js';
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

/** Scores rows with a learner as it is now. Tasks whose batches have the same shape share their programs. */
export class Scorer {
  private readonly params: Arrays;
  private readonly feeds: Record<string, Values>;
  private readonly programs = new Map<string, Program>();
  /** Whether the learner adds anything to the model; null until a program has been compiled. */
  private adapted: boolean | null = null;

  /** @param stop asked between batches */
  constructor(private readonly device: Device, private readonly forward: Forward, private readonly stop: () => boolean) {
    const { frozen, trainable } = forward.learner;
    this.params = { ...frozen, ...trainable };
    this.feeds = arrayFeeds(this.params, PARAMS);
  }

  /**
   * Chooses the most probable option of every row: the largest sum of token log probabilities, the first where some are
   * equal. Rows are read in order of length, so that batches carry little padding; the result is in the order given.
   *
   * @param base what the base model chose, where that is known: it is the answer of a learner that adds nothing
   * @throws LETHE_ENGINE_NUMBERS for a score that is not finite, LETHE_RUN_STOPPED when asked to stop
   */
  async choose(rows: readonly EncodedExample[], onRows: (done: number) => void, base?: readonly number[]): Promise<readonly number[]> {
    const sorted = rows.map((row, at) => ({ row, at, length: row.prompt.length + row.options.flat().length }))
      .sort((a, b) => a.length - b.length || a.at - b.at);
    const chosen = new Array<number>(rows.length).fill(0);
    for (let start = 0; start < sorted.length; start += BATCH) {
      if (this.stop()) throw new LetheError('LETHE_RUN_STOPPED', 'Stopped while scoring.');
      const group = sorted.slice(start, start + BATCH);
      const batch = group.map(({ row }) => row);
      const shape = scoringShape(batch, rows, BATCH);
      const program = await this.program(shape);
      if (base && this.adapted === false) return base;
      const { ids, positions, segments, index, token, owners } = packScoring(batch, shape);
      const logp = floats((await program.run({ ids, positions, segments, index, token, ...this.feeds }))['logp']);
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
    return chosen;
  }

  private async program(shape: BatchShape): Promise<Program> {
    const key = `${shape.tokens} ${shape.targets}`;
    const known = this.programs.get(key);
    if (known) return known;
    const program = await this.device.compile({
      name: 'score',
      inputs: { ...batchInputs(shape, false), ...arrayInputs(this.params, PARAMS) },
      constants: this.forward.model.weights,
      compute: (inputs, weights) => {
        const { logp, adapted } = targetLogProbabilities(this.forward, inputs, weights, arrayTensors(this.params, PARAMS, inputs), false);
        this.adapted = adapted;
        return { logp };
      },
    });
    this.programs.set(key, program);
    return program;
  }

  async dispose(): Promise<void> {
    for (const program of this.programs.values()) await program.dispose();
  }
}
