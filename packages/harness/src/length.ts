import { type Learner, LetheError, type TrainingBudget } from '@lethe/core';
import type { LanguageModel } from '@lethe/model';
import { trainingRoom } from './packing.js';
import { sitesOf } from './scope.js';

/** The least share of a suite's `maxTokens` that a method with virtual tokens may leave its rows: scores of less than half a text say little of it. */
const LEAST = 0.5;

/**
 * How many tokens a row may take: those of the budget, or what virtual tokens before every row leave of the positions of the model.
 *
 * @param virtual tokens that a method puts before every row
 * @throws LETHE_MODEL_LENGTH where virtual tokens leave less than half of the budget's
 */
export function rowLength({ maxTokens }: TrainingBudget, { id, config }: LanguageModel, virtual = 0): number {
  const left = Math.min(maxTokens, config.maxPositions - virtual);
  if (left >= LEAST * maxTokens) return left;
  throw new LetheError('LETHE_MODEL_LENGTH',
    `${virtual} virtual tokens of the method leave ${Math.max(0, left)} of the ${config.maxPositions} that model "${id}" reads, for rows of up to ${maxTokens}.`, {
      remedy: `Leave rows at least half of their length: ${Math.floor(config.maxPositions - LEAST * maxTokens)} virtual tokens or fewer, a smaller training.maxTokens, or a model of more positions.`,
    });
}

/** {@link MethodHost.room} behind the virtual tokens of a learner. Throws as {@link rowLength} does. */
export const roomBehind = (virtual: number | undefined, budget: TrainingBudget, model: LanguageModel): number =>
  trainingRoom(model.tokenizer, rowLength(budget, model, virtual));

/**
 * Refuses rows that a method with virtual tokens has kept since these left more room than they do now.
 *
 * @param room {@link roomBehind}
 * @throws LETHE_METHOD_FAILED
 */
export function checkKeptRows({ rows, virtualTokens }: Learner, room: number): void {
  const long = rows?.find(({ prompt, answer }) => prompt.length + answer.length > room);
  if (!virtualTokens || !long) return;
  throw new LetheError('LETHE_METHOD_FAILED', `The method keeps a row of ${long.prompt.length + long.answer.length} tokens, and its virtual tokens leave room for ${room}.`, {
    remedy: 'Put as many virtual tokens before the first task as before the last, or keep no rows.',
  });
}

/**
 * Refuses a suite whose rows may be longer than what the model was made to read, as scores past that length mean nothing, and one that
 * adapts nothing of the model.
 *
 * @throws LETHE_MODEL_LENGTH with both lengths, LETHE_MODEL_SITES with the layers of both
 */
export function checkModel(suite: string, training: TrainingBudget, model: LanguageModel): void {
  const { maxTokens } = training;
  const { id, config: { maxPositions } } = model;
  if (maxTokens > maxPositions) {
    throw new LetheError('LETHE_MODEL_LENGTH', `Suite "${suite}" has rows of up to ${maxTokens} tokens, but model "${id}" reads at most ${maxPositions}.`, {
      where: `${suite}: training.maxTokens`,
      remedy: `Set training.maxTokens to ${maxPositions} or less, or choose a model whose max_position_embeddings is ${maxTokens} or more.`,
    });
  }
  sitesOf(model, training.sites);
}
