import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Arrays, LetheError, type MethodHost, type RunEvent, type TaskView } from '@lethe/core';
import { type Device, openDevice } from '@lethe/engine';
import { encodeRow, runStream } from '@lethe/harness';
import { type LanguageModel, loadModel, readSafetensors, type StoredTensor } from '@lethe/model';
import { adapterLearner, adaptersOf, examplesOf, type Expected, expectClose, FIXTURES, logitsOf, readJson, runOn, scoresOf } from './fixtures.js';
import { expect } from 'chai';

const TOLERANCE = 1e-4;

const VARIANTS = [
  'llama/tied', 'llama/untied', 'architectures/llama3', 'architectures/llama-yarn', 'architectures/mistral', 'architectures/qwen2',
  'architectures/qwen3', 'architectures/gpt2', 'architectures/pythia', 'architectures/neox-sequential',
  'architectures/t5', 'architectures/flan-t5',
];

/** TensorFlow's own library computes two of them too, where it is installed. */
const CASES = [
  ...VARIANTS.map((variant) => ({ variant, name: 'cpu', title: '' })),
  ...['llama/tied', 'architectures/gpt2'].map((variant) => ({ variant, name: 'tfjs-node', title: ' on tfjs-node, if that is installed' })),
];

for (const { variant, name: deviceName, title } of CASES) {
  describe(`the checkpoint ${variant} of transformers${title}, against PyTorch`, () => {
    const expected = readJson<Expected>(variant, 'expected.json');
    const { training } = expected;
    const scale = training.alpha / training.rank;
    let stored: Map<string, StoredTensor>;
    let model: LanguageModel;
    let device: Device;

    before(async function () {
      stored = await readSafetensors(path.join(FIXTURES, variant, 'expected.safetensors'));
      model = await loadModel(path.join(FIXTURES, variant));
      try {
        device = await openDevice({ name: deviceName });
      } catch (error) {
        if (!(error instanceof LetheError && error.message.endsWith('is not installed.'))) throw error;
        this.skip();
      }
    });
    after(() => device?.dispose());

    const group = (name: string): Arrays => adaptersOf(stored, name);
    const expectArrays = (actual: Arrays, prefix: string) => {
      const wanted = group(prefix);
      expect(Object.keys(actual)).to.have.members(Object.keys(wanted));
      for (const [name, { shape, data }] of Object.entries(wanted)) {
        expect(actual[name]!.shape, name).to.deep.equal(shape);
        expectClose(actual[name]!.data, data, TOLERANCE, `${prefix} of ${name}`);
      }
    };
    const examples = () => examplesOf(expected);
    const encoded = () => examples().map((row) => encodeRow(model.tokenizer, row, training.maxTokens));
    const forwardWith = (arrays: Arrays) => ({ model, learner: adapterLearner(arrays, scale), sites: model.sites });
    const scoresWith = (arrays: Arrays) =>
      scoresOf(device, forwardWith(arrays), encoded());

    it('tokenizes as the tokenizers library does', () => {
      for (const { text, ids } of expected.sequences) {
        const own = model.tokenizer.encode(text);
        const { before, after } = model.tokenizer.frame!;
        expect([...before, ...own, ...after], text).to.deep.equal(ids);
        expect(model.tokenizer.decode(own)).to.equal(text);
      }
    });

    it('gives the logits, padding or not', async () => {
      const rows = expected.sequences.map(({ ids }) => ids);
      const { shape, data } = stored.get('logits')!;
      const [, tokens, vocabulary] = shape as [number, number, number];
      const logits = await logitsOf(device, model, rows);
      rows.forEach((row, r) => {
        const [start, end] = [r * tokens * vocabulary, (r * tokens + row.length) * vocabulary];
        expectClose(logits.subarray(start, end), data.subarray(start, end), TOLERANCE, `logits of row ${r}`);
      });
    });

    it('scores options as the sum of their log probabilities, packed or one by one', async () => {
      const scores = await scoresWith({});
      scores.forEach((row, r) => expectClose(row, expected.scores.base[r]!, TOLERANCE, `scores of row ${r}`));
      const adapted = await scoresWith(group('initial'));
      adapted.forEach((row, r) => expectClose(row, expected.scores.adapted[r]!, TOLERANCE, `adapted scores of row ${r}`));
      // The last row is left out: alone, its first option is no longer the beginning of another.
      const alone = encoded().slice(0, -1).flatMap(({ prompt, options }) => options.map((option) => ({ prompt, options: [option], answer: 0 })));
      expectClose((await scoresOf(device, forwardWith(group('initial')), alone)).flat(), adapted.slice(0, -1).flat(), 1e-5, 'scores one by one');
    });

    /** Trains adapters on the rows of the fixture: what their gradients were at first, the loss of every step, and the arrays in the end. */
    async function trained(microBatch?: number): Promise<{ gradients: readonly Arrays[]; losses: readonly number[]; arrays: Arrays }> {
      const outDir = await mkdtemp(path.join(tmpdir(), 'lethe-goldens-'));
      const made = runOn(examples(), training, model, outDir, deviceName);
      const job = { ...made.job, ...(microBatch !== undefined && { microBatch }) };
      const arrays = group('initial');
      const names = Object.keys(arrays);
      const gradients: Arrays[] = [];
      const method = {
        create: (host: MethodHost) => ({
          ...adapterLearner(arrays, host.scale),
          begin: async (view: TaskView) => {
            for await (const batch of host.gradients(view, { names, rows: training.batch, batch: training.batch })) gradients.push(batch);
          },
        }),
      };
      const losses: number[] = [];
      const listen = (event: RunEvent) => { if (event.type === 'train-progress') losses.push(event.loss); };
      try {
        await runStream(job, { device, model, suite: made.suite, method }, listen);
      } finally {
        await rm(outDir, { recursive: true });
      }
      return { gradients, losses, arrays };
    }

    it('gives the gradients of adapters, and their values after ten steps of AdamW', async () => {
      const { gradients, losses, arrays } = await trained();
      expect(gradients).to.have.length(1);
      expectArrays(gradients[0]!, 'gradient');
      expectClose(losses, expected.losses, TOLERANCE, 'losses');
      expectArrays(arrays, 'trained');
      const scores = await scoresWith(arrays);
      scores.forEach((row, r) => expectClose(row, expected.scores.trained[r]!, 1e-3, `trained scores of row ${r}`));
    });

    // one architecture with answers behind prompts, one with an encoder
    if (['llama/untied', 'architectures/t5'].includes(variant)) {
      it('gives the same after ten steps that are taken in micro-batches, the last one smaller', async () => {
        const size = training.batch - 1; // one row is left
        expect(size).to.be.above(1);
        const { losses, arrays } = await trained(size);
        expectClose(losses, expected.losses, TOLERANCE, 'losses');
        expectArrays(arrays, 'trained');
      });
    }
  });
}
