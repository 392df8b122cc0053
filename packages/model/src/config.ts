import type { Site } from '@lethe/core';
import { LetheError, didYouMean } from '@lethe/core';
import type { ModelConfig } from './types.js';

/** More layers than any model has: a damaged number is refused before lists of that length are made. */
const MOST_LAYERS = 1000;
const ARCHITECTURES = ['llama'];

/** Reads numbers out of a configuration; every refusal names the file and the field. */
class Fields {
  private constructor(private readonly json: Readonly<Record<string, unknown>>, private readonly file: string) {}

  static parse(text: string, file: string): Fields {
    const refuse = (message: string, cause?: unknown) =>
      new LetheError('LETHE_MODEL_CONFIG', message, { where: file, remedy: 'Copy or download the file again.', cause });
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (cause) {
      throw refuse('The configuration is not JSON.', cause);
    }
    if (typeof json !== 'object' || json === null || Array.isArray(json)) throw refuse('The configuration is not a JSON object.');
    return new Fields(json as Record<string, unknown>, file);
  }

  fail(field: string, message: string): never {
    throw new LetheError('LETHE_MODEL_CONFIG', message, { where: `${this.file}: ${field}`, remedy: `Correct "${field}" in ${this.file}.` });
  }

  get(field: string): unknown {
    return this.json[field] ?? undefined;
  }

  /** A field that is an object; empty where it is missing. */
  record(field: string): Readonly<Record<string, unknown>> {
    const value = this.get(field) ?? {};
    return typeof value === 'object' && !Array.isArray(value) ? value as Record<string, unknown> : this.fail(field, `"${field}" must be an object.`);
  }

  number(field: string, fallback?: unknown): number {
    const value = this.get(field) ?? fallback;
    if (value === undefined) this.fail(field, `"${field}" is missing.${didYouMean(field, Object.keys(this.json))}`);
    return typeof value === 'number' && value > 0 ? value : this.fail(field, `"${field}" must be a number above 0, not ${JSON.stringify(value)}.`);
  }

  integer(field: string, fallback?: number): number {
    const value = this.number(field, fallback);
    return Number.isSafeInteger(value) ? value : this.fail(field, `"${field}" must be an integer, not ${value}.`);
  }
}

/** Refuses what the computation of {@link hidden} has no place for, instead of computing something else. */
function checkSupported(fields: Fields): void {
  const type = fields.get('model_type');
  if (typeof type !== 'string' || !ARCHITECTURES.includes(type)) {
    const hint = typeof type === 'string' ? didYouMean(type, ARCHITECTURES) : '';
    fields.fail('model_type', `Models of type "llama" can be used, not ${JSON.stringify(type)}.${hint}`);
  }
  for (const field of ['attention_bias', 'mlp_bias']) if (fields.get(field)) fields.fail(field, 'Linear layers with a bias are not supported.');
  const activation = fields.get('hidden_act') ?? 'silu';
  if (activation !== 'silu') fields.fail('hidden_act', `Only the activation "silu" is supported, not ${JSON.stringify(activation)}.`);
  // Transformers moved the rotary embedding's settings into `rope_parameters`; files of both kinds are about.
  for (const field of ['rope_scaling', 'rope_parameters']) {
    const { rope_type: kind, type: former, partial_rotary_factor: part } = fields.record(field);
    if ((kind ?? former ?? 'default') !== 'default') fields.fail(field, 'Scaled rotary embeddings are not supported.');
    if ((part ?? 1) !== 1) fields.fail(field, 'Rotary embeddings over a part of the head are not supported.');
  }
}

/**
 * Reads the fields of a Llama-layout `config.json`.
 * Throws LETHE_MODEL_CONFIG, naming `file` and field, for one that is missing, of the wrong kind or not supported.
 */
export function parseConfig(text: string, file: string): ModelConfig {
  const fields = Fields.parse(text, file);
  checkSupported(fields);
  const hiddenSize = fields.integer('hidden_size');
  const heads = fields.integer('num_attention_heads');
  const keyValueHeads = fields.integer('num_key_value_heads', heads);
  if (heads % keyValueHeads) fields.fail('num_key_value_heads', `${keyValueHeads} key-value heads do not divide ${heads} heads.`);
  if (fields.get('head_dim') === undefined && hiddenSize % heads) {
    fields.fail('num_attention_heads', `${heads} heads do not divide a hidden size of ${hiddenSize}.`);
  }
  const headSize = fields.integer('head_dim', hiddenSize / heads);
  if (headSize % 2) fields.fail('head_dim', `Rotary embeddings need an even head size, not ${headSize}.`);
  const layers = fields.integer('num_hidden_layers');
  if (layers > MOST_LAYERS) fields.fail('num_hidden_layers', `"num_hidden_layers" is ${layers}; at most ${MOST_LAYERS} are supported.`);
  return {
    vocabSize: fields.integer('vocab_size'),
    hiddenSize,
    intermediateSize: fields.integer('intermediate_size'),
    layers,
    heads,
    keyValueHeads,
    headSize,
    maxPositions: fields.integer('max_position_embeddings', 2048),
    normEpsilon: fields.number('rms_norm_eps', 1e-6),
    ropeTheta: fields.number('rope_theta', fields.record('rope_parameters')['rope_theta'] ?? 10000),
    tiedHead: fields.get('tie_word_embeddings') === true,
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
