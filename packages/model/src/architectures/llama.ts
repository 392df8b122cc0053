import * as tf from '@tensorflow/tfjs';
import { rmsNorm, rotary } from '@lethe/engine';
import type { Architecture } from '../architecture.js';
import { type Place, attention } from '../attention.js';
import { plain } from '../layout.js';
import { gated } from '../mlp.js';
import { rotaryTables } from '../rotary.js';
import type { Dimensions } from '../types.js';

/** Models in the layout of Llama (Touvron et al. 2023, arXiv 2302.13971). */
export interface LlamaConfig extends Dimensions {
  readonly architecture: 'llama';
  readonly ropeTheta: number;
}

const MODULES: Readonly<Record<string, string>> = {
  q: 'self_attn.q_proj', k: 'self_attn.k_proj', v: 'self_attn.v_proj', o: 'self_attn.o_proj',
  gate: 'mlp.gate_proj', up: 'mlp.up_proj', down: 'mlp.down_proj',
};

export const llama: Architecture<LlamaConfig> = {
  types: ['llama'],
  kinds: ['q', 'k', 'v', 'o', 'gate', 'up', 'down'],

  configure(fields) {
    for (const field of ['attention_bias', 'mlp_bias']) if (fields.get(field)) fields.fail(field, 'Linear layers with a bias are not supported.');
    const activation = fields.get('hidden_act') ?? 'silu';
    if (activation !== 'silu') fields.fail('hidden_act', `Only the activation "silu" is supported, not ${JSON.stringify(activation)}.`);
    // Transformers moved the rotary embedding's settings into `rope_parameters`; files of both kinds are about.
    for (const field of ['rope_scaling', 'rope_parameters']) {
      const { rope_type: kind, type: former, partial_rotary_factor: part } = fields.record(field);
      if ((kind ?? former ?? 'default') !== 'default') fields.fail(field, 'Scaled rotary embeddings are not supported.');
      if ((part ?? 1) !== 1) fields.fail(field, 'Rotary embeddings over a part of the head are not supported.');
    }
    const hiddenSize = fields.integer('hidden_size');
    const heads = fields.integer('num_attention_heads');
    const keyValueHeads = fields.integer('num_key_value_heads', heads);
    if (heads % keyValueHeads) fields.fail('num_key_value_heads', `${keyValueHeads} key-value heads do not divide ${heads} heads.`);
    if (fields.get('head_dim') === undefined && hiddenSize % heads) {
      fields.fail('num_attention_heads', `${heads} heads do not divide a hidden size of ${hiddenSize}.`);
    }
    const headSize = fields.integer('head_dim', hiddenSize / heads);
    if (headSize % 2) fields.fail('head_dim', `Rotary embeddings need an even head size, not ${headSize}.`);
    return {
      architecture: 'llama',
      vocabSize: fields.integer('vocab_size'),
      hiddenSize,
      intermediateSize: fields.integer('intermediate_size'),
      layers: fields.layers('num_hidden_layers'),
      heads,
      keyValueHeads,
      headSize,
      maxPositions: fields.integer('max_position_embeddings', 2048),
      normEpsilon: fields.number('rms_norm_eps', 1e-6),
      ropeTheta: fields.number('rope_theta', fields.record('rope_parameters')['rope_theta'] ?? 10000),
      tiedHead: fields.get('tie_word_embeddings') === true,
    };
  },

  layout({ vocabSize, hiddenSize, layers, tiedHead }, sites) {
    return [
      plain('embed', 'model.embed_tokens.weight', [vocabSize, hiddenSize]),
      ...sites.map((site) => ({
        name: site.name, stored: `model.layers.${site.layer}.${MODULES[site.kind]}.weight`, shape: [site.in, site.out], transposed: true,
      })),
      ...Array.from({ length: layers }, (_, i) => [
        plain(`layers.${i}.norm1`, `model.layers.${i}.input_layernorm.weight`, [hiddenSize]),
        plain(`layers.${i}.norm2`, `model.layers.${i}.post_attention_layernorm.weight`, [hiddenSize]),
      ]).flat(),
      plain('norm', 'model.norm.weight', [hiddenSize]),
      ...(tiedHead ? [] : [plain('head', 'lm_head.weight', [vocabSize, hiddenSize])]),
    ];
  },

  hidden(pass) {
    const { config } = pass;
    const tables = rotaryTables(config.headSize, config.ropeTheta, pass.batch.ids.shape[1]);
    const place: Place = (x, positions) => rotary(x, positions, tables);
    const norm = (x: tf.Tensor3D, name: string) => rmsNorm(x, pass.weight(name), config.normEpsilon);
    let x = pass.embed();
    for (let layer = 0; layer < config.layers; layer++) {
      const name = (part: string) => `layers.${layer}.${part}`;
      const attended = attention(pass, layer, norm(x, name('norm1')), place);
      x = tf.add(pass.readers(layer).pick(x), attended);
      const h = norm(x, name('norm2'));
      x = tf.add(x, pass.linear(name('down'), gated(pass.linear(name('gate'), h), pass.linear(name('up'), h))));
    }
    return norm(x, 'norm');
  },
};
