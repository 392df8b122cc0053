import type { TrainingBudget } from '@lethe/core';
import type { LlamaConfig } from '@lethe/model';

/** A model and a batch to measure. */
export interface Shape {
  readonly id: string;
  readonly config: LlamaConfig;
  readonly batch: number;
  readonly tokens: number;
  /** Tokens of one row that the loss looks at, or of one option that is scored. */
  readonly targets: number;
}

const llama = (
  vocabSize: number, hiddenSize: number, intermediateSize: number, layers: number, heads = hiddenSize / 64, keyValueHeads = heads,
): LlamaConfig => ({
  architecture: 'llama',
  vocabSize,
  hiddenSize,
  intermediateSize,
  layers,
  heads,
  keyValueHeads,
  headSize: 64,
  maxPositions: 256,
  normEpsilon: 1e-5,
  ropeTheta: 1e4,
  tiedHead: true,
});

const SHAPES: readonly Shape[] = [
  { id: 'nano', config: llama(1024, 256, 640, 4), batch: 16, tokens: 48, targets: 3 },
  { id: '1m', config: llama(1024, 128, 352, 4), batch: 16, tokens: 128, targets: 3 },
  { id: '10m', config: llama(2048, 384, 1024, 6), batch: 8, tokens: 128, targets: 3 },
  { id: '100m', config: llama(16384, 768, 2048, 12), batch: 4, tokens: 128, targets: 3 },
  // the sizes of Qwen2.5-0.5B
  { id: '500m', config: llama(151936, 896, 4864, 24, 14, 2), batch: 2, tokens: 128, targets: 3 },
];

/** Options of a row that is scored, each of as many tokens as there are targets. */
export const OPTIONS = 4;

/** Tokens of the prompt of a row that is scored: prompt and options together fill the row. */
export const promptOf = ({ tokens, targets }: Shape): number => tokens - OPTIONS * targets;

/** Adapters of rank 8 on the query and value of every layer, as the suites have them. */
export const BUDGET: TrainingBudget = {
  epochs: 1,
  batch: 16,
  learningRate: 1e-3,
  warmup: 0.1,
  weightDecay: 0,
  clip: 1,
  rank: 8,
  alpha: 16,
  sites: ['q', 'v'],
  maxTokens: 256,
};

/** The shapes with these names, in this order. Throws a RangeError for a name that is not known. */
export function shapesOf(ids: readonly string[]): Shape[] {
  return ids.map((id) => {
    const shape = SHAPES.find((known) => known.id === id);
    if (shape) return shape;
    throw new RangeError(`there is no shape "${id}"; choose among ${SHAPES.map((known) => known.id).join(', ')}`);
  });
}
