import * as tf from '@tensorflow/tfjs';
import type { Architecture } from '../architecture.js';
import { attention } from '../attention.js';
import { type StoredSite, normWeights, perLayer, siteWeights, table } from '../layout.js';
import { type Activation, feedForward, readActivation } from '../mlp.js';
import { layerNorm } from '../norm.js';
import { layerBlocks } from '../sites.js';
import type { ModelConfig } from '../types.js';

/** GPT-2 (Radford et al. 2019): learned positions, norms with a bias, biases everywhere, a feed-forward network without a gate. */
export interface Gpt2Config extends ModelConfig {
  readonly architecture: 'gpt2';
  readonly activation: Activation;
}

/** One product gives query, key and value side by side; all linear weights are stored as (in, out). */
const STORED: Readonly<Record<string, StoredSite & { readonly module: string }>> = {
  q: { module: 'attn.c_attn', part: { groups: 1, parts: 3, index: 0 }, bias: true },
  k: { module: 'attn.c_attn', part: { groups: 1, parts: 3, index: 1 }, bias: true },
  v: { module: 'attn.c_attn', part: { groups: 1, parts: 3, index: 2 }, bias: true },
  o: { module: 'attn.c_proj', bias: true },
  up: { module: 'mlp.c_fc', bias: true },
  down: { module: 'mlp.c_proj', bias: true },
};

export const gpt2: Architecture<Gpt2Config> = {
  types: ['gpt2'],
  prefix: 'transformer.',
  spare: /\.attn\.(masked_)?bias$/,

  configure(fields) {
    fields.refuse('scale_attn_weights', true, 'Attention scores that are not divided by the root of the head size are not supported.');
    fields.refuse('scale_attn_by_inverse_layer_idx', false, 'Attention scores that are divided by the number of the layer are not supported.');
    fields.refuse('add_cross_attention', false, 'Attention to an encoder is not supported.');
    const hiddenSize = fields.integer('n_embd');
    const heads = fields.integer('n_head');
    if (hiddenSize % heads) fields.fail('n_head', `${heads} heads do not divide a hidden size of ${hiddenSize}.`);
    // another name of the same, which wins in Transformers and shows in the shape of no weight
    fields.refuse('num_attention_heads', heads, `"n_head" says ${heads} heads, and "num_attention_heads" another number.`);
    return {
      architecture: 'gpt2',
      vocabSize: fields.integer('vocab_size'),
      hiddenSize,
      intermediateSize: fields.integer('n_inner', 4 * hiddenSize),
      layers: fields.layers('n_layer'),
      heads,
      keyValueHeads: heads,
      headSize: hiddenSize / heads,
      maxPositions: fields.integer('n_positions'),
      normEpsilon: fields.number('layer_norm_epsilon', 1e-5),
      tiedHead: fields.flag('tie_word_embeddings', true),
      activation: readActivation(fields, 'activation_function', 'gelu_new'),
    };
  },

  blocks: (config) => layerBlocks(config, ['q', 'k', 'v', 'o', 'up', 'down']),

  layout({ vocabSize, hiddenSize, maxPositions, layers, tiedHead }, sites) {
    return [
      table('embed', 'transformer.wte.weight', [vocabSize, hiddenSize]),
      table('positions', 'transformer.wpe.weight', [maxPositions, hiddenSize]),
      ...sites.flatMap((site) => siteWeights(site, `transformer.h.${site.layer}.${STORED[site.kind]!.module}`, STORED[site.kind]!)),
      ...perLayer(layers, 'transformer.h', (name, stored) => [
        ...normWeights(name('norm1'), stored('ln_1'), hiddenSize),
        ...normWeights(name('norm2'), stored('ln_2'), hiddenSize),
      ]),
      ...normWeights('norm', 'transformer.ln_f', hiddenSize),
      ...(tiedHead ? [] : [table('head', 'lm_head.weight', [vocabSize, hiddenSize])]),
    ];
  },

  hidden(pass) {
    const { config, batch } = pass;
    const norm = (x: tf.Tensor3D, name: string) => layerNorm(x, pass.weight(name), pass.weight(`${name}.bias`), config.normEpsilon);
    let x = pass.embed();
    x = tf.add(x, tf.reshape(tf.gather(pass.weight('positions'), tf.reshape(batch.positions, [-1])), x.shape));
    for (let layer = 0; layer < config.layers; layer++) {
      const attended = attention(pass, layer, norm(x, `layers.${layer}.norm1`), (states) => states);
      x = tf.add(pass.readers(layer).pick(x), attended);
      x = tf.add(x, feedForward(pass, `layers.${layer}`, norm(x, `layers.${layer}.norm2`), config.activation));
    }
    return norm(x, 'norm');
  },
};
