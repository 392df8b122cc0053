import type { TrainingBudget } from '@lethe/core';
import type { ModelConfig } from '@lethe/model';

/** A model and a batch to measure. */
export interface Shape {
  readonly id: string;
  readonly config: ModelConfig;
  readonly batch: number;
  readonly tokens: number;
  /** Tokens of one row that the loss or the score looks at. */
  readonly targets: number;
}

const llama = (vocabSize: number, hiddenSize: number, intermediateSize: number, layers: number): ModelConfig => ({
  vocabSize, hiddenSize, intermediateSize, layers, heads: hiddenSize / 64, keyValueHeads: hiddenSize / 64, headSize: 64,
  maxPositions: 256, normEpsilon: 1e-5, ropeTheta: 1e4, tiedHead: true,
});

export const SHAPES: readonly Shape[] = [
  { id: 'nano', config: llama(1024, 256, 704, 4), batch: 16, tokens: 48, targets: 3 },
  { id: '10m', config: llama(2048, 384, 1024, 6), batch: 16, tokens: 48, targets: 3 },
];

/** Adapters of rank 8 on the query and value of every layer, as the suites have them. */
export const BUDGET: TrainingBudget = {
  epochs: 1, batch: 16, learningRate: 1e-3, warmup: 0.1, weightDecay: 0, clip: 1, rank: 8, alpha: 16, sites: ['q', 'v'], maxTokens: 256,
};
