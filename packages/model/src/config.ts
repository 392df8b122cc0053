import type { Site } from '@lethe/core';
import { LetheError } from '@lethe/core';
import type { ModelConfig } from './types.js';

/**
 * Reads the fields of a Llama-layout `config.json`.
 * Throws LETHE_MODEL_CONFIG, naming `file` and field, for one that is missing, of the wrong kind or not supported.
 */
export function parseConfig(text: string, file: string): ModelConfig {
  const fail = (field: string, message: string): never => {
    throw new LetheError('LETHE_MODEL_CONFIG', message, { where: `${file}: ${field}`, remedy: `Correct "${field}" in ${file}.` });
  };
  let json: Record<string, unknown> = {};
  try {
    json = JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new LetheError('LETHE_MODEL_CONFIG', 'The configuration is not JSON.', { where: file, cause });
  }
  const number = (field: string, fallback?: number): number => {
    const value = json[field] ?? fallback;
    return typeof value === 'number' && value > 0 ? value : fail(field, `"${field}" must be a number above 0.`);
  };
  const integer = (field: string, fallback?: number): number => {
    const value = number(field, fallback);
    return Number.isSafeInteger(value) ? value : fail(field, `"${field}" must be an integer.`);
  };
  if (json['model_type'] !== 'llama') fail('model_type', `Models of type "llama" can be used, not "${String(json['model_type'])}".`);
  if (json['rope_scaling']) fail('rope_scaling', 'Scaled rotary embeddings are not supported.');
  for (const field of ['attention_bias', 'mlp_bias']) if (json[field]) fail(field, 'Linear layers with a bias are not supported.');
  if ((json['hidden_act'] ?? 'silu') !== 'silu') fail('hidden_act', 'Only the activation "silu" is supported.');
  const hiddenSize = integer('hidden_size');
  const heads = integer('num_attention_heads');
  const keyValueHeads = integer('num_key_value_heads', heads);
  if (heads % keyValueHeads) fail('num_key_value_heads', `${keyValueHeads} key-value heads do not divide ${heads} heads.`);
  const headSize = integer('head_dim', hiddenSize / heads);
  if (headSize % 2) fail('head_dim', 'Rotary embeddings need an even head size.');
  // Transformers moved the base of the rotary embedding into `rope_parameters`; files of both kinds are about.
  const rope = json['rope_parameters'] as { rope_theta?: number; rope_type?: string } | null | undefined;
  if ((rope?.rope_type ?? 'default') !== 'default') fail('rope_parameters', 'Scaled rotary embeddings are not supported.');
  return {
    vocabSize: integer('vocab_size'),
    hiddenSize,
    intermediateSize: integer('intermediate_size'),
    layers: integer('num_hidden_layers'),
    heads,
    keyValueHeads,
    headSize,
    maxPositions: integer('max_position_embeddings', 2048),
    normEpsilon: number('rms_norm_eps', 1e-6),
    ropeTheta: number('rope_theta', rope?.rope_theta ?? 10000),
    tiedHead: json['tie_word_embeddings'] === true,
  };
}

/** Every linear layer of a model in the order of computation. */
export function sitesOf(config: ModelConfig): Site[] {
  const { hiddenSize, intermediateSize, headSize } = config;
  const queries = config.heads * headSize;
  const keys = config.keyValueHeads * headSize;
  const kinds = [
    ['q', hiddenSize, queries], ['k', hiddenSize, keys], ['v', hiddenSize, keys], ['o', queries, hiddenSize],
    ['gate', hiddenSize, intermediateSize], ['up', hiddenSize, intermediateSize], ['down', intermediateSize, hiddenSize],
  ] as const;
  return Array.from({ length: config.layers }, (_, layer) =>
    kinds.map(([kind, input, output], i) => ({
      name: `layers.${layer}.${kind}`, index: layer * kinds.length + i, layer, kind, in: input, out: output,
    }))).flat();
}
