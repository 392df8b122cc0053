import * as tf from '@tensorflow/tfjs';
import type { Site } from '@lethe/core';
import { rmsNorm } from '@lethe/engine';
import type { Architecture } from '../architecture.js';
import { type Place, attention } from '../attention.js';
import type { Fields } from '../fields.js';
import { perLayer, siteWeights, table, vector } from '../layout.js';
import { gated } from '../mlp.js';
import { type Rope, readRope, ropeSection, rotaryPlace } from '../rotary.js';
import { layerBlocks } from '../sites.js';
import type { ModelConfig } from '../types.js';

/**
 * Llama (Touvron et al. 2023, arXiv 2302.13971) and its kin: Mistral (Jiang et al. 2023, arXiv 2310.06825) with a sliding
 * window, Qwen2 and 2.5 (arXiv 2407.10671) with biases on query, key and value, Qwen3 (arXiv 2505.09388) with normed
 * queries and keys.
 */
export interface LlamaConfig extends ModelConfig, Rope {
  readonly architecture: 'llama';
  /** Kinds of the linear layers with a bias; absent for none. */
  readonly biases?: readonly Site['kind'][];
  /** Whether queries and keys are normed, each head on its own; absent for no. */
  readonly headNorms?: boolean;
}

const TYPES = ['llama', 'mistral', 'qwen2', 'qwen3'] as const;
type Type = (typeof TYPES)[number];

function readBiases(fields: Fields, type: Type): Site['kind'][] {
  const attention = type === 'llama' || type === 'qwen3';
  if (!attention) fields.refuse('attention_bias', type === 'qwen2', `Models of type "${type}" have no setting for the biases of attention.`);
  if (type !== 'llama') fields.refuse('mlp_bias', false, `Models of type "${type}" have no bias in the feed-forward network.`);
  return [
    ...(type === 'qwen2' ? ['q', 'k', 'v'] as const : []),
    ...(attention && fields.flag('attention_bias', false) ? ['q', 'k', 'v', 'o'] as const : []),
    ...(fields.flag('mlp_bias', false) ? ['gate', 'up', 'down'] as const : []),
  ];
}

/** Which layers read only so far back: in Mistral all of them; in Qwen those that the configuration names, or the upper ones. */
function readWindows(fields: Fields, type: Type, layers: number): readonly (number | null)[] {
  if (type === 'llama') return [];
  const given = fields.has('sliding_window') && fields.get('sliding_window') === undefined ? null : fields.integer('sliding_window', 4096);
  const window = type === 'mistral' || fields.flag('use_sliding_window', false) ? given : null;
  const types = fields.get('layer_types');
  if (types === undefined) {
    if (window === null) return [];
    const full = type === 'mistral' || fields.get('max_window_layers') === 0 ? 0 : fields.integer('max_window_layers', 28);
    return Array.from({ length: layers }, (_, layer) => (layer < full ? null : window));
  }
  if (!Array.isArray(types) || types.length !== layers) fields.fail('layer_types', `"layer_types" must name the types of ${layers} layers.`);
  return types.map((name) => {
    if (name === 'full_attention') return null;
    if (name !== 'sliding_attention') return fields.unsupported('layer_types', `Layers of type ${JSON.stringify(name)} are not supported.`);
    return window ?? fields.fail('layer_types', 'Layers of type "sliding_attention" need a window, and there is none, or it is switched off.');
  });
}

const MODULES = {
  q: 'self_attn.q_proj', k: 'self_attn.k_proj', v: 'self_attn.v_proj', o: 'self_attn.o_proj',
  gate: 'mlp.gate_proj', up: 'mlp.up_proj', down: 'mlp.down_proj',
} as const;

export const llama: Architecture<LlamaConfig> = {
  types: TYPES,
  prefix: 'model.',
  spare: /\.rotary_emb\.inv_freq$/,

  configure(fields, name) {
    const type = name as Type;
    fields.choice('hidden_act', 'The activation', ['silu', 'swish'], 'silu'); // two names of one function
    ropeSection(fields).refuse('partial_rotary_factor', 1, `Models of type "${type}" turn the whole head by its position.`);
    const hiddenSize = fields.integer('hidden_size');
    const heads = fields.integer('num_attention_heads');
    // what Transformers takes where a field is missing differs from type to type: only Llama's are old enough to lack them
    const keyValueHeads = fields.integer('num_key_value_heads', type === 'llama' ? heads : undefined);
    if (heads % keyValueHeads) fields.fail('num_key_value_heads', `${keyValueHeads} key-value heads do not divide ${heads} heads.`);
    if (fields.get('head_dim') === undefined && type !== 'qwen3' && hiddenSize % heads) {
      fields.fail('num_attention_heads', `${heads} heads do not divide a hidden size of ${hiddenSize}.`);
    }
    const headSize = fields.integer('head_dim', type === 'qwen3' ? 128 : hiddenSize / heads);
    if (headSize % 2) fields.fail('head_dim', `Rotary embeddings need an even head size, not ${headSize}.`);
    const layers = fields.layers('num_hidden_layers');
    const maxPositions = fields.integer('max_position_embeddings', type === 'llama' ? 2048 : undefined);
    const biases = readBiases(fields, type);
    const windows = readWindows(fields, type, layers);
    return {
      architecture: 'llama',
      vocabSize: fields.integer('vocab_size'),
      hiddenSize,
      intermediateSize: fields.integer('intermediate_size'),
      layers,
      heads,
      keyValueHeads,
      headSize,
      maxPositions,
      normEpsilon: fields.number('rms_norm_eps', 1e-6),
      ...readRope(fields, 'rope_theta', maxPositions),
      tiedHead: fields.flag('tie_word_embeddings', false),
      ...(biases.length > 0 ? { biases } : {}),
      ...(windows.some((window) => window !== null) ? { windows } : {}),
      ...(type === 'qwen3' ? { headNorms: true } : {}),
    };
  },

  blocks: (config) => layerBlocks(config, ['q', 'k', 'v', 'o', 'gate', 'up', 'down']),

  layout({ vocabSize, hiddenSize, headSize, layers, tiedHead, biases = [], headNorms }, sites) {
    return [
      table('embed', 'model.embed_tokens.weight', [vocabSize, hiddenSize]),
      ...sites.flatMap((site) =>
        siteWeights(site, `model.layers.${site.layer}.${MODULES[site.kind]}`, { transposed: true, bias: biases.includes(site.kind) })),
      ...perLayer(layers, 'model.layers', (name, stored) => [
        vector(name('norm1'), stored('input_layernorm.weight'), hiddenSize),
        vector(name('norm2'), stored('post_attention_layernorm.weight'), hiddenSize),
        ...(headNorms ? [vector(name('qnorm'), stored('self_attn.q_norm.weight'), headSize), vector(name('knorm'), stored('self_attn.k_norm.weight'), headSize)] : []),
      ]),
      vector('norm', 'model.norm.weight', hiddenSize),
      ...(tiedHead ? [] : [table('head', 'lm_head.weight', [vocabSize, hiddenSize])]),
    ];
  },

  hidden(pass) {
    const { config } = pass;
    const norm = <T extends tf.Tensor>(x: T, name: string) => rmsNorm(x, pass.weight(name), config.normEpsilon);
    const turn = rotaryPlace(config.headSize, config, pass.positions);
    let x = pass.embed();
    for (let layer = 0; layer < config.layers; layer++) {
      const name = (part: string) => `layers.${layer}.${part}`;
      const place: Place = config.headNorms ? (states, at, kind) => turn(norm(states, name(`${kind}norm`)), at, kind) : turn;
      const attended = attention(pass, layer, norm(x, name('norm1')), place);
      x = tf.add(pass.readers(layer).pick(x), attended);
      const h = norm(x, name('norm2'));
      x = tf.add(x, pass.linear(name('down'), gated(pass.linear(name('gate'), h), pass.linear(name('up'), h))));
    }
    return norm(x, 'norm');
  },
};
