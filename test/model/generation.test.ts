import path from 'node:path';
import { type Arrays, type ErrorCode, LetheError, type Learner, createRandom } from '@lethe/core';
import { type Device, openDevice } from '@lethe/engine';
import { type Forward, type GenerationOptions, Generator, Host, forwardOf, generate } from '@lethe/harness';
import { type LanguageModel, loadModel, readSafetensors } from '@lethe/model';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { type Expected, FIXTURES, adapterLearner, readJson, scoresOf } from './fixtures.js';

const VARIANTS = [
  'llama/tied', 'llama/untied', 'architectures/llama3', 'architectures/llama-yarn', 'architectures/mistral', 'architectures/qwen2',
  'architectures/qwen3', 'architectures/gpt2', 'architectures/pythia', 'architectures/neox-sequential',
  'architectures/t5', 'architectures/flan-t5',
];

describe('generation', () => {
  let device: Device;
  before(async () => { device = await openDevice({ name: 'cpu' }); });
  after(() => device.dispose());

  for (const variant of VARIANTS) {
    it(`gives the most likely tokens of transformers and peft: ${variant}`, async () => {
      const { sequences, greedy, training } = readJson<Expected>(variant, 'expected.json');
      const model = await loadModel(path.join(FIXTURES, variant));
      const stored = await readSafetensors(path.join(FIXTURES, variant, 'expected.safetensors'));
      const initial: Arrays = Object.fromEntries([...stored].filter(([name]) => name.startsWith('initial.'))
        .map(([name, array]) => [name.slice('initial.'.length), array]));
      const maxTokens = Math.max(...Object.values(greedy).flat().map((row) => row.length));
      for (const [kind, arrays] of [['base', {}], ['adapted', initial]] as const) {
        const forward = { model, learner: adapterLearner(arrays, training.alpha / training.rank), sites: model.sites };
        const found = await generate(device, forward, sequences.map(({ text }) => text), { maxTokens });
        found.forEach(({ tokens, end, text }, i) => {
          const wanted = greedy[kind][i]!;
          const ended = (model.tokenizer.stops ?? [model.tokenizer.endOfText]).includes(wanted.at(-1)!);
          expect(tokens, `${kind}, sequence ${i}`).to.deep.equal(ended ? wanted.slice(0, -1) : wanted);
          expect(end).to.equal(ended ? 'end-of-text' : 'length');
          const { decode, encode, decoderStart } = model.tokenizer;
          const prompt = sequences[i]!.text;
          if (decoderStart === undefined) expect(prompt + text).to.equal(decode([...encode(prompt), ...tokens]));
          else expect(text).to.equal(decode(tokens));
        });
      }
    });
  }

  for (const variant of ['llama/untied', 'architectures/flan-t5']) describe(`of a small model: ${variant}`, () => {
    let model: LanguageModel;
    let forward: Forward;
    let prompts: string[];
    before(async () => {
      model = await loadModel(path.join(FIXTURES, variant));
      forward = forwardOf(model);
      const { rows } = readJson<Expected>(variant, 'expected.json');
      // of lengths on both sides of a bucket's edge
      prompts = [...rows.map(({ prompt }) => prompt), 'a', 'the sea and the stone and the sea and the stone and the old bird', 'a fish', '12'];
    });
    const made = (options: GenerationOptions, texts = prompts, by = forward) => generate(device, by, texts, options);

    const GREEDY: GenerationOptions = { maxTokens: 20 };
    const DRAWN: GenerationOptions = { maxTokens: 20, temperature: 0.8, topP: 0.9, seed: 7 };
    for (const [kind, options] of [['greedy', GREEDY], ['drawn', DRAWN]] as const) {
      it(`gives a row alone what it gives it among others, in any order and batch: ${kind}`, async () => {
        const together = await made(options);
        expect(new Set(together.map(({ text }) => text)).size).to.be.above(prompts.length / 2);
        expect((await made(options, prompts.toReversed())).toReversed()).to.deep.equal(together);
        for (const batch of [1, 3, 16]) expect(await made({ ...options, batch })).to.deep.equal(together);
        for (const [i, prompt] of prompts.entries()) expect((await made(options, [prompt]))[0], prompt).to.deep.equal(together[i]);
      });
    }

    it('goes on past the places that it began with as scoring does', async () => {
      const found = await made({ maxTokens: 72 });
      const longest = found.reduce((a, b) => (b.tokens.length > a.tokens.length ? b : a));
      const { tokens } = longest;
      expect(tokens.length).to.equal(72);
      const prompt = model.tokenizer.encode(prompts[found.indexOf(longest)]!);
      const rows = [30, 65, 71].map((at) => ({
        prompt, options: [...new Set([tokens[at]!, ...Array.from({ length: 12 }, (_, i) => i * 8)])].map((token) => [...tokens.slice(0, at), token]), answer: 0,
      }));
      for (const scores of await scoresOf(device, forward, rows)) expect(scores.indexOf(Math.max(...scores))).to.equal(0);
    });

    it('draws by the seed, and takes the most likely token where nothing else may be drawn', async () => {
      const drawn = await made(DRAWN);
      expect(await made(DRAWN)).to.deep.equal(drawn);
      expect(await made({ ...DRAWN, seed: 8 })).to.not.deep.equal(drawn);
      const greedy = await made(GREEDY);
      expect(drawn).to.not.deep.equal(greedy);
      expect(await made({ ...GREEDY, temperature: 1, topP: 1e-9 })).to.deep.equal(greedy);
      expect(await made({ ...GREEDY, temperature: 1e-6 })).to.deep.equal(greedy);
      expect(await made({ ...GREEDY, temperature: 1, topK: 1 })).to.deep.equal(greedy);
    });

    it('ends at a stop string, which is no part of the text', async () => {
      const [plain] = await made(GREEDY, ['the sea is']);
      const stop = plain!.text.slice(5, 7);
      const [cut] = await made({ ...GREEDY, stop: ['never there', stop] }, ['the sea is']);
      expect(cut!.end).to.equal('stop');
      expect(cut!.text).to.equal(plain!.text.slice(0, plain!.text.indexOf(stop)));
      expect(cut!.tokens).to.deep.equal(plain!.tokens.slice(0, cut!.tokens.length));
      expect(cut!.tokens.length).to.be.below(plain!.tokens.length);
    });

    it('goes by a gate that reads the prompt, and nothing but the prompt, as scoring does', async () => {
      const random = createRandom(1, 'gate');
      const arrays = Object.fromEntries(model.sites.flatMap(({ name, in: input, out }) => [
        [`${name}.a`, { shape: [input, 2], data: random.normals(input * 2, 0.3) }], [`${name}.b`, { shape: [2, out], data: random.normals(2 * out, 0.3) }],
      ]));
      const plain = adapterLearner(arrays, 1);
      const gated: Learner = {
        ...plain,
        // a feature of the prompt scales what is added
        adapt: (site, x, scope) => {
          const gate = scope.once('gate', () => tf.tanh(tf.mul(tf.slice(scope.features(), [0, 3], [scope.batch, 1]), 50)));
          return tf.mul(plain.adapt(site, x, scope)!, gate.reshape([scope.batch, 1, 1]));
        },
      };
      const by = { model, learner: gated, sites: model.sites };
      const found = await made({ maxTokens: 6 }, prompts, by);
      expect(found).to.not.deep.equal(await made({ maxTokens: 6 }));
      expect(found).to.not.deep.equal(await made({ maxTokens: 6 }, prompts, { ...by, learner: plain }));
      for (const at of [0, 1, 2, 3, 4, 5]) {
        const rows = found.filter(({ tokens }) => tokens.length > at);
        const scores = await scoresOf(device, by, rows.map(({ tokens }) => ({
          prompt: model.tokenizer.encode(prompts[found.findIndex((each) => each.tokens === tokens)]!),
          options: Array.from({ length: model.config.vocabSize }, (_, token) => [...tokens.slice(0, at), token]),
          answer: 0,
        })));
        scores.forEach((row, r) => expect(row.indexOf(Math.max(...row)), `row ${r}, token ${at}`).to.equal(rows[r]!.tokens[at]));
      }
    });

    describe('for a method (host.generate)', () => {
      const TASK = { index: 1, rows: 1, steps: 1 };
      const hostOf = (learner = forward.learner, stop = () => false) => {
        const budget = { epochs: 1, batch: 1, learningRate: 1, warmup: 0, weightDecay: 0, clip: 1, rank: 2, alpha: 2, sites: ['q' as const], maxTokens: 64 };
        const capabilities = { rehearsal: false, taskIdentity: false, growth: 'none', bound: false } as const;
        const host = new Host(device, model, budget, createRandom(1), capabilities, { stop });
        host.learner = learner;
        host.show([]);
        return host;
      };
      const read = () => prompts.map((text) => model.tokenizer.encode(text));

      it('is what is generated with its arrays, by the most likely tokens', async () => {
        const arrays = Object.fromEntries(model.sites.flatMap(({ name, in: input, out }) => [
          [`${name}.a`, { shape: [input, 2], data: createRandom(1, name, 'a').normals(input * 2, 0.3) }],
          [`${name}.b`, { shape: [2, out], data: createRandom(1, name, 'b').normals(2 * out, 0.3) }],
        ]));
        for (const learner of [forward.learner, adapterLearner(arrays, 1)]) {
          const host = hostOf(learner);
          const found = await host.generate(TASK, read(), { maxTokens: 20 });
          const wanted = await made(GREEDY, prompts, { ...forward, learner, sites: host.sites });
          expect(found).to.deep.equal(wanted.map(({ tokens, end }) => ({ tokens, ended: end === 'end-of-text' })));
        }
      });

      it('is drawn by its random source, another text for a prompt that stands there again', async () => {
        const [prompt, other] = read() as [number[], number[]];
        const draw = (seed: number) => ({ maxTokens: 20, draw: { random: createRandom(seed, 'write') } });
        const [first, between, again] = await hostOf().generate(TASK, [prompt, other, prompt], draw(1));
        expect(again).to.not.deep.equal(first);
        expect(await hostOf().generate(TASK, [prompt, prompt], draw(1)), 'whatever stands between').to.deep.equal([first, again]);
        expect(await hostOf().generate(TASK, [other], draw(1))).to.deep.equal([between]);
        expect(await hostOf().generate(TASK, [prompt], draw(2))).to.not.deep.equal([first]);
        const cold = { ...draw(1), draw: { ...draw(1).draw, temperature: 1e-6 } };
        expect(await hostOf().generate(TASK, [prompt], cold)).to.deep.equal(await hostOf().generate(TASK, [prompt], { maxTokens: 20 }));
      });

      it('is refused between tasks, and stops when it is asked to', async () => {
        const codeOf = (host: Host) => host.generate(TASK, read(), { maxTokens: 20 }).then(() => 'none', ({ code }: LetheError) => code);
        const closed = hostOf();
        closed.show(undefined);
        expect(await codeOf(closed)).to.equal('LETHE_METHOD_FAILED');
        expect(await codeOf(hostOf(forward.learner, () => true))).to.equal('LETHE_RUN_STOPPED');
      });
    });

    async function refused(options: GenerationOptions, texts: string[], code: ErrorCode, ...parts: string[]): Promise<void> {
      const error: unknown = await made(options, texts).then(() => undefined, (reason: unknown) => reason);
      expect(error).to.be.instanceOf(LetheError);
      expect((error as LetheError).code).to.equal(code);
      for (const part of parts) expect((error as LetheError).describe()).to.contain(part);
    }

    it('refuses what cannot be', async () => {
      for (const options of [
        { maxTokens: 0 }, { maxTokens: 1.5 }, { maxTokens: 5, temperature: -1 }, { maxTokens: 5, temperature: NaN }, { maxTokens: 5, topP: 0 },
        { maxTokens: 5, topP: 1.1 }, { maxTokens: 5, topK: 0 }, { maxTokens: 5, topK: 1.5 }, { maxTokens: 5, batch: 0 }, { maxTokens: 5, stop: [''] }, { maxTokens: 5, seed: 0.5 },
      ]) await refused(options, ['a'], 'LETHE_GENERATION_OPTIONS', Object.keys(options).at(-1)!, 'fix ');
      await refused(GREEDY, ['a', ''], 'LETHE_DATA_ROW', 'Prompt 2');
      if (Number.isFinite(model.config.maxPositions)) await refused({ maxTokens: 128 }, ['a'], 'LETHE_MODEL_LENGTH', '128', 'maxTokens to 127 or less');
      expect(await made(GREEDY, [])).to.deep.equal([]);
    });

    it('stops when it is asked to', async () => {
      let asked = 0;
      const generator = new Generator(device, forward, () => asked++ > 2);
      const error: unknown = await generator.run([[5, 6]], GREEDY).then(() => undefined, (reason: unknown) => reason);
      expect((error as LetheError).code).to.equal('LETHE_RUN_STOPPED');
      await generator.dispose();
    });
  });
});
