import * as tf from '@tensorflow/tfjs';
import type { Architecture } from '../architecture.js';
import { attention } from '../attention.js';
import { normWeights, perLayer, siteWeights, table } from '../layout.js';
import { type Activation, feedForward, readActivation } from '../mlp.js';
import { layerNorm } from '../norm.js';
import { type Rope, readRope, readRotaryShare, rotaryPlace } from '../rotary.js';
import { layerBlocks } from '../sites.js';
import type { ModelConfig } from '../types.js';

/**
 * GPT-NeoX (Black et al. 2022, arXiv 2204.06745) and Pythia (Biderman et al. 2023, arXiv 2304.01373): rotary embeddings over
 * the first part of each head, attention and feed-forward network side by side.
 */
export interface NeoXConfig extends ModelConfig, Rope {
  readonly architecture: 'gpt_neox';
  readonly activation: Activation;
  /** How many numbers of each head the rotary embedding turns. */
  readonly rotarySize: number;
  /** Whether attention and feed-forward network read the same states; else the latter reads what the former gave. */
  readonly parallel: boolean;
  /** Whether the linear layers of the attention have a bias; those of the feed-forward network always have. */
  readonly attentionBias: boolean;
}

const MODULES: Readonly<Record<string, string>> = {
  q: 'attention.query_key_value', k: 'attention.query_key_value', v: 'attention.query_key_value', o: 'attention.dense',
  up: 'mlp.dense_h_to_4h', down: 'mlp.dense_4h_to_h',
};
const FUSED = ['q', 'k', 'v'];

export const neox: Architecture<NeoXConfig> = {
  types: ['gpt_neox'],
  prefix: 'gpt_neox.',
  spare: /\.attention\.((masked_)?bias|rotary_emb\.inv_freq)$/,

  configure(fields) {
    const hiddenSize = fields.integer('hidden_size');
    const heads = fields.integer('num_attention_heads');
    if (hiddenSize % heads) fields.fail('num_attention_heads', `${heads} heads do not divide a hidden size of ${hiddenSize}.`);
    const headSize = hiddenSize / heads;
    fields.refuse('head_dim', headSize, `Heads are ${headSize} numbers, the hidden size shared among them; another size is not supported.`);
    const rotarySize = Math.floor(headSize * readRotaryShare(fields, 'rotary_pct', 0.25));
    if (rotarySize % 2 || rotarySize === 0) {
      fields.fail('rotary_pct', `Rotary embeddings turn an even part of the head, not ${rotarySize} of ${headSize} numbers.`);
    }
    const maxPositions = fields.integer('max_position_embeddings');
    return {
      architecture: 'gpt_neox',
      vocabSize: fields.integer('vocab_size'),
      hiddenSize,
      intermediateSize: fields.integer('intermediate_size'),
      layers: fields.layers('num_hidden_layers'),
      heads,
      keyValueHeads: heads,
      headSize,
      rotarySize,
      maxPositions,
      normEpsilon: fields.number('layer_norm_eps', 1e-5),
      ...readRope(fields, 'rotary_emb_base', maxPositions),
      tiedHead: fields.flag('tie_word_embeddings', false),
      activation: readActivation(fields, 'hidden_act', 'gelu'),
      parallel: fields.flag('use_parallel_residual', true),
      attentionBias: fields.flag('attention_bias', true),
    };
  },

  blocks: (config) => layerBlocks(config, ['q', 'k', 'v', 'o', 'up', 'down']),

  layout({ vocabSize, hiddenSize, layers, heads, tiedHead, attentionBias }, sites) {
    return [
      table('embed', 'gpt_neox.embed_in.weight', [vocabSize, hiddenSize]),
      ...sites.flatMap((site) => {
        const index = FUSED.indexOf(site.kind);
        return siteWeights(site, `gpt_neox.layers.${site.layer}.${MODULES[site.kind]}`, {
          transposed: true,
          bias: attentionBias || site.kind === 'up' || site.kind === 'down',
          // query, key and value of the first head, then those of the next
          ...(index < 0 ? {} : { part: { groups: heads, parts: FUSED.length, index } }),
        });
      }),
      ...perLayer(layers, 'gpt_neox.layers', (name, stored) => [
        ...normWeights(name('norm1'), stored('input_layernorm'), hiddenSize),
        ...normWeights(name('norm2'), stored('post_attention_layernorm'), hiddenSize),
      ]),
      ...normWeights('norm', 'gpt_neox.final_layer_norm', hiddenSize),
      ...(tiedHead ? [] : [table('head', 'embed_out.weight', [vocabSize, hiddenSize])]),
    ];
  },

  hidden(pass) {
    const { config } = pass;
    const norm = (x: tf.Tensor3D, name: string) => layerNorm(x, pass.weight(name), pass.weight(`${name}.bias`), config.normEpsilon);
    const place = rotaryPlace(config.rotarySize, config, pass.positions);
    let x = pass.embed();
    for (let layer = 0; layer < config.layers; layer++) {
      const attended = attention(pass, layer, norm(x, `layers.${layer}.norm1`), place);
      const before = pass.readers(layer).pick(x);
      const after: tf.Tensor3D = tf.add(before, attended);
      x = tf.add(after, feedForward(pass, `layers.${layer}`, norm(config.parallel ? before : after, `layers.${layer}.norm2`), config.activation));
    }
    return norm(x, 'norm');
  },
};
