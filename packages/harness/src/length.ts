import { LetheError, type TrainingBudget } from '@lethe/core';
import type { LanguageModel } from '@lethe/model';
import { sitesOf } from './scope.js';

/**
 * Refuses rows that may be longer than what the model was made to read: scores past that length mean nothing.
 *
 * @param virtual tokens that a method puts before every row
 * @throws LETHE_MODEL_LENGTH with both lengths
 */
export function checkLength(suite: string, { maxTokens }: TrainingBudget, { id, config }: LanguageModel, virtual = 0): void {
  const [longest, most] = [virtual + maxTokens, config.maxPositions];
  if (longest <= most) return;
  const behind = virtual > 0 ? ` behind the ${virtual} virtual ones of the method` : '';
  throw new LetheError('LETHE_MODEL_LENGTH', `Suite "${suite}" has rows of up to ${maxTokens} tokens${behind}, but model "${id}" reads at most ${most}.`, {
    where: `${suite}: training.maxTokens`,
    remedy: `Set training.maxTokens to ${Math.max(1, most - virtual)} or less, or choose a model whose max_position_embeddings is ${longest} or more.`,
  });
}

/**
 * Refuses a suite whose rows may be longer than what the model was made to read, and one that adapts nothing of the model.
 *
 * @throws LETHE_MODEL_LENGTH with both lengths, LETHE_MODEL_SITES with the layers of both
 */
export function checkModel(suite: string, training: TrainingBudget, model: LanguageModel): void {
  checkLength(suite, training, model);
  sitesOf(model, training.sites);
}
