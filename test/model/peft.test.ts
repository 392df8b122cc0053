import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Adapter, type ErrorCode, LetheError, createRandom, sumAdapters } from '@lethe/core';
import type { Device } from '@lethe/engine';
import { adapterOf, forwardOf } from '@lethe/harness';
import { type LanguageModel, type StoredTensor, loadModel, mergeAdapter, readAdapter, readSafetensors, writeAdapter, writeSafetensors } from '@lethe/model';
import { expect } from 'chai';
import { FIXTURES, type Opened, expectClose, openFixture, scoresOf } from './fixtures.js';

const PEFT = path.join(FIXTURES, 'peft');
/** The checkpoint of each adapter. */
const ADAPTERS = {
  plain: 'llama/tied', stabilised: 'llama/tied', patterns: 'llama/tied', expression: 'llama/tied', gpt2: 'architectures/gpt2', pythia: 'architectures/pythia', t5: 'architectures/t5',
} as const;
const [CONFIG, TENSORS] = ['adapter_config.json', 'adapter_model.safetensors'];
type Config = Record<string, unknown>;

const read = (...parts: string[]) => JSON.parse(readFileSync(path.join(...parts), 'utf8')) as Config;
const expected = read(PEFT, 'expected.json') as unknown as { ids: number[][]; logits: Record<string, number[][]> };

describe('adapters of PEFT', () => {
  let model: LanguageModel;
  let device: Device;
  let folder: string;
  let close: Opened['close'];
  before(async () => { ({ model, device, folder, close } = await openFixture('llama/tied')); });
  after(() => close());

  /** The log probabilities of all tokens after each sequence: every token is an option. */
  const nextTokens = (of: LanguageModel, adapter?: Adapter) => {
    const options = Array.from({ length: of.config.vocabSize }, (_, token) => [token]);
    return scoresOf(device, forwardOf(of, adapter), expected.ids.map((prompt) => ({ prompt, options, answer: 0 })));
  };
  /** Logits less their log-sum-exp. */
  const normalised = (logits: readonly number[]) => {
    const total = Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0));
    return logits.map((x) => x - total);
  };
  const expectLogits = async (name: string, of: LanguageModel, adapter?: Adapter) => {
    const found = await nextTokens(of, adapter);
    found.forEach((row, i) => expectClose(row, normalised(expected.logits[name]![i]!), 1e-4, `${name}, sequence ${i}`));
  };

  it('are not there: the logits of the model itself', () => expectLogits('none', model));

  for (const [name, base] of Object.entries(ADAPTERS)) {
    it(`load and give the logits of PEFT: ${name}`, async () => {
      const of = await loadModel(path.join(FIXTURES, base));
      const adapter = await readAdapter(path.join(PEFT, name), of);
      expect(adapterOf(forwardOf(of, adapter), name)).to.equal(adapter);
      await expectLogits(name, of, adapter);
    });

    it(`merge into the weights of a new model, which gives the logits of PEFT: ${name}`, async () => {
      const of = await loadModel(path.join(FIXTURES, base));
      const first = of.sites[0]!.name;
      const before = of.weights[first]!.data.slice();
      const merged = await mergeAdapter(of, path.join(PEFT, name));
      await expectLogits(name, merged);
      expect(of.weights[first]!.data).to.deep.equal(before);
      expect(merged.id).to.equal(`${of.id}+${name}`);
      expect(new Set([merged.sha256, of.sha256, merged.merged!.sha256])).to.have.lengthOf(3);
      expect(merged.merged!.base).to.deep.equal({ id: of.id, sha256: of.sha256 });
    });

    it(`are written as PEFT writes them: ${name}`, async () => {
      const of = await loadModel(path.join(FIXTURES, base));
      const adapter = await readAdapter(path.join(PEFT, name), of);
      const [first, second] = [path.join(folder, name, 'a'), path.join(folder, name, 'b')];
      for (const out of [first, second]) await writeAdapter(out, adapter, of, { name: base });
      expect(readdirSync(first).sort()).to.deep.equal([CONFIG, TENSORS]);
      for (const file of [CONFIG, TENSORS]) expect(readFileSync(path.join(first, file!)).equals(readFileSync(path.join(second, file!)))).to.equal(true);
      const byName = (tensors: ReadonlyMap<string, StoredTensor>) => Object.fromEntries([...tensors].sort(([a], [b]) => (a < b ? -1 : 1)));
      expect(byName(await readSafetensors(path.join(first, TENSORS!)))).to.deep.equal(byName(await readSafetensors(path.join(PEFT, name, TENSORS!))));
      const again = await readAdapter(first, of);
      for (const [site, { scale }] of Object.entries(adapter)) expect(again[site]!.scale).to.be.closeTo(scale, 1e-12);
      expect(Object.keys(again)).to.deep.equal(Object.keys(adapter));
    });
  }

  it('have in their configuration what PEFT has there', async () => {
    for (const name of ['plain', 'gpt2', 'pythia', 't5'] as const) {
      const of = await loadModel(path.join(FIXTURES, ADAPTERS[name]));
      const out = path.join(folder, 'configuration', name);
      await writeAdapter(out, await readAdapter(path.join(PEFT, name), of), of, { name: `../${ADAPTERS[name]}` });
      const [written, theirs] = [read(out, CONFIG!), read(PEFT, name, CONFIG!)];
      for (const [field, value] of Object.entries(written)) {
        if (field !== 'target_modules') expect(value, `${name}: ${field}`).to.deep.equal(theirs[field]);
      }
    }
    const targets = (name: string) => read(folder, 'configuration', name, CONFIG!)['target_modules'];
    expect(targets('plain')).to.deep.equal(['q_proj', 'v_proj']);
    expect(targets('t5')).to.deep.equal(['q', 'v']);
    expect(targets('pythia')).to.deep.equal(['dense', 'query_key_value']);
    // the last part of these names is shared with a layer that is not adapted
    expect(targets('gpt2')).to.deep.equal(['transformer.h.0.attn.c_attn', 'transformer.h.0.mlp.c_proj', 'transformer.h.1.attn.c_attn', 'transformer.h.1.mlp.c_proj']);
  });

  it('of some layers are meant as PEFT means them: by the first number in the name, or whole names', async () => {
    const of = await loadModel(path.join(FIXTURES, ADAPTERS.t5));
    /** The sites of the adapter, with the tensors of these modules alone. */
    const sitesWith = async (fields: Config, kept: RegExp) => {
      const copy = mkdtempSync(path.join(folder, 'layers-'));
      writeFileSync(path.join(copy, CONFIG!), JSON.stringify({ ...read(PEFT, 't5', CONFIG!), ...fields }));
      await writeSafetensors(path.join(copy, TENSORS!), new Map([...await readSafetensors(path.join(PEFT, 't5', TENSORS!))].filter(([name]) => kept.test(name))));
      return Object.keys(await readAdapter(copy, of));
    };
    const upper = ['encoder.layers.1', 'decoder.layers.1', 'decoder.layers.1.cross'].flatMap((block) => [`${block}.q`, `${block}.v`]);
    // the last number in these names is that of a part of the layer: encoder.block.1.layer.0.SelfAttention.q
    for (const layers_pattern of [null, 'block', ['h', 'block']]) {
      expect(await sitesWith({ layers_to_transform: [1], layers_pattern }, /\.block\.1\./)).to.deep.equal(upper);
    }
    expect(await sitesWith({ layers_to_transform: 0, layers_pattern: 'layer' }, /\.layer\.0\./)).to.deep.equal(
      [0, 1].flatMap((i) => [`encoder.layers.${i}.q`, `encoder.layers.${i}.v`]).concat([0, 1].flatMap((i) => [`decoder.layers.${i}.q`, `decoder.layers.${i}.v`])));
    const whole = 'encoder.block.0.layer.0.SelfAttention.v';
    expect(await sitesWith({ layers_to_transform: [1], target_modules: [whole, 'q'] }, new RegExp(`\\.block\\.1\\..*\\.q\\.|${whole}`))).to.deep.equal(
      ['encoder.layers.0.v', ...upper.filter((site) => site.endsWith('.q'))]);
  });

  it('load however they were begun, where that leaves the weights of the model as they are', async () => {
    for (const init_lora_weights of [true, false, null, 'gaussian', 'orthogonal', 'eva', 'mica']) {
      const copy = mkdtempSync(path.join(folder, 'begun-'));
      cpSync(path.join(PEFT, 'plain'), copy, { recursive: true });
      writeFileSync(path.join(copy, CONFIG!), JSON.stringify({ ...read(copy, CONFIG!), init_lora_weights }));
      expect(await readAdapter(copy, model), String(init_lora_weights)).to.deep.equal(await readAdapter(path.join(PEFT, 'plain'), model));
    }
  });

  it('of the parts of one layer, each with an A of its own, become one adapter of that layer', async () => {
    for (const base of ['architectures/gpt2', 'architectures/pythia']) {
      const of = await loadModel(path.join(FIXTURES, base));
      const random = createRandom(1, base);
      const array = (shape: [number, number]) => ({ shape, data: random.normals(shape[0] * shape[1], 0.3) });
      const adapter: Adapter = Object.fromEntries(of.sites.filter(({ kind }) => kind === 'q' || kind === 'v').map((site, i) =>
        [site.name, { a: array([site.in, 2]), b: array([2, site.out]), scale: 1 + i / 2 }]));
      const out = path.join(folder, 'parts', path.basename(base));
      await writeAdapter(out, adapter, of, { name: 'owner/name', revision: 'abc' });
      expect(read(out, CONFIG!)).to.include({ base_model_name_or_path: 'owner/name', revision: 'abc' });
      expect(read(out, CONFIG!)['r']).to.equal(4);
      const again = await readAdapter(out, of);
      expect(again['layers.0.k']!.b.data.every((value) => value === 0)).to.equal(true);
      const [found, wanted] = [await nextTokens(of, again), await nextTokens(of, adapter)];
      found.forEach((row, i) => expectClose(row, wanted[i]!, 1e-4, `${base}, sequence ${i}`));
    }
  });

  it('add up to one that does what they do after one another', async () => {
    const [first, second] = [await readAdapter(path.join(PEFT, 'plain'), model), await readAdapter(path.join(PEFT, 'patterns'), model)];
    const out = path.join(folder, 'sum');
    await writeAdapter(out, sumAdapters(first, second), model, { name: 'tied', sha256: model.sha256 });
    const merged = await mergeAdapter(await mergeAdapter(model, path.join(PEFT, 'plain')), path.join(PEFT, 'patterns'));
    const [found, wanted] = [await nextTokens(await mergeAdapter(model, out)), await nextTokens(merged)];
    found.forEach((row, i) => expectClose(row, wanted[i]!, 1e-4, `sequence ${i}`));
  });

  it('that name their model by its hash are not merged into another', async () => {
    const out = path.join(folder, 'named');
    await writeAdapter(out, await readAdapter(path.join(PEFT, 'plain'), model), model, { name: 'tied', sha256: model.sha256 });
    expect((await mergeAdapter(model, out)).merged!.id).to.equal('named');
    await refused(mergeAdapter({ ...model, sha256: '0'.repeat(64) }, out), 'LETHE_ADAPTER_INVALID', model.sha256, TENSORS!, '--model');
  });

  it('are not written over others, nor at sites that the model lacks, nor without any', async () => {
    const adapter = await readAdapter(path.join(PEFT, 'plain'), model);
    const out = path.join(folder, 'twice');
    await writeAdapter(out, adapter, model, { name: 'tied' });
    const before = readFileSync(path.join(out, TENSORS!));
    await refused(writeAdapter(out, adapter, model, { name: 'tied' }), 'LETHE_ADAPTER_EXISTS', CONFIG!);
    expect(readFileSync(path.join(out, TENSORS!)).equals(before)).to.equal(true);
    const other = path.join(folder, 'other');
    await refused(writeAdapter(other, { 'layers.9.q': adapter['layers.0.q']! }, model, { name: 'tied' }), 'LETHE_ADAPTER_INVALID', 'layers.9.q');
    await refused(writeAdapter(other, {}, model, { name: 'tied' }), 'LETHE_ADAPTER_NONE', 'no site');
    expect(existsSync(other)).to.equal(false);
  });

  async function refused(done: Promise<unknown>, code: ErrorCode, ...texts: string[]): Promise<void> {
    const error: unknown = await done.then(() => undefined, (reason: unknown) => reason);
    expect(error).to.be.instanceOf(LetheError);
    expect((error as LetheError).code).to.equal(code);
    for (const text of texts) expect((error as LetheError).describe()).to.contain(text);
  }

  describe('are refused', () => {
    const Q = 'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight';
    /** A copy of the plain adapter, with fields of its configuration and its tensors changed. */
    async function changed(fields: Config, tensors: (of: Map<string, StoredTensor>) => void = () => undefined): Promise<string> {
      const copy = mkdtempSync(path.join(folder, 'changed-'));
      cpSync(path.join(PEFT, 'plain'), copy, { recursive: true });
      writeFileSync(path.join(copy, CONFIG!), JSON.stringify({ ...read(copy, CONFIG!), ...fields }, null, 2));
      const stored = await readSafetensors(path.join(copy, TENSORS!));
      tensors(stored);
      await writeSafetensors(path.join(copy, TENSORS!), stored);
      return copy;
    }

    const CONFIGURATIONS: readonly (readonly [title: string, fields: Config, ...texts: string[]])[] = [
      ['another kind of adapter', { peft_type: 'IA3' }, '"IA3"', '"LORA"', `${CONFIG}:`],
      ['DoRA', { use_dora: true }, 'use_dora', 'merge it', `${CONFIG}:`],
      ['whole modules', { modules_to_save: ['lm_head'] }, 'modules_to_save'],
      ['biases of the adapter', { lora_bias: true }, 'lora_bias'],
      ['biases of the model', { bias: 'all' }, 'bias="none"'],
      ...['pissa', 'pissa_niter_16', 'olora', 'corda', 'loftq', 'lora_ga', 'another'].map((init) =>
        [`a start that changes the model: ${init}`, { init_lora_weights: init }, `"${init}"`, 'path_initial_model_for_weight_conversion', `${CONFIG}:`] as const),
      ['replicated layers', { layer_replication: [[0, 2]] }, 'layer_replication'],
      ['a target that the model lacks', { target_modules: ['q_prj', 'v_proj'] }, 'Did you mean "q_proj"?', `${CONFIG}:`],
      ['targets of another architecture', { target_modules: ['c_attn'] }, 'c_attn', 'q_proj, k_proj, v_proj'],
      ['targets that are none', { target_modules: 7 }, 'target_modules', 'not 7'],
      ['a pattern that cannot be read', { target_modules: '(' }, 'target_modules'],
      ['no target at all', { target_modules: 'nothing' }, TENSORS!, 'has no place'],
      ['more targets than tensors', { target_modules: ['q_proj', 'k_proj', 'v_proj'] }, 'k_proj.lora_A.weight" is missing', TENSORS!],
      ['fewer targets than tensors', { target_modules: ['v_proj'] }, 'q_proj', 'has no place'],
      ['tensors of a layer that is left out', { layers_to_transform: [0] }, 'layers.1', 'has no place'],
      ['another rank', { r: 8 }, Q, '[4, 32]', '[8, 32]', 'rank'],
      ['another rank by pattern', { rank_pattern: { q_proj: 2 } }, Q, '[2, 32]'],
      ['a rank that is none', { r: 0 }, '"r"', 'not 0'],
      ['a rank in words', { r: '4' }, '"r"', '"4"'],
      ['no alpha', { lora_alpha: null }, '"lora_alpha"'],
      ['wrong layers', { layers_to_transform: ['1'] }, 'layers_to_transform'],
      ['a wrong pattern of ranks', { rank_pattern: { q_proj: 'x' } }, 'rank_pattern'],
    ];
    for (const [title, fields, ...texts] of CONFIGURATIONS) {
      it(title, async () => refused(readAdapter(await changed(fields), model), 'LETHE_ADAPTER_INVALID', 'fix ', ...texts));
    }

    it('a tensor that is missing, left over, of another shape or not finite', async () => {
      const trial = async (change: (of: Map<string, StoredTensor>) => void, ...texts: string[]) =>
        refused(readAdapter(await changed({}, change), model), 'LETHE_ADAPTER_INVALID', TENSORS!, ...texts);
      await trial((of) => of.delete(Q), `"${Q}" is missing`);
      await trial((of) => of.set('base_model.model.lm_head.lora_A.weight', of.get(Q)!), 'lm_head', 'has no place');
      await trial((of) => of.set(Q.replace('lora_A.weight', 'lora_magnitude_vector'), { shape: [1], data: new Float32Array(1) }), 'magnitude');
      await trial((of) => of.set(Q, { shape: [4, 16], data: new Float32Array(64) }), '[4, 16]', '[4, 32]');
      await trial((of) => of.set(Q, { shape: [4, 32], data: new Float32Array(128).fill(NaN, 5) }), 'NaN at place 5');
    });

    it('an adapter of a larger model', async () => {
      const larger = { ...model, config: { ...model.config, hiddenSize: 64 }, sites: model.sites.map((site) => ({ ...site, in: 64 })) };
      await refused(readAdapter(path.join(PEFT, 'plain'), larger), 'LETHE_ADAPTER_INVALID', '[4, 32]', '[4, 64]');
    });

    it('files that are missing or damaged', async () => {
      await refused(readAdapter(path.join(folder, 'nowhere'), model), 'LETHE_ADAPTER_MISSING', CONFIG!, 'save_pretrained');
      const copy = await changed({});
      truncateSync(path.join(copy, TENSORS!), 500);
      await refused(readAdapter(copy, model), 'LETHE_MODEL_WEIGHTS', TENSORS!);
      rmSync(path.join(copy, TENSORS!));
      await refused(readAdapter(copy, model), 'LETHE_ADAPTER_MISSING', TENSORS!);
      writeFileSync(path.join(copy, CONFIG!), '{\n  "r": 4,,\n}');
      await refused(readAdapter(copy, model), 'LETHE_ADAPTER_INVALID', `${CONFIG}:2`);
      writeFileSync(path.join(copy, CONFIG!), '[]');
      await refused(readAdapter(copy, model), 'LETHE_ADAPTER_INVALID', 'not a JSON object');
    });
  });
});
