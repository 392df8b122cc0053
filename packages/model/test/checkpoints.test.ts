import { appendFile, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LetheError } from '@lethe/core';
import { expect } from 'chai';
import { type LanguageModel, type StoredTensor, loadModel, readSafetensors, writeSafetensors } from '../src/index.js';
import { FIXTURES, editJson, editWeights } from './spoil.js';

const INDEX = 'model.safetensors.index.json';
const shard = (n: number) => `model-0000${n}-of-00003.safetensors`;

/** All weights, in the order of their names. */
const numbers = (model: LanguageModel) =>
  Object.entries(model.weights).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, { shape, data }]) => ({ name, shape, data: [...data] }));

describe('a checkpoint', () => {
  let parent = '';
  let folder = '';
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'lethe-checkpoint-'));
    folder = join(parent, 'model');
  });
  afterEach(() => rm(parent, { recursive: true }));

  const use = (name: string) => cp(join(FIXTURES, 'architectures', name), folder, { recursive: true });
  const whole = (name: string) => loadModel(join(FIXTURES, 'architectures', name));
  const rename = async (change: (name: string) => string | null, more: ReadonlyMap<string, StoredTensor> = new Map()) => {
    const file = join(folder, 'model.safetensors');
    const tensors = [...await readSafetensors(file)].flatMap(([name, tensor]): [string, StoredTensor][] => {
      const other = change(name);
      return other === null ? [] : [[other, tensor]];
    });
    await writeSafetensors(file, new Map([...tensors, ...more]));
  };
  const refusal = async (): Promise<LetheError> => {
    const error: unknown = await loadModel(folder).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(LetheError);
    expect((error as LetheError).remedy).to.be.a('string').that.is.not.empty;
    return error as LetheError;
  };

  describe('in shards', () => {
    beforeEach(() => use('mistral'));

    it('holds what the same tensors hold in one file', async () => {
      const tensors = new Map<string, StoredTensor>();
      for (const n of [1, 2, 3]) for (const [name, tensor] of await readSafetensors(join(folder, shard(n)))) tensors.set(name, tensor);
      const split = await loadModel(folder);
      await writeSafetensors(join(folder, 'model.safetensors'), tensors);
      const one = await loadModel(folder);
      expect(numbers(one)).to.deep.equal(numbers(split));
      expect(one.sha256).to.not.equal(split.sha256);
    });

    it('is another model when a shard, the index or the settings of generation change', async () => {
      const seen = new Set([(await loadModel(folder)).sha256]);
      await editWeights(join(folder, shard(2)), (_, body) => { body[0]! ^= 1; });
      seen.add((await loadModel(folder)).sha256);
      await appendFile(join(folder, INDEX), '\n');
      seen.add((await loadModel(folder)).sha256);
      await writeFile(join(folder, 'generation_config.json'), '{"eos_token_id": [0, 7]}');
      const model = await loadModel(folder);
      expect(model.tokenizer.stops).to.deep.equal([0, 7]);
      expect(seen.add(model.sha256)).to.have.property('size', 4);
    });

    const places = (change: (map: Record<string, string>) => void) => () =>
      editJson(folder, INDEX, (json) => change(json['weight_map'] as Record<string, string>));
    const cases: readonly { what: string; spoil: () => unknown; code: string; where: string; message: RegExp }[] = [
      { what: 'a shard that is not there', spoil: () => rm(join(folder, shard(3))), code: 'LETHE_MODEL_MISSING', where: INDEX, message: /over 3 files, and model-00003-of-00003\.safetensors is not there/ },
      { what: 'a tensor in two shards', spoil: async () => {
        const [first, second] = await Promise.all([1, 2].map((n) => readSafetensors(join(folder, shard(n)))));
        await writeSafetensors(join(folder, shard(2)), new Map([...second!, [...first!][0]!]));
      }, code: 'LETHE_MODEL_WEIGHTS', where: shard(2), message: /is in model-00001-of-00003\.safetensors too/ },
      { what: 'a tensor that is elsewhere than the index says', spoil: places((map) => { map['model.norm.weight'] = shard(1); map['lm_head.weight'] = shard(3); map['model.embed_tokens.weight'] = shard(3); }),
        code: 'LETHE_MODEL_WEIGHTS', where: INDEX, message: /places tensor ".*" in model-0000\d-of-00003\.safetensors, which does not hold it/ },
      { what: 'a tensor that no shard holds', spoil: places((map) => { map['model.nothing'] = shard(1); }), code: 'LETHE_MODEL_WEIGHTS', where: INDEX, message: /model\.nothing/ },
      { what: 'a tensor of another shape', spoil: () => editWeights(join(folder, shard(1)), (header) => {
        const [, entry] = Object.entries(header).find(([, { shape }]) => shape?.length === 2)!;
        entry.shape = [entry.shape[0]! / 2, entry.shape[1]! * 2];
      }), code: 'LETHE_MODEL_WEIGHTS', where: shard(1), message: /has shape \[.*\]; the configuration asks for/ },
      ...['../model.safetensors', '/etc/hosts', 'sub/model.safetensors', '..', '', '..\\model.safetensors'].map((name) => ({
        what: `a shard named ${JSON.stringify(name)}`, spoil: places((map) => { map['model.norm.weight'] = name; }),
        code: 'LETHE_MODEL_WEIGHTS', where: INDEX, message: /not the name of a file beside it/,
      })),
      { what: 'a shard that is no name', spoil: places((map) => { Object.assign(map, { 'model.norm.weight': 3 }); }), code: 'LETHE_MODEL_WEIGHTS', where: INDEX, message: /in 3, which is not the name/ },
      { what: 'an index that is not JSON', spoil: () => writeFile(join(folder, INDEX), '{'), code: 'LETHE_MODEL_WEIGHTS', where: INDEX, message: /not JSON/ },
      { what: 'an index without a map', spoil: () => writeFile(join(folder, INDEX), '{"weight_map": []}'), code: 'LETHE_MODEL_WEIGHTS', where: INDEX, message: /no "weight_map"/ },
    ];
    for (const { what, spoil, code, where, message } of cases) {
      it(`is refused for ${what}`, async () => {
        await spoil();
        const error = await refusal();
        expect(error.code).to.equal(code);
        expect(error.where!.endsWith(where), error.where).to.equal(true);
        expect(error.message).to.match(message);
      });
    }
  });

  it('may leave out what the names of its weights begin with, and hold masks', async () => {
    await use('gpt2');
    await rename((name) => name.replace(/^transformer\./, ''), new Map([['h.0.attn.bias', { shape: [1, 1, 4, 4], data: new Float32Array(16) }]]));
    await editWeights(join(folder, 'model.safetensors'), (header) => {
      Object.assign(header['h.0.attn.bias']!, { dtype: 'BOOL', shape: [1, 1, 8, 8] });
    });
    expect(numbers(await loadModel(folder))).to.deep.equal(numbers(await whole('gpt2')));
  });

  it('may have its head under either name', async () => {
    await use('pythia');
    await rename((name) => (name === 'embed_out.weight' ? 'lm_head.weight' : name));
    expect(numbers(await loadModel(folder))).to.deep.equal(numbers(await whole('pythia')));
    await rename((name) => (name === 'lm_head.weight' ? null : name));
    expect((await refusal()).message).to.match(/"embed_out\.weight" is missing/);
  });

  it('is refused where a fused layer has no room for query, key and value', async () => {
    await use('pythia');
    const file = join(folder, 'model.safetensors');
    const tensors = await readSafetensors(file);
    const name = 'gpt_neox.layers.1.attention.query_key_value.bias';
    tensors.set(name, { shape: [64], data: new Float32Array(64) });
    await writeSafetensors(file, tensors);
    expect((await refusal()).message).to.equal(`Tensor "${name}" has shape [64]; the configuration asks for [96].`);
  });

  for (const name of ['llama3', 'mistral', 'qwen2', 'gpt2', 'pythia', 't5', 'flan-t5']) {
    it(`of ${name} has the same weights left in its files as held in memory`, async () => {
      const [held, left] = [await whole(name), await loadModel(join(FIXTURES, 'architectures', name), { held: 0 })];
      expect(numbers(left)).to.deep.equal(numbers(held));
      expect(left.sha256).to.equal(held.sha256);
    });
  }

  it('says which tokens begin and end a text', async () => {
    const { tokenizer: mistral } = await whole('mistral');
    expect(mistral).to.deep.include({ endOfText: 0, stops: [0], frame: { before: [1], after: [] } });
    expect(mistral.encode('the sea'), 'is left to who begins a text').to.not.include(1);
    expect((await whole('t5')).tokenizer).to.deep.include({ endOfText: 1, stops: [1], frame: { before: [], after: [1] }, decoderStart: 0 });
    expect((await whole('qwen3')).tokenizer).to.deep.include({ endOfText: 1, stops: [1, 71], frame: { before: [], after: [] } });
  });

  it('marks the start of a text, and not what goes on from it', async () => {
    const { tokenizer: { encode } } = await whole('mistral');
    const all = encode('a fish in the sea');
    expect([...encode('a fish'), ...encode(' in the sea', 'answer')]).to.deep.equal(all);
    expect([...encode('a fish'), ...encode(' in the sea')], 'the start has a mark of its own').to.not.deep.equal(all);
  });

  it('of T5 whose head became its embedding may leave the head out, and scales no states for it', async () => {
    await use('flan-t5');
    const shards = [1, 2].map((n) => join(folder, `model-0000${n}-of-00002.safetensors`));
    const all = new Map((await Promise.all(shards.map(readSafetensors))).flatMap((tensors) => [...tensors]));
    for (const path of [...shards, join(folder, INDEX)]) await rm(path);
    const shared = all.get('shared.weight')!;
    const load = async (tensors: ReadonlyMap<string, StoredTensor>, held?: number) => {
      await writeSafetensors(join(folder, 'model.safetensors'), tensors);
      return loadModel(folder, held === undefined ? {} : { held });
    };
    const both = await load(new Map([...all, ['lm_head.weight', shared]]));
    all.delete('lm_head.weight');
    for (const held of [undefined, 0]) {
      const bare = await load(all, held);
      expect(numbers(bare)).to.deep.equal(numbers(both));
      expect(bare.config.tiedHead).to.equal(false);
      expect(bare.weights['head'], 'is known as the same constant').to.equal(bare.weights['embed']);
      expect(bare.parameters).to.equal(both.parameters - shared.data.length);
    }
    await editJson(folder, 'config.json', (json) => { Object.assign(json, { tie_word_embeddings: false }); });
    expect((await refusal()).message).to.equal('Tensor "lm_head.weight" is missing.');
  });

  it('of T5 may hold copies of its embedding, and answers as texts of their own', async () => {
    await use('t5');
    const copy = (await readSafetensors(join(folder, 'model.safetensors'))).get('shared.weight')!;
    await rename((name) => name, new Map(['encoder.embed_tokens.weight', 'decoder.embed_tokens.weight', 'lm_head.weight'].map((name) => [name, copy])));
    expect(numbers(await loadModel(folder))).to.deep.equal(numbers(await whole('t5')));
    await rename((name) => name, new Map([['decoder.embed_tokens.weight', await altered('shared.weight')]]));
    expect(await refusal()).to.have.property('message').that.contains('"decoder.embed_tokens.weight" must be the embedding once more');
    await rename((name) => name, new Map([['decoder.embed_tokens.weight', { shape: [1], data: copy.data.slice(0, 1) }]]));
    expect(await refusal()).to.have.property('message').that.contains('"decoder.embed_tokens.weight" must be');
    await rename((name) => name, new Map([['decoder.embed_tokens.weight', copy]]));
    const { tokenizer: { encode } } = await whole('t5');
    expect(encode(' a fish', 'answer')).to.deep.equal(encode('a fish'));
    await rename((name) => (name === 'decoder.block.1.layer.1.EncDecAttention.v.weight' ? null : name));
    expect((await refusal()).message).to.match(/"decoder\.block\.1\.layer\.1\.EncDecAttention\.v\.weight" is missing/);
  });

  /** The tensor of that name and shape with another last number. */
  const altered = async (name: string): Promise<StoredTensor> => {
    const { shape, data } = (await readSafetensors(join(folder, 'model.safetensors'))).get(name)!;
    return { shape, data: data.with(-1, data.at(-1)! + 1) };
  };

  for (const [name, embedding, head] of [
    ['llama/tied', 'model.embed_tokens.weight', 'lm_head.weight'], ['architectures/gpt2', 'transformer.wte.weight', 'lm_head.weight'],
    ['architectures/t5', 'shared.weight', 'lm_head.weight'], ['architectures/neox-sequential', 'gpt_neox.embed_in.weight', 'embed_out.weight'],
  ] as const) {
    it(`whose head is its embedding may hold that as its head too, and no other: ${name}`, async () => {
      await cp(join(FIXTURES, name), folder, { recursive: true });
      if (name === 'architectures/neox-sequential') await editJson(folder, 'config.json', (json) => Object.assign(json, { tie_word_embeddings: true }));
      await rename((tensor) => (tensor === head ? null : tensor));
      const bare = await loadModel(folder);
      const file = join(folder, 'model.safetensors');
      await rename((tensor) => tensor, new Map([[head, (await readSafetensors(file)).get(embedding)!]]));
      for (const options of [{}, { held: 0 }]) expect(numbers(await loadModel(folder, options))).to.deep.equal(numbers(bare));
      await rename((tensor) => tensor, new Map([[head, await altered(embedding)]]));
      for (const options of [{}, { held: 0 }]) {
        const error: unknown = await loadModel(folder, options).catch((caught: unknown) => caught);
        expect(error).to.include({ code: 'LETHE_MODEL_CONFIG', where: `${join(folder, 'config.json')}: tie_word_embeddings` });
        expect((error as LetheError).describe()).to.contain(`"${head}"`).and.contain('Set "tie_word_embeddings" to false');
      }
      await editJson(folder, 'config.json', (json) => Object.assign(json, { tie_word_embeddings: false, scale_decoder_outputs: false }));
      expect([...(await loadModel(folder)).weights['head']!.data]).to.deep.equal([...(await altered(embedding)).data]);
    });
  }

  it('that is there twice is read whole, not in shards', async () => {
    await use('mistral');
    await cp(join(FIXTURES, 'llama/untied/model.safetensors'), join(folder, 'model.safetensors'));
    expect((await refusal()).where).to.match(/model\.safetensors$/);
  });
});
