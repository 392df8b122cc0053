import type { Site, Tensors } from '@lethe/core';
import { didYouMean } from '@lethe/core';
import type { Tensor3D } from '@tensorflow/tfjs';
import type { Architecture } from '../architecture.js';
import { Fields } from '../fields.js';
import type { WeightEntry } from '../layout.js';
import { Pass } from '../pass.js';
import type { Memory } from '../memory.js';
import { behindPrefix } from '../prefix.js';
import { blockSites } from '../sites.js';
import type { Adapt, BatchTensors, ModelConfig } from '../types.js';
import { gpt2 } from './gpt2.js';
import { neox } from './gpt-neox.js';
import { llama } from './llama.js';
import { t5 } from './t5.js';

const ARCHITECTURES = { llama, gpt2, 'gpt-neox': neox, t5 } as const;

export const architectureOf = (config: ModelConfig): Architecture => ARCHITECTURES[config.architecture];

/** `model_type` of every configuration that can be read. */
export const MODEL_TYPES: readonly string[] = Object.values(ARCHITECTURES).flatMap(({ types }) => types);

/**
 * Reads a `config.json` of an architecture that is known here.
 * Throws LETHE_MODEL_CONFIG, naming `file` and field, for one that is missing, of the wrong kind or not supported.
 */
export function parseConfig(text: string, file: string): ModelConfig {
  return configure(Fields.parse(text, file));
}

/** As {@link parseConfig}, of fields that have been read. */
export function configure(fields: Fields): ModelConfig {
  const all: readonly Architecture[] = Object.values(ARCHITECTURES);
  const type = fields.get('model_type');
  const architecture = all.find(({ types }) => types.includes(type as string));
  if (architecture) {
    if (fields.get('quantization_config') !== undefined) fields.fail('quantization_config', 'Quantized weights are not supported.');
    return architecture.configure(fields, type as string);
  }
  const hint = typeof type === 'string' ? didYouMean(type, MODEL_TYPES) : '';
  return fields.fail('model_type', `Models of type ${MODEL_TYPES.join(', ')} can be used, not ${JSON.stringify(type)}.${hint}`);
}

/** Every linear layer of a model in the order of computation. */
export const sitesOf = (config: ModelConfig): Site[] => blockSites(config, architectureOf(config).blocks(config));

/** All weights of a model. Linear weights are (in, out) here; embedding and head are (vocabulary, hidden). */
export function layoutOf(config: ModelConfig): WeightEntry[] {
  return architectureOf(config).layout(config, sitesOf(config));
}

/**
 * Traced. Hidden states after the final norm, (batch, prefix and tokens, hidden), or (batch, n, hidden) when the batch names n
 * wanted states a row.
 */
export function hidden(config: ModelConfig, batch: BatchTensors, weights: Tensors, adapt: Adapt, memory?: Memory): Tensor3D {
  return architectureOf(config).hidden(new Pass(config, sitesOf(config), behindPrefix(batch), weights, adapt, memory));
}
