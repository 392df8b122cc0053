import { appendFile, cp, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LetheError } from '@lethe/core';
import { expect } from 'chai';
import fc from 'fast-check';
import { loadModel } from '../src/index.js';
import { FIXTURES, editJson, editWeights } from './spoil.js';

const WHOLE = join(FIXTURES, 'llama/tied');
const [CONFIG, TOKENIZER, WEIGHTS] = ['config.json', 'tokenizer.json', 'model.safetensors'] as const;

/** Rewrites the weights of a model. */
const editTensors = (folder: string, edit: Parameters<typeof editWeights>[1]) => editWeights(join(folder, WEIGHTS), edit);

const config = (changes: Record<string, unknown>) => (folder: string) =>
  editJson(folder, CONFIG, (json) => Object.assign(json, changes));
const Q = 'model.layers.0.self_attn.q_proj.weight';

interface Case {
  readonly what: string;
  readonly spoil: (folder: string) => unknown;
  readonly code: string;
  /** What `where` ends with: the file, and the field of a configuration. */
  readonly where: string;
  readonly message: RegExp;
}

const CASES: readonly Case[] = [
  { what: 'no folder', spoil: (folder) => rm(folder, { recursive: true }), code: 'LETHE_MODEL_MISSING', where: 'model', message: /does not exist/ },
  { what: 'a file instead of a folder', spoil: async (folder) => { await rm(folder, { recursive: true }); await writeFile(folder, ''); },
    code: 'LETHE_MODEL_MISSING', where: 'model', message: /is a file/ },
  ...[CONFIG, TOKENIZER, WEIGHTS].map((name): Case =>
    ({ what: `no ${name}`, spoil: (folder) => rm(join(folder, name)), code: 'LETHE_MODEL_MISSING', where: name, message: /cannot be read \(ENOENT\)/ })),

  { what: 'an empty weights file', spoil: (folder) => truncate(join(folder, WEIGHTS), 0), code: 'LETHE_MODEL_WEIGHTS', where: WEIGHTS, message: /ends inside its header/ },
  { what: 'weights cut in the header', spoil: (folder) => truncate(join(folder, WEIGHTS), 500), code: 'LETHE_MODEL_WEIGHTS', where: WEIGHTS, message: /ends inside its header/ },
  { what: 'weights cut in a tensor', spoil: (folder) => truncate(join(folder, WEIGHTS), 20_000), code: 'LETHE_MODEL_WEIGHTS', where: WEIGHTS, message: /ends inside tensor "model\./ },
  { what: 'bytes after the last tensor', spoil: (folder) => appendFile(join(folder, WEIGHTS), 'more'), code: 'LETHE_MODEL_WEIGHTS', where: WEIGHTS, message: /4 bytes at the end/ },
  { what: 'an absurd length of the header', spoil: async (folder) => {
    const bytes = await readFile(join(folder, WEIGHTS));
    bytes.writeBigUInt64LE(2n ** 63n, 0);
    await writeFile(join(folder, WEIGHTS), bytes);
  }, code: 'LETHE_MODEL_WEIGHTS', where: WEIGHTS, message: /header 9223372036854775808/ },
  { what: 'a header that is not JSON', spoil: async (folder) => {
    const bytes = await readFile(join(folder, WEIGHTS));
    bytes.write('?', 8);
    await writeFile(join(folder, WEIGHTS), bytes);
  }, code: 'LETHE_MODEL_WEIGHTS', where: WEIGHTS, message: /header is not JSON/ },
  { what: 'a header that is an array', spoil: (folder) => editTensors(folder, () => []), code: 'LETHE_MODEL_WEIGHTS', where: WEIGHTS, message: /not a JSON object/ },
  { what: 'a tensor that is null', spoil: (folder) => editTensors(folder, (header) => ({ ...header, [Q]: null })),
    code: 'LETHE_MODEL_WEIGHTS', where: WEIGHTS, message: /q_proj\.weight" has no proper/ },
  { what: 'tensors that overlap', spoil: (folder) => editTensors(folder, (header) => { header[Q]!.data_offsets = header['model.embed_tokens.weight']!.data_offsets.map((n, i) => (i ? n - 8192 : n)) as [number, number]; }),
    code: 'LETHE_MODEL_WEIGHTS', where: WEIGHTS, message: /overlap/ },
  { what: 'an offset behind the end', spoil: (folder) => editTensors(folder, (header) => { header[Q]!.data_offsets = [1e12, 1e12 + 4096]; }),
    code: 'LETHE_MODEL_WEIGHTS', where: WEIGHTS, message: /ends inside tensor ".*q_proj/ },
  { what: 'a negative offset', spoil: (folder) => editTensors(folder, (header) => { header[Q]!.data_offsets = [-4096, 0]; }),
    code: 'LETHE_MODEL_WEIGHTS', where: WEIGHTS, message: /q_proj\.weight" has no proper/ },
  { what: 'a shape that does not fit its bytes', spoil: (folder) => editTensors(folder, (header) => { header[Q]!.shape = [2 ** 40, 2 ** 40]; }),
    code: 'LETHE_MODEL_WEIGHTS', where: WEIGHTS, message: /do not fit its shape/ },
  { what: 'integers', spoil: (folder) => editTensors(folder, (header) => { header[Q]!.dtype = 'I32'; }),
    code: 'LETHE_MODEL_WEIGHTS', where: WEIGHTS, message: /q_proj\.weight" has data type I32; F32, F16, BF16 can be read/ },
  { what: 'a misspelt data type', spoil: (folder) => editTensors(folder, (header) => { header[Q]!.dtype = 'f32'; }),
    code: 'LETHE_MODEL_WEIGHTS', where: WEIGHTS, message: /Did you mean "F32"/ },
  { what: 'a tensor of another name', spoil: (folder) => editTensors(folder, (header) => {
    const { [Q]: q, ...rest } = header;
    return { ...rest, 'model.layers.0.self_attn.q_porj.weight': q };
  }), code: 'LETHE_MODEL_WEIGHTS', where: WEIGHTS, message: /q_proj\.weight" is missing\. Did you mean ".*q_porj/ },
  { what: 'a layer that the configuration lacks', spoil: config({ num_hidden_layers: 1 }), code: 'LETHE_MODEL_WEIGHTS', where: WEIGHTS, message: /layers\.1\..* has no place/ },
  { what: 'weights of another shape', spoil: config({ num_key_value_heads: 4 }), code: 'LETHE_MODEL_WEIGHTS', where: WEIGHTS, message: /k_proj\.weight" has shape \[16, 32\].* \[32, 32\]/ },
  ...[NaN, -Infinity].map((value): Case => ({ what: `a weight that is ${value}`, spoil: (folder) => editTensors(folder, (header, body) => {
    body.writeFloatLE(value, header[Q]!.data_offsets[0] + 4 * 5);
  }), code: 'LETHE_MODEL_WEIGHTS', where: WEIGHTS, message: new RegExp(`q_proj\\.weight" holds ${value} at place 5`) })),

  { what: 'a configuration that is not JSON', spoil: (folder) => writeFile(join(folder, CONFIG), '{"model_type"'), code: 'LETHE_MODEL_CONFIG', where: CONFIG, message: /not JSON/ },
  { what: 'a configuration that is null', spoil: (folder) => writeFile(join(folder, CONFIG), 'null'), code: 'LETHE_MODEL_CONFIG', where: CONFIG, message: /not a JSON object/ },
  { what: 'a misspelt field', spoil: (folder) => editJson(folder, CONFIG, (json) => { json['hidden_sise'] = json['hidden_size']!; delete json['hidden_size']; }),
    code: 'LETHE_MODEL_CONFIG', where: `${CONFIG}: hidden_size`, message: /"hidden_size" is missing\. Did you mean "hidden_sise"/ },
  { what: 'a size that is text', spoil: config({ vocab_size: '96' }), code: 'LETHE_MODEL_CONFIG', where: `${CONFIG}: vocab_size`, message: /not "96"/ },
  { what: 'a size below 1', spoil: config({ intermediate_size: 0 }), code: 'LETHE_MODEL_CONFIG', where: `${CONFIG}: intermediate_size`, message: /above 0/ },
  { what: 'half a layer', spoil: config({ num_hidden_layers: 1.5 }), code: 'LETHE_MODEL_CONFIG', where: `${CONFIG}: num_hidden_layers`, message: /an integer/ },
  { what: 'a thousand million layers', spoil: config({ num_hidden_layers: 1e9 }), code: 'LETHE_MODEL_CONFIG', where: `${CONFIG}: num_hidden_layers`, message: /at most 1000/ },
  { what: 'heads that do not divide the hidden size', spoil: config({ num_attention_heads: 5, num_key_value_heads: 5, head_dim: null }),
    code: 'LETHE_MODEL_CONFIG', where: `${CONFIG}: num_attention_heads`, message: /5 heads do not divide a hidden size of 32/ },
  { what: 'key-value heads that do not divide the heads', spoil: config({ num_key_value_heads: 3 }), code: 'LETHE_MODEL_CONFIG', where: `${CONFIG}: num_key_value_heads`, message: /3 .* 4/ },
  { what: 'an odd head size', spoil: config({ head_dim: 7 }), code: 'LETHE_MODEL_CONFIG', where: `${CONFIG}: head_dim`, message: /even/ },
  { what: 'a misspelt architecture', spoil: config({ model_type: 'lama' }), code: 'LETHE_MODEL_CONFIG', where: `${CONFIG}: model_type`, message: /"lama"\. Did you mean "llama"/ },
  { what: 'another architecture', spoil: config({ model_type: 'mamba' }), code: 'LETHE_MODEL_CONFIG', where: `${CONFIG}: model_type`, message: /llama, .*gpt2.*not "mamba"\.$/ },
  { what: 'biases that the weights lack', spoil: config({ attention_bias: true }), code: 'LETHE_MODEL_WEIGHTS', where: WEIGHTS, message: /q_proj\.bias" is missing/ },
  { what: 'quantized weights', spoil: config({ quantization_config: { bits: 4 } }), code: 'LETHE_MODEL_CONFIG', where: `${CONFIG}: quantization_config`, message: /Quantized/ },
  { what: 'an end of text that the model lacks', spoil: config({ eos_token_id: [0, 96] }), code: 'LETHE_MODEL_CONFIG', where: `${CONFIG}: eos_token_id`, message: /ids of tokens from 0 to 95, not \[0,96\]/ },
  { what: 'an end of generation that is text', spoil: (folder) => writeFile(join(folder, 'generation_config.json'), '{"eos_token_id": "</s>"}'),
    code: 'LETHE_MODEL_CONFIG', where: 'generation_config.json: eos_token_id', message: /ids of tokens/ },
  { what: 'another activation', spoil: config({ hidden_act: 'gelu' }), code: 'LETHE_MODEL_CONFIG', where: `${CONFIG}: hidden_act`, message: /"gelu"/ },

  { what: 'a tokenizer that is not JSON', spoil: (folder) => truncate(join(folder, TOKENIZER), 1000), code: 'LETHE_MODEL_TOKENIZER', where: TOKENIZER, message: /not JSON/ },
  { what: 'a tokenizer that is null', spoil: (folder) => writeFile(join(folder, TOKENIZER), 'null'), code: 'LETHE_MODEL_TOKENIZER', where: TOKENIZER, message: /cannot be read/ },
  { what: 'a tokenizer of an unknown kind', spoil: (folder) => editJson(folder, TOKENIZER, (json) => { (json['model'] as Record<string, unknown>)['type'] = 'BPF'; }),
    code: 'LETHE_MODEL_TOKENIZER', where: TOKENIZER, message: /type "BPF".* Did you mean "BPE"/ },
  { what: 'a tokenizer of a larger model', spoil: (folder) => editJson(folder, TOKENIZER, (json) => { (json['model'] as { vocab: Record<string, number> }).vocab['zz'] = 96; }),
    code: 'LETHE_MODEL_TOKENIZER', where: TOKENIZER, message: /Token "zz" has id 96.* 0 to 95/ },
  { what: 'a tokenizer with an id for which there is no room', spoil: (folder) => editJson(folder, TOKENIZER, (json) => { (json['model'] as { vocab: Record<string, number> }).vocab['zz'] = 3e9; }),
    code: 'LETHE_MODEL_TOKENIZER', where: TOKENIZER, message: /Token "zz" has id 3000000000.* 0 to 95/ },
  { what: 'a tokenizer with an added token far beyond the model', spoil: (folder) => editJson(folder, TOKENIZER, (json) => { (json['added_tokens'] as unknown[]).push({ content: '<far>', id: 3e9 }); }),
    code: 'LETHE_MODEL_TOKENIZER', where: TOKENIZER, message: /Token "<far>" has id 3000000000.* 0 to 95/ },
  { what: 'a tokenizer that puts a token before texts that the model lacks', spoil: (folder) => editJson(folder, TOKENIZER, (json) => {
    (json['added_tokens'] as unknown[]).push({ ...PAD, content: '<begin>' });
    (json as Record<string, unknown>)['post_processor'] = {
      type: 'TemplateProcessing', single: [{ SpecialToken: { id: '<begin>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [], special_tokens: { '<begin>': { id: '<begin>', ids: [96], tokens: ['<begin>'] } },
    };
  }), code: 'LETHE_MODEL_TOKENIZER', where: TOKENIZER, message: /Token "<begin>" has id 96.* 0 to 95/ },
  { what: 'a tokenizer with an added token without an id', spoil: (folder) => editJson(folder, TOKENIZER, (json) => { (json['added_tokens'] as unknown[]).push({ content: '<new>' }); }),
    code: 'LETHE_MODEL_TOKENIZER', where: TOKENIZER, message: /Token "<new>" has id undefined/ },
  { what: 'a tokenizer without an end of text', spoil: async (folder) => {
    await config({ eos_token_id: null })(folder);
    const text = await readFile(join(folder, TOKENIZER), 'utf8');
    await writeFile(join(folder, TOKENIZER), text.replaceAll('<|endoftext|>', '<|stop|>'));
  }, code: 'LETHE_MODEL_TOKENIZER', where: TOKENIZER, message: /no "eos_token_id", and none of <\|endoftext\|>/ },
];

/** As in checkpoints of Llama 2 that were given a token for padding, but no room for it. */
const PAD = { id: 96, content: '<pad>', single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };

/** What a clone has in the place of a large file where Git LFS is not installed. */
const LFS = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 13478\n`;

describe('loadModel', () => {
  let parent = '';
  let folder = '';
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'lethe-load-'));
    folder = join(parent, 'model');
    await cp(WHOLE, folder, { recursive: true });
  });
  afterEach(() => rm(parent, { recursive: true }));

  it('loads a tokenizer with an added token that the model has no room for, and refuses texts that name it', async () => {
    const before = (await loadModel(folder)).tokenizer;
    await editJson(folder, TOKENIZER, (json) => { (json['added_tokens'] as unknown[]).push(PAD); });
    const { tokenizer } = await loadModel(folder);
    expect(tokenizer.encode('a plain text')).to.deep.equal(before.encode('a plain text'));
    expect(() => tokenizer.encode('a <pad> text')).to.throw(LetheError, 'no token that the model knows');
  });

  it('loads the checkpoint that the cases below spoil', async () => {
    const model = await loadModel(folder);
    expect(model.parameters).to.equal(96 * 32 + 2 * (2 * 32 * 32 + 2 * 32 * 16 + 3 * 32 * 48 + 2 * 32) + 32);
    expect(model.sha256).to.match(/^[0-9a-f]{64}$/);
  });

  for (const { what, spoil, code, where, message } of CASES) {
    it(`refuses ${what}`, async () => {
      await spoil(folder);
      const error: unknown = await loadModel(folder).catch((caught: unknown) => caught);
      expect(error).to.be.instanceOf(LetheError);
      const clear = error as LetheError;
      expect(clear.code).to.equal(code);
      expect(clear.where).to.match(new RegExp(`${where.replaceAll('.', '\\.')}$`));
      expect(clear.message).to.match(message);
      expect(clear.remedy).to.be.a('string').that.is.not.empty;
    });
  }

  for (const { what, spoil, remedy } of [
    { what: 'a tokenizer in another form', spoil: () => rename(join(folder, TOKENIZER), join(folder, 'tokenizer.model')), remedy: /of tokenizer\.model, in Python: .*AutoTokenizer\.from_pretrained\(".*model"\)\.save_pretrained/ },
    { what: 'weights in another form', spoil: () => rename(join(folder, WEIGHTS), join(folder, 'pytorch_model.bin')), remedy: /of pytorch_model\.bin, in Python: .*AutoModelForCausalLM.*T5/ },
    { what: 'weights that Git LFS did not fetch', spoil: () => writeFile(join(folder, WEIGHTS), LFS), remedy: /git lfs pull/ },
    { what: 'a tokenizer that Git LFS did not fetch', spoil: () => writeFile(join(folder, TOKENIZER), LFS), remedy: /git lfs pull/ },
    { what: 'another architecture', spoil: () => config({ model_type: 'mamba' })(folder), remedy: /another model, or .* as a plugin/ },
    { what: 'a misspelt architecture', spoil: () => config({ model_type: 'lama' })(folder), remedy: /Correct "model_type"/ },
    { what: 'a setting that is not computed', spoil: () => config({ is_causal: false })(folder), remedy: /another model, or .* as a plugin/ },
    { what: 'quantized weights', spoil: () => config({ quantization_config: { bits: 4 } })(folder), remedy: /weights as they were before/ },
  ]) {
    it(`says what to do about ${what}`, async () => {
      await spoil();
      const error: unknown = await loadModel(folder).catch((caught: unknown) => caught);
      expect((error as LetheError).remedy).to.match(remedy);
    });
  }

  it('refuses text that the tokenizer has no tokens for', async () => {
    await editJson(folder, TOKENIZER, (json) => {
      const model = json['model'] as { unk_token: string | null; byte_fallback: boolean };
      model.unk_token = 'unknown';
    });
    const { tokenizer } = await loadModel(folder);
    expect(() => tokenizer.encode('日')).to.throw(LetheError).with.property('code', 'LETHE_MODEL_TOKENIZER');
  });

  it('gives a clear error or finite numbers, whatever bytes are damaged', async () => {
    const files = new Map(await Promise.all([CONFIG, TOKENIZER, WEIGHTS].map(async (name) => [name, await readFile(join(WHOLE, name))] as const)));
    const damage = fc.record({
      name: fc.constantFrom(CONFIG, TOKENIZER, WEIGHTS),
      // most of a weights file is tensors; its header is met as often
      place: fc.oneof({ weight: 2, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) }, fc.double({ min: 0, max: 0.03, noNaN: true })),
      bits: fc.array(fc.nat(8 * 64 - 1), { minLength: 1, maxLength: 4 }),
      cut: fc.nat(3).map((n) => n === 0),
    });
    const before = process.resourceUsage().maxRSS;
    let [loaded, refused] = [0, 0];
    await fc.assert(fc.asyncProperty(damage, async ({ name, place, bits, cut }) => {
      const whole = files.get(name)!;
      const at = Math.floor(place * (whole.length - 64));
      const bytes = Buffer.from(cut ? whole.subarray(0, at) : whole);
      if (!cut) for (const bit of bits) bytes[at + (bit >> 3)]! ^= 1 << (bit & 7);
      for (const [other, content] of files) await writeFile(join(folder, other), other === name ? bytes : content);
      try {
        const model = await loadModel(folder);
        for (const { data } of Object.values(model.weights)) expect(data.every(Number.isFinite)).to.equal(true);
        for (const id of model.tokenizer.encode('the old house')) expect(id).to.be.within(0, model.config.vocabSize - 1);
        loaded++;
      } catch (error) {
        if (!(error instanceof LetheError)) throw error;
        refused++;
      }
    }), { numRuns: 300, seed: 1 });
    expect(loaded).to.be.above(20);
    expect(refused).to.be.above(100);
    expect(process.resourceUsage().maxRSS - before, 'memory in kB').to.be.below(500_000);
  });
});
