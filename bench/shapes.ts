import type { TrainingBudget } from '@lethe/core';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ModelConfig, loadModel } from '@lethe/model';

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
  architecture: 'llama',
  vocabSize,
  hiddenSize,
  intermediateSize,
  layers,
  heads: hiddenSize / 64,
  keyValueHeads: hiddenSize / 64,
  headSize: 64,
  maxPositions: 256,
  normEpsilon: 1e-5,
  ropeTheta: 1e4,
  tiedHead: true,
});

/** The model that is shipped, seen from `bench/dist`. */
const NANO = fileURLToPath(new URL('../../packages/model/lethe-nano', import.meta.url));

const SHAPES: readonly Shape[] = [
  { id: 'nano', config: llama(1024, 256, 704, 4), batch: 16, tokens: 48, targets: 3 },
  { id: '10m', config: llama(2048, 384, 1024, 6), batch: 16, tokens: 48, targets: 3 },
];

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

/**
 * The shapes with these names, all of them for none; `nano` is that of the shipped model when it is there.
 * Throws a RangeError for a name that is not known.
 */
export async function shapesOf(ids: readonly string[]): Promise<Shape[]> {
  const unknown = ids.find((id) => !SHAPES.some((shape) => shape.id === id));
  if (unknown !== undefined)
    throw new RangeError(`there is no shape "${unknown}"; choose among ${SHAPES.map(({ id }) => id).join(', ')}`);
  const chosen = SHAPES.filter(({ id }) => ids.length === 0 || ids.includes(id));
  return Promise.all(
    chosen.map(async (shape) =>
      shape.id === 'nano' && existsSync(join(NANO, 'config.json')) ? { ...shape, config: (await loadModel(NANO)).config } : shape,
    ),
  );
}
