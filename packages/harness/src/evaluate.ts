import { LetheError } from '@lethe/core';
import type { Learner } from '@lethe/core';
import type { Device, Program, ProgramDefinition, Values } from '@lethe/engine';
import { type BatchShape, batchFeeds, batchInputs, floats, shapeKey, taskFeeds } from './batch.js';
import { type Forward, rowsAtOnce, targetLogProbabilities } from './loss.js';
import { type EncodedExample, packScoring, scoringShapes, scoringTokens } from './packing.js';
import { PARAMS, arrayFeeds, arrayInputs, arrayTensors, paramsOf } from './scope.js';

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
 * The log probabilities of the targets of a batch.
 *
 * @param onTraced told, once the program is traced, whether the learner adds anything to the model
 */
export function scoringProgram(forward: Forward, shape: BatchShape, onTraced: (adapted: boolean) => void = () => undefined): ProgramDefinition {
  const params = paramsOf(forward.learner);
  return {
    name: 'score',
    inputs: { ...batchInputs(shape, false, forward.told ?? false), ...arrayInputs(params, PARAMS) },
    constants: forward.model.weights,
    compute: (inputs, weights) => {
      const { logp, adapted } = targetLogProbabilities(forward, inputs, weights, arrayTensors(params, PARAMS, inputs), false);
      onTraced(adapted);
      return { logp };
    },
  };
}

/** Rows that are scored together, with their places among all rows. */
interface Batch {
  readonly group: readonly { readonly row: EncodedExample; readonly at: number }[];
  readonly shape: BatchShape;
}

/** Rows from the longest to the shortest: batches then carry little padding, and a last one that is not full is a cheap one. */
function batchesOf(forward: Forward, rows: readonly EncodedExample[]): Batch[] {
  const { tokenizer } = forward.model;
  const size = rowsAtOnce(forward, BATCH);
  const sorted = rows.map((row, at) => ({ row, at, length: scoringTokens(tokenizer, row) })).sort((a, b) => b.length - a.length || a.at - b.at);
  const shapeOf = scoringShapes(tokenizer, rows, size);
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, i) => {
    const group = sorted.slice(i * size, (i + 1) * size);
    return { group, shape: shapeOf(group.map(({ row }) => row)) };
  });
}

/** Scores rows with a learner as it is now. Tasks whose batches have the same shape share their programs. */
export class Scorer {
  private readonly feeds: Record<string, Values>;
  private readonly programs = new Map<string, Program>();
  /** Whether the learner adds anything to the model; null until a program has been compiled. */
  private adapted: boolean | null = null;

  /** @param stop asked between batches */
  constructor(private readonly device: Device, private readonly forward: Forward, private readonly stop: () => boolean = () => false) {
    this.feeds = arrayFeeds(paramsOf(forward.learner), PARAMS);
  }

  /**
   * Chooses the option of every row with the highest {@link score}, the first where several are equal.
   *
   * @param base what the base model chose, where that is known: it is the answer of a learner that adds nothing
   * @param task {@link Scope.task} of the rows, for a learner that is told
   * @throws LETHE_ENGINE_NUMBERS for a score that is not finite, LETHE_RUN_STOPPED when asked to stop
   */
  async choose(rows: readonly EncodedExample[], onRows: (done: number) => void, base?: readonly number[], task = 0): Promise<readonly number[]> {
    const batches = batchesOf(this.forward, rows);
    if (base && batches[0]) {
      await this.program(batches[0].shape);
      if (this.adapted === false) return base;
    }
    const scores = await this.run(batches, rows, onRows, task);
    return scores.map((values) => values.indexOf(Math.max(...values)));
  }

  /**
   * The score of every option of every row: the sum of the log probabilities of its tokens after the prompt, without a share
   * for its length, so that of options equally likely token by token the shorter scores higher. Where an option is the
   * beginning of another, the end of text counts as one of its tokens. A score does not depend on the rows beside its own.
   *
   * @throws LETHE_ENGINE_NUMBERS for a score that is not finite, LETHE_RUN_STOPPED when asked to stop
   */
  async score(rows: readonly EncodedExample[]): Promise<readonly (readonly number[])[]> {
    return this.run(batchesOf(this.forward, rows), rows, () => undefined, 0);
  }

  private async run(
    batches: readonly Batch[], rows: readonly EncodedExample[], onRows: (done: number) => void, task: number,
  ): Promise<number[][]> {
    const { tokenizer } = this.forward.model;
    const scores = rows.map(({ options }) => options.map(() => 0));
    for (const { group, shape } of batches) {
      if (this.stop()) throw new LetheError('LETHE_RUN_STOPPED', 'Stopped while scoring.');
      const program = await this.program(shape);
      const packed = packScoring(tokenizer, group.map(({ row }) => row), shape);
      const told = taskFeeds(shape, task, this.forward.told ?? false);
      const logp = floats((await program.run({ ...batchFeeds(packed, false), ...told, ...this.feeds }))['logp']);
      for (const { at, row, option } of packed.owners) {
        if (!Number.isFinite(logp[at])) {
          throw new LetheError('LETHE_ENGINE_NUMBERS', 'The score of an option is not a finite number.', {
            remedy: 'Training has probably diverged: lower the learning rate of the suite.',
          });
        }
        scores[group[row]!.at]![option]! += logp[at]!;
      }
      onRows(group.length);
    }
    return scores;
  }

  private async program(shape: BatchShape): Promise<Program> {
    const key = shapeKey(shape);
    const known = this.programs.get(key);
    if (known) return known;
    const program = await this.device.compile(scoringProgram(this.forward, shape, (adapted) => { this.adapted = adapted; }));
    this.programs.set(key, program);
    return program;
  }

  async dispose(): Promise<void> {
    for (const program of this.programs.values()) await program.dispose();
  }
}
