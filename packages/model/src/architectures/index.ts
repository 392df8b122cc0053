import type { Site, Tensors } from '@lethe/core';
import { LetheError, didYouMean } from '@lethe/core';
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

const BUILT_IN: readonly Architecture[] = [llama, gpt2, neox, t5];

/** `model_type` of every configuration that can be read without a plugin. */
export const MODEL_TYPES: readonly string[] = BUILT_IN.flatMap(({ types }) => types);

interface Known {
  readonly architecture: Architecture;
  /** Path of the module of a plugin that brought it. */
  readonly module?: string;
}

/** Every architecture of this thread, by each of its types. */
const known = new Map<string, Known>(BUILT_IN.flatMap((architecture) => architecture.types.map((type) => [type, { architecture }] as const)));

/**
 * Makes an architecture known to this thread.
 *
 * @param module path of the module that brought it
 * @throws LETHE_PLUGIN_DUPLICATE where one of its types is taken
 */
export function registerArchitecture(architecture: Architecture, module: string): void {
  const taken = architecture.types.find((type) => known.has(type));
  if (taken !== undefined) {
    const other = known.get(taken)!.module;
    const whose = other === undefined ? "Lethe's own" : 'that of another plugin';
    throw new LetheError('LETHE_PLUGIN_DUPLICATE', `Models of type "${taken}" have an architecture already: ${whose}.`, {
      where: other === undefined ? module : `${other} and ${module}`,
      remedy: 'Give this one another type, in its "types" and as "model_type" in config.json.',
    });
  }
  for (const type of architecture.types) known.set(type, { architecture, module });
}

/** Throws LETHE_MODEL_CONFIG where no architecture of this thread is meant. */
export function architectureOf({ architecture: type }: ModelConfig): Architecture {
  const found = known.get(type);
  if (found) return found.architecture;
  throw new LetheError('LETHE_MODEL_CONFIG', `There is no architecture "${type}".${didYouMean(type, [...known.keys()])}`, {
    remedy: 'Open the model by its folder: that brings the architecture of a plugin.',
  });
}

/**
 * Reads a `config.json` of an architecture that is known here.
 * Throws LETHE_MODEL_CONFIG, naming `file` and field, for one that is missing, of the wrong kind or not supported.
 */
export function parseConfig(text: string, file: string): ModelConfig {
  return configure(Fields.parse(text, file));
}

/**
 * As {@link parseConfig}, of fields that have been read.
 *
 * @param among the architectures that may be meant
 */
export function configure(fields: Fields, among: readonly Architecture[] = BUILT_IN): ModelConfig {
  const type = fields.get('model_type');
  const architecture = among.find(({ types }) => types.includes(type as string));
  if (architecture) {
    if (fields.get('quantization_config') !== undefined) fields.unsupported('quantization_config', 'Quantized weights are not supported.', 'Use the weights as they were before, floats of 16 or 32 bits.');
    // Transformers reads these two in every model, whatever its type
    fields.refuse('is_causal', true, 'Attention to tokens that come later is not supported.');
    fields.refuse('per_layer_config', undefined, 'Layers with settings of their own are not supported.');
    return architecture.configure(fields, type as string);
  }
  const readable = among.flatMap(({ types }) => types);
  const hint = typeof type === 'string' ? didYouMean(type, readable) : '';
  const message = `Models of type ${readable.join(', ')} can be used, not ${JSON.stringify(type)}.${hint}`;
  return hint === '' && type !== undefined ? fields.unsupported('model_type', message) : fields.fail('model_type', message);
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
