import { LetheError, type Random } from '@lethe/core';

/** How the next token is chosen. */
export interface Sampling {
  /** What scores are divided by before the softmax: 0 takes the most likely token, 1 draws from the model's distribution. */
  readonly temperature: number;
  /**
   * Draws from the fewest tokens whose probabilities sum to at least this, the most likely first (nucleus sampling, Holtzman et
   * al. 2020, arXiv 1904.09751, section 3.1); 1 draws from all. In (0, 1].
   */
  readonly topP: number;
  /** Draws from so many of the most likely tokens (Fan et al. 2018, arXiv 1805.04833, section 5.1), and those as likely as the last of them; all where it is absent. The nucleus is of these. */
  readonly topK?: number;
}

/** The most likely token, the first of several. Throws LETHE_ENGINE_NUMBERS where the scores are not numbers. */
function mostLikely(logits: Float32Array): number {
  let best = 0;
  // what is not a number is taken too, and then stays
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]! || Number.isNaN(logits[i]!)) best = i;
  if (Number.isFinite(logits[best])) return best;
  throw new LetheError('LETHE_ENGINE_NUMBERS', `The score of token ${best} is ${logits[best]}.`, {
    remedy: 'Training has probably diverged: lower the learning rate of the suite.',
  });
}

/** Makes the weights of all but the k largest 0. */
function keepMost(weights: Float64Array, k: number): void {
  if (k >= weights.length) return;
  const border = weights.toSorted()[weights.length - k]!;
  for (let i = 0; i < weights.length; i++) if (weights[i]! < border) weights[i] = 0;
}

/** The tokens that may be drawn, from the most to the least likely. */
function nucleus(weights: Float64Array, total: number, topP: number): number[] {
  // All tokens less likely than this weigh less than 1 - topP together: none of them is in the nucleus, and need not be sorted.
  const least = ((1 - topP) * total) / weights.length;
  const likely: number[] = [];
  for (let i = 0; i < weights.length; i++) if (weights[i]! >= least) likely.push(i);
  likely.sort((a, b) => weights[b]! - weights[a]! || a - b);
  let sum = 0;
  const end = likely.findIndex((token) => (sum += weights[token]!) >= topP * total);
  return end < 0 ? likely : likely.slice(0, end + 1);
}

/**
 * Chooses a token.
 *
 * @param logits scores of all tokens
 * @throws LETHE_ENGINE_NUMBERS where they are not numbers
 */
export function chooseToken(logits: Float32Array, { temperature, topP, topK }: Sampling, random: Random): number {
  const top = mostLikely(logits);
  if (temperature === 0) return top;
  const weights = Float64Array.from(logits, (logit) => Math.exp((logit - logits[top]!) / temperature));
  if (topK !== undefined) keepMost(weights, topK);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const tokens = topP < 1 ? nucleus(weights, total, topP) : [...weights.keys()];
  const kept = topP < 1 ? tokens.reduce((sum, token) => sum + weights[token]!, 0) : total;
  let left = random.uniform() * kept;
  for (const token of tokens) {
    left -= weights[token]!;
    if (left < 0) return token;
  }
  // rounding has left a little of the last one
  return tokens.findLast((token) => weights[token]! > 0)!;
}
