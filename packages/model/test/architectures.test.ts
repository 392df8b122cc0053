import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LetheError } from '@lethe/core';
import { expect } from 'chai';
import { type ModelConfig, parseConfig, sitesOf } from '../src/index.js';
import { Fields } from '../src/fields.js';
import { anglesOf, readRope } from '../src/rotary.js';
import { FIXTURES } from './spoil.js';

const FILE = 'config.json';
const read = (name: string) => JSON.parse(readFileSync(join(FIXTURES, 'architectures', name, FILE), 'utf8')) as Record<string, unknown>;
/** The configuration of a fixture with some fields changed; undefined takes a field out. */
const parse = (name: string, changes: Record<string, unknown> = {}): ModelConfig => parseConfig(JSON.stringify({ ...read(name), ...changes }), FILE);

describe('configurations', () => {
  const windowsOf = (name: string, changes: Record<string, unknown>) => parse(name, changes).windows;

  it('give Mistral a window in every layer, the usual one where they name none', () => {
    expect(windowsOf('mistral', {})).to.deep.equal([5, 5]);
    expect(windowsOf('mistral', { sliding_window: undefined })).to.deep.equal([4096, 4096]);
    expect(windowsOf('mistral', { sliding_window: null })).to.equal(undefined);
    expect(windowsOf('mistral', { layer_types: ['full_attention', 'sliding_attention'] }), 'the layers that are named').to.deep.equal([null, 5]);
  });

  it('give Qwen a window in the layers that are named, or in the upper ones, and only where it is switched on', () => {
    expect(windowsOf('qwen2', {})).to.deep.equal([null, 6]);
    expect(windowsOf('qwen2', { use_sliding_window: false, layer_types: undefined })).to.equal(undefined);
    expect(windowsOf('qwen3', { use_sliding_window: true, sliding_window: 9, layer_types: undefined, max_window_layers: 0 })).to.deep.equal([9, 9]);
    expect(windowsOf('qwen3', { use_sliding_window: true, sliding_window: 9, layer_types: undefined, max_window_layers: 5 })).to.equal(undefined);
    expect(windowsOf('llama3', { sliding_window: 5 }), 'Llama has none').to.equal(undefined);
  });

  it('say which linear layers have a bias', () => {
    const biases = (name: string, changes = {}) => (parse(name, changes) as { biases?: readonly string[] }).biases;
    expect(biases('llama3')).to.deep.equal(['q', 'k', 'v', 'o', 'gate', 'up', 'down']);
    expect(biases('llama3', { mlp_bias: false })).to.deep.equal(['q', 'k', 'v', 'o']);
    expect(biases('qwen2')).to.deep.equal(['q', 'k', 'v']);
    expect(biases('qwen3')).to.equal(undefined);
    expect(biases('mistral')).to.equal(undefined);
  });

  it('mean what Transformers means where they leave a field out', () => {
    expect(parse('qwen3', { head_dim: undefined }).headSize).to.equal(128);
    expect(parse('mistral', { head_dim: null }).headSize).to.equal(8);
    expect(parse('gpt2', { n_inner: null, activation_function: undefined })).to.deep.include({ intermediateSize: 128, activation: 'gelu_new', tiedHead: true });
    expect(parse('pythia', { rope_parameters: undefined, rotary_pct: undefined })).to.deep.include({ rotarySize: 2, ropeTheta: 10000 });
    expect(parse('pythia', { rope_parameters: undefined, rotary_pct: 0.5, rotary_emb_base: 500 })).to.deep.include({ rotarySize: 4, ropeTheta: 500 });
    expect(parse('llama3', { num_key_value_heads: undefined }).keyValueHeads).to.equal(4);
  });

  it('give models without a gate the sites q, k, v, o, up and down', () => {
    for (const name of ['gpt2', 'pythia']) {
      const sites = sitesOf(parse(name));
      expect(sites.map(({ kind }) => kind).join()).to.equal('q,k,v,o,up,down,q,k,v,o,up,down');
      sites.forEach(({ index, layer }, i) => expect([index, layer]).to.deep.equal([i, Math.floor(i / 6)]));
      expect(sites[5]).to.deep.include({ name: 'layers.0.down', in: 48, out: 32 });
    }
  });

  it('give T5 sites in its encoder, in its decoder, and where the decoder reads the encoder', () => {
    const sites = sitesOf(parse('flan-t5'));
    const kinds = ['q', 'k', 'v', 'o', 'gate', 'up', 'down'];
    expect(sites.slice(0, 7).map(({ name }) => name)).to.deep.equal(kinds.map((kind) => `encoder.layers.0.${kind}`));
    expect(sites.filter(({ layer }) => layer === 2).map(({ name }) => name.slice('decoder.layers.0.'.length)))
      .to.deep.equal(['q', 'k', 'v', 'o', 'cross.q', 'cross.k', 'cross.v', 'cross.o', 'gate', 'up', 'down']);
    sites.forEach(({ index }, i) => expect(index).to.equal(i));
    expect(sites.filter(({ source }) => source).map(({ name }) => name).filter((name) => name.startsWith('decoder')))
      .to.deep.equal([0, 1, 2].flatMap((layer) => ['k', 'v'].map((kind) => `decoder.layers.${layer}.cross.${kind}`)));
    expect(sitesOf(parse('t5')).slice(4, 6).map(({ kind }) => kind)).to.deep.equal(['up', 'down']);
  });

  it('mean of T5 what the files of its versions mean', () => {
    const unsaid = { decoder_start_token_id: undefined, num_decoder_layers: undefined, relative_attention_num_buckets: undefined };
    expect(parse('t5', { ...unsaid, feed_forward_proj: undefined, relative_attention_max_distance: undefined, pad_token_id: 5 })).to.deep.include(
      { decoderStart: 5, encoderLayers: 2, layers: 2, buckets: 32, farthest: 128, gated: false });
    // as files had it before Transformers said whether outputs are scaled
    expect(parse('t5', { scale_decoder_outputs: undefined, tie_word_embeddings: false }).tiedHead).to.equal(false);
    expect(parse('t5', { scale_decoder_outputs: undefined, tie_word_embeddings: undefined }).tiedHead).to.equal(true);
    expect(parse('flan-t5', { tie_word_embeddings: true }).tiedHead).to.equal(false);
  });

  it('take both names of the activation of Llama', () => {
    expect(parse('llama3', { hidden_act: 'swish' })).to.deep.equal(parse('llama3', { hidden_act: 'silu' }));
  });

  const refused: readonly (readonly [name: string, changes: Record<string, unknown>, field: string, message: RegExp])[] = [
    ['llama3', { rope_parameters: { rope_type: 'dynamic', factor: 2 } }, 'rope_parameters.rope_type', /"dynamic" is not supported; default, linear, llama3, yarn/],
    ['llama3', { rope_scaling: { type: 'longrope', factor: 2 } }, 'rope_scaling.type', /"longrope"/],
    ['llama3', { rope_scaling: { type: 'linaer', factor: 2 } }, 'rope_scaling.type', /Did you mean "linear"/],
    ['llama3', { rope_scaling: { type: 'linear' } }, 'rope_scaling.factor', /"rope_scaling\.factor" is missing/],
    ['llama3', { rope_scaling: { type: 'linear', factor: '2' } }, 'rope_scaling.factor', /must be a number above 0, not "2"/],
    ['llama3', { rope_scaling: { type: 'llama3', factor: 2, low_freq_factor: 4, high_freq_factor: 4 } }, 'rope_scaling.low_freq_factor', /must be below/],
    ['llama3', { rope_scaling: { type: 'linear', factor: null } }, 'rope_scaling.factor', /is missing\.$/],
    ['llama3', { rope_scaling: 'linear' }, 'rope_scaling', /must be an object/],
    ['qwen3', { rope_parameters: { full_attention: { rope_theta: 500 }, sliding_attention: { rope_theta: 50 } } }, 'rope_parameters.full_attention', /each type of layer/],
    ['llama3', { is_causal: false }, 'is_causal', /tokens that come later/],
    ['llama3', { per_layer_config: { 1: { hidden_act: 'gelu' } } }, 'per_layer_config', /settings of their own/],
    ['llama3', { rope_parameters: { partial_rotary_factor: 0.5 } }, 'rope_parameters.partial_rotary_factor', /turn the whole head/],
    ['llama3', { attention_bias: 1 }, 'attention_bias', /must be true or false, not 1/],
    ['llama3', { hidden_act: 'gelu' }, 'hidden_act', /activation "gelu" is not supported; silu/],
    ['mistral', { attention_bias: true }, 'attention_bias', /"mistral" have no setting/],
    ['mistral', { num_key_value_heads: undefined }, 'num_key_value_heads', /is missing/],
    ['mistral', { sliding_window: 0 }, 'sliding_window', /above 0/],
    ['qwen2', { mlp_bias: true }, 'mlp_bias', /no bias in the feed-forward/],
    ['qwen2', { layer_types: ['full_attention'] }, 'layer_types', /types of 2 layers/],
    ['qwen2', { layer_types: ['full_attention', 'chunked_attention'] }, 'layer_types', /"chunked_attention" are not supported/],
    ['qwen2', { use_sliding_window: false, layer_types: ['full_attention', 'sliding_attention'] }, 'layer_types', /switched off/],
    ['mistral', { sliding_window: null, layer_types: ['full_attention', 'sliding_attention'] }, 'layer_types', /need a window, and there is none/],
    ['qwen3', { head_dim: 7 }, 'head_dim', /even head size, not 7/],
    ['gpt2', { activation_function: 'tanh' }, 'activation_function', /"tanh" is not supported; gelu, /],
    ['gpt2', { scale_attn_weights: false }, 'scale_attn_weights', /root of the head size/],
    ['gpt2', { scale_attn_by_inverse_layer_idx: true }, 'scale_attn_by_inverse_layer_idx', /number of the layer/],
    ['gpt2', { add_cross_attention: true }, 'add_cross_attention', /encoder/],
    ['gpt2', { n_head: 5 }, 'n_head', /5 heads do not divide a hidden size of 32/],
    ['gpt2', { num_attention_heads: 2 }, 'num_attention_heads', /"n_head" says 4 heads/],
    ['gpt2', { n_embd: undefined }, 'n_embd', /is missing/],
    ['gpt2', { n_layer: 1001 }, 'n_layer', /at most 1000/],
    ['pythia', { rope_parameters: { partial_rotary_factor: 0.4 } }, 'rotary_pct', /not 3 of 8/],
    ['pythia', { rope_parameters: { partial_rotary_factor: 0.1 } }, 'rotary_pct', /not 0 of 8/],
    ['pythia', { rope_parameters: { partial_rotary_factor: 2 } }, 'rope_parameters.partial_rotary_factor', /share of 2/],
    ['pythia', { use_parallel_residual: 'yes' }, 'use_parallel_residual', /true or false/],
    ['pythia', { hidden_act: 'silu' }, 'hidden_act', /"silu" is not supported/],
    ['pythia', { head_dim: 4 }, 'head_dim', /Heads are 8 numbers/],
    ['pythia', { num_attention_heads: 3 }, 'num_attention_heads', /3 heads do not divide/],
    ['t5', { feed_forward_proj: 'gated-gleu' }, 'feed_forward_proj', /feed-forward network "gated-gleu" is not supported; relu, gated-gelu.*Did you mean "gated-gelu"/],
    ['t5', { dense_act_fn: 'silu' }, 'dense_act_fn', /"relu" is "relu"/],
    ['flan-t5', { dense_act_fn: 'gelu' }, 'dense_act_fn', /"gated-gelu" is "gelu_new"/],
    ['t5', { is_gated_act: true }, 'is_gated_act', /"relu" has no gate/],
    ['t5', { is_encoder_decoder: false }, 'is_encoder_decoder', /without its decoder/],
    ['t5', { d_kv: undefined }, 'd_kv', /is missing/],
    ['t5', { num_decoder_layers: 0 }, 'num_decoder_layers', /above 0/],
    ['t5', { relative_attention_num_buckets: 30 }, 'relative_attention_num_buckets', /4 divides, not 30/],
    ['t5', { relative_attention_max_distance: 4 }, 'relative_attention_max_distance', /too near for 8 buckets/],
    ['t5', { decoder_start_token_id: 96 }, 'decoder_start_token_id', /ids of tokens from 0 to 95/],
  ];
  for (const [name, changes, field, message] of refused) {
    it(`of ${name} are refused with ${JSON.stringify(changes)}`, () => {
      let error: unknown;
      try {
        parse(name, changes);
      } catch (caught) {
        error = caught;
      }
      expect(error).to.be.instanceOf(LetheError);
      expect(error).to.include({ code: 'LETHE_MODEL_CONFIG', where: `${FILE}: ${field}` });
      expect((error as LetheError).message).to.match(message);
    });
  }
});

describe('rotary embeddings', () => {
  const ropeOf = (fields: Record<string, unknown>) => readRope(Fields.parse(JSON.stringify(fields), FILE), 'rope_theta', 256);

  it('are stretched from the original length that stands beside the settings, as in Transformers, which may be among them too', () => {
    const settings = { rope_type: 'yarn', factor: 4, rope_theta: 10000 };
    const within = ropeOf({ rope_scaling: { ...settings, original_max_position_embeddings: 32 } });
    expect(ropeOf({ rope_scaling: settings, original_max_position_embeddings: 32 })).to.deep.equal(within);
    expect(ropeOf({ rope_scaling: { ...settings, original_max_position_embeddings: 64 }, original_max_position_embeddings: 32 })).to.deep.equal(within);
  });

  it('have the settings of the newer name where the older one is empty', () => {
    expect(ropeOf({ rope_scaling: {}, rope_parameters: { rope_type: 'default', rope_theta: 500 } })).to.deep.equal({ ropeTheta: 500 });
  });

  // by transformers 5.24.0 for heads of 16: the angles, and what cos and sin are multiplied by
  const cases: readonly (readonly [settings: Record<string, unknown>, angles: readonly number[], size?: number])[] = [
    [{ rope_type: 'linear', factor: 2.5, rope_theta: 10000 }, [0.4, 0.1264911, 0.04, 0.01264911, 0.004, 0.001264911, 0.0004, 0.0001264911]],
    [{ rope_type: 'llama3', factor: 32, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192, rope_theta: 500000 },
      [1, 0.1939228, 0.03760603, 0.007292665, 0.0004295567, 8.570256e-6, 1.661967e-6, 3.222933e-7]],
    [{ rope_type: 'yarn', factor: 8, original_max_position_embeddings: 64, rope_theta: 500, beta_fast: 16, beta_slow: 2, truncate: false },
      [1, 0.2678445, 0.03486943, 0.01215616, 0.00559017, 0.002570714, 0.001182177, 0.0005436398], 1.2079441541679836],
    [{ rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32, rope_theta: 10000, mscale: 0.7, mscale_all_dim: 0.5 },
      [1, 0.1976424, 0.025, 0.007905695, 0.0025, 0.0007905695, 0.00025, 7.905695e-5], 1.0259286501478284],
    [{ type: 'yarn', factor: 2, original_max_position_embeddings: 4096, rope_theta: 1000000, attention_factor: 1.5 },
      [1, 0.1778279, 0.02635232, 0.003748942, 0.0005, 8.891397e-5, 1.581139e-5, 2.811707e-6], 1.5],
  ];
  for (const [settings, angles, size] of cases) {
    it(`turn by the angles of Transformers for ${JSON.stringify(settings)}`, () => {
      const rope = readRope(Fields.parse(JSON.stringify({ rope_scaling: settings }), FILE), 'rope_theta', 256);
      const own = anglesOf(16, rope);
      expect(own).to.have.length(8);
      own.forEach((angle, i) => expect(angle / angles[i]!, `angle ${i}`).to.be.closeTo(1, 1e-6));
      const { ropeScaling } = rope;
      if (size !== undefined) expect(ropeScaling?.type === 'yarn' && ropeScaling.size).to.be.closeTo(size, 1e-12);
    });
  }
});
