import * as tf from '@tensorflow/tfjs';
import type { Site } from '@lethe/core';
import { rmsNorm } from '@lethe/engine';
import type { Architecture } from '../architecture.js';
import { mix, split } from '../attention.js';
import { siteWeights, table, vector } from '../layout.js';
import type { KeysValues } from '../memory.js';
import { feedForward, gatedFeedForward } from '../mlp.js';
import type { Pass, Readers } from '../pass.js';
import { distanceBias, pairBias } from '../relative.js';
import { type Block, blockSites } from '../sites.js';
import type { ModelConfig } from '../types.js';

/**
 * T5 (Raffel et al. 2020, arXiv 1910.10683) with its version 1.1 and Flan-T5 (arXiv 2210.11416): an encoder reads the prompt, a decoder
 * writes the answer and reads both. Attention is not divided by the root of the head size and knows distances instead of positions.
 */
export interface T5Config extends ModelConfig {
  readonly architecture: 't5';
  readonly encoderLayers: number;
  /** How many distances attention tells apart, and from which on it tells none. */
  readonly buckets: number;
  readonly farthest: number;
  /** Whether the feed-forward network has a gate (GELU, as from version 1.1 on); else it has ReLU. */
  readonly gated: boolean;
  readonly decoderStart: number;
}

/** A norm and the linear layers that read what it gives: T5 numbers these in each layer. */
interface SubLayer extends Block {
  readonly norm: string;
  /** Of the norm, and of the linear layers. */
  readonly stored: { readonly norm: string; readonly module: string };
}

const ATTENTION = ['q', 'k', 'v', 'o'] as const;

function subLayers({ encoderLayers, layers, gated }: T5Config): SubLayer[] {
  const network = gated ? ['gate', 'up', 'down'] as const : ['up', 'down'] as const;
  const stored = (stack: string, i: number, part: number, module: string) => {
    const path = `${stack}.block.${i}.layer.${part}`;
    return { norm: `${path}.layer_norm.weight`, module: `${path}.${module}` };
  };
  const encoder = Array.from({ length: encoderLayers }, (_, i): SubLayer[] => {
    const [name, layer] = [`encoder.layers.${i}`, i];
    return [
      { name, layer, kinds: ATTENTION, source: ATTENTION, norm: `${name}.norm1`, stored: stored('encoder', i, 0, 'SelfAttention') },
      { name, layer, kinds: network, source: network, norm: `${name}.norm2`, stored: stored('encoder', i, 1, 'DenseReluDense') },
    ];
  });
  const decoder = Array.from({ length: layers }, (_, i): SubLayer[] => {
    const [name, layer] = [`decoder.layers.${i}`, encoderLayers + i];
    const cross = `${name}.cross`;
    return [
      { name, layer, kinds: ATTENTION, norm: `${name}.norm1`, stored: stored('decoder', i, 0, 'SelfAttention') },
      { name: cross, layer, kinds: ATTENTION, source: ['k', 'v'], norm: `${cross}.norm`, stored: stored('decoder', i, 1, 'EncDecAttention') },
      { name, layer, kinds: network, norm: `${name}.norm2`, stored: stored('decoder', i, 2, 'DenseReluDense') },
    ];
  });
  return [...encoder, ...decoder].flat();
}

/** What Transformers calls a linear layer. */
const moduleOf = (kind: Site['kind'], gated: boolean) => ({ gate: 'wi_0', up: gated ? 'wi_1' : 'wi', down: 'wo' } as Readonly<Record<string, string>>)[kind] ?? kind;

/** Keys and values of the sites of a block. */
function keysValues(pass: Pass, block: string, h: tf.Tensor3D): KeysValues {
  const { heads, headSize } = pass.config;
  return { keys: split(pass.linear(`${block}.k`, h), heads, headSize), values: split(pass.linear(`${block}.v`, h), heads, headSize) };
}

/** Attention of a block: (batch, n, hidden) of `h` like this. */
function attend(pass: Pass, block: string, h: tf.Tensor3D, read: KeysValues, bias: tf.Tensor4D): tf.Tensor3D {
  const { heads, headSize } = pass.config;
  return pass.linear(`${block}.o`, mix(split(pass.linear(`${block}.q`, h), heads, headSize), read, bias, 1));
}

const normed = (pass: Pass<T5Config>, x: tf.Tensor3D, name: string) => rmsNorm(x, pass.weight(name), pass.config.normEpsilon);

function network(pass: Pass<T5Config>, block: string, h: tf.Tensor3D): tf.Tensor3D {
  return pass.config.gated ? gatedFeedForward(pass, block, h, 'gelu_new') : feedForward(pass, block, h, 'relu');
}

/** What the encoder makes of the prompts, (batch, prefix and source tokens, hidden); `mask` shuts padding out. */
function encode(pass: Pass<T5Config>, ids: tf.Tensor2D, mask: tf.Tensor4D): tf.Tensor3D {
  const bias: tf.Tensor4D = tf.add(mask, pairBias(pass.weight('encoder.distances'), mask.shape[3], pass.config.farthest));
  let x = pass.embedBehindPrefix(ids);
  for (let layer = 0; layer < pass.config.encoderLayers; layer++) {
    const block = `encoder.layers.${layer}`;
    const h = normed(pass, x, `${block}.norm1`);
    x = tf.add(x, attend(pass, block, h, keysValues(pass, block, h), bias));
    x = tf.add(x, network(pass, block, normed(pass, x, `${block}.norm2`)));
  }
  return normed(pass, x, 'encoder.norm');
}

/** What the decoder's attention to its own tokens adds to scores, by who reads: (batch, heads, n, tokens), those read before among them. */
function readersBias(pass: Pass<T5Config>): (readers: Readers) => tf.Tensor4D {
  const { batch: { positions }, config } = pass;
  const [rows, tokens] = positions.shape;
  const past = pass.positions - tokens;
  // what was read before stands at its position
  const places = tf.tile(tf.tensor2d(Int32Array.from({ length: past }, (_, place) => place), [1, past], 'int32'), [rows, 1]);
  const read = past > 0 ? tf.concat([places, positions], 1) : positions;
  const made = new Map<Readers, tf.Tensor4D>();
  return (readers) => {
    const bias = made.get(readers)
      ?? tf.add(readers.bias, distanceBias(pass.weight('decoder.distances'), readers.positions, read, pass.positions, config.farthest));
    made.set(readers, bias);
    return bias;
  };
}

export const t5: Architecture<T5Config> = {
  types: ['t5'],
  prefix: '',
  spare: /\.EncDecAttention\.relative_attention_bias\.weight$/,
  copies: /^(encoder|decoder)\.embed_tokens\.weight$/,

  configure(fields) {
    fields.refuse('is_encoder_decoder', true, 'A T5 without its decoder, or without its encoder, is not supported.');
    const encoderLayers = fields.layers('num_layers');
    const heads = fields.integer('num_heads');
    const vocabSize = fields.integer('vocab_size');
    const [buckets, farthest] = [fields.integer('relative_attention_num_buckets', 32), fields.integer('relative_attention_max_distance', 128)];
    // half of the buckets look ahead, and half of those are for single distances
    if (buckets % 4) fields.fail('relative_attention_num_buckets', `Relative positions need a number of buckets that 4 divides, not ${buckets}.`);
    if (farthest <= buckets / 2) fields.fail('relative_attention_max_distance', `A largest distance of ${farthest} is too near for ${buckets} buckets.`);
    const tied = fields.flag('tie_word_embeddings', true);
    const tiedHead = fields.flag('scale_decoder_outputs', tied);
    const gated = fields.choice('feed_forward_proj', 'The feed-forward network', ['relu', 'gated-gelu'], 'relu') === 'gated-gelu';
    // what Transformers makes of that field, writes beside it, and believes where it is there
    const [made, activation] = gated ? ['"gated-gelu"', 'gelu_new'] : ['"relu"', 'relu'];
    fields.refuse('dense_act_fn', activation, `The activation of a feed-forward network ${made} is "${activation}"; another is not supported.`);
    fields.refuse('is_gated_act', gated, `A feed-forward network ${made} has ${gated ? 'a' : 'no'} gate.`);
    const [start] = [...fields.tokens('decoder_start_token_id', vocabSize), ...fields.tokens('pad_token_id', vocabSize), 0];
    return {
      architecture: 't5',
      vocabSize,
      hiddenSize: fields.integer('d_model'),
      intermediateSize: fields.integer('d_ff'),
      encoderLayers,
      layers: fields.get('num_decoder_layers') === undefined ? encoderLayers : fields.layers('num_decoder_layers'),
      heads,
      keyValueHeads: heads,
      headSize: fields.integer('d_kv'),
      maxPositions: Infinity,
      normEpsilon: fields.number('layer_norm_epsilon', 1e-6),
      // from its version 5 on Transformers writes that embedding and head are one of every T5, and here whether they are
      tiedHead,
      spareHead: tied && !tiedHead,
      gated,
      buckets, farthest,
      decoderStart: start!,
    };
  },

  blocks: subLayers,

  layout(config) {
    const { vocabSize, hiddenSize, buckets, heads, tiedHead, gated } = config;
    return [
      table('embed', 'shared.weight', [vocabSize, hiddenSize]),
      ...subLayers(config).flatMap((part) => [
        vector(part.norm, part.stored.norm, hiddenSize),
        ...blockSites(config, [part]).flatMap((site) => siteWeights(site, `${part.stored.module}.${moduleOf(site.kind, gated)}`, { transposed: true })),
      ]),
      ...['encoder', 'decoder'].flatMap((stack) => [
        table(`${stack}.distances`, `${stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`, [buckets, heads]),
        vector(`${stack}.norm`, `${stack}.final_layer_norm.weight`, hiddenSize),
      ]),
      ...(tiedHead ? [] : [table('head', 'lm_head.weight', [vocabSize, hiddenSize])]),
    ];
  },

  hidden(pass) {
    const { config, batch } = pass;
    const { ids, segments } = batch.source!;
    const mask = tf.mul(tf.sub(tf.cast(tf.reshape(segments, [segments.shape[0], 1, 1, -1]), 'float32'), 1), 1e9) as tf.Tensor4D;
    const biasOf = readersBias(pass);
    let encoded: tf.Tensor3D | undefined;
    let x = pass.embed();
    for (let layer = 0; layer < config.layers; layer++) {
      const block = `decoder.layers.${layer}`;
      const cross = `${block}.cross`;
      const source = pass.recallSource(layer, () => keysValues(pass, cross, encoded ??= encode(pass, ids, mask)));
      const h = normed(pass, x, `${block}.norm1`);
      const read = pass.recall(layer, keysValues(pass, block, h));
      const readers = pass.readers(layer);
      x = tf.add(readers.pick(x), attend(pass, block, readers.pick(h), read, biasOf(readers)));
      x = tf.add(x, attend(pass, cross, normed(pass, x, `${cross}.norm`), source, mask));
      x = tf.add(x, network(pass, block, normed(pass, x, `${block}.norm2`)));
    }
    const states = normed(pass, x, 'decoder.norm');
    // an embedding that is the head too is made for larger states
    return config.tiedHead ? tf.mul(states, config.hiddenSize ** -0.5) : states;
  },
};
