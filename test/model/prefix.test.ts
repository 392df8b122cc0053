import path from 'node:path';
import type { Learner, NdArray } from '@lethe/core';
import { type Device, openDevice } from '@lethe/engine';
import { Generator, encodeRow, generate } from '@lethe/harness';
import { type LanguageModel, loadModel } from '@lethe/model';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { type Expected, expectClose, FIXTURES, gradientOf, readJson, scoresOf } from './fixtures.js';

interface Behind {
  readonly prefix: { readonly shape: readonly number[]; readonly data: readonly number[] };
  readonly gradient: readonly number[];
  readonly scores: readonly (readonly number[])[];
  readonly greedy: readonly (readonly number[])[];
}

const ALL = readJson<Readonly<Record<string, Behind>>>('prefix', 'expected.json');
const TOLERANCE = 1e-4;

/** A learner that puts the same vectors before every row. */
function prefixLearner(prefix: NdArray): Learner {
  return {
    trainable: { prefix },
    frozen: {},
    virtualTokens: prefix.shape[0]!,
    prefix: ({ params, batch }) => tf.tile(params['prefix']!.expandDims(0), [batch, 1, 1]) as tf.Tensor3D,
    adapt: () => null,
    begin: () => undefined,
    end: () => undefined,
    save: () => ({ trainable: { prefix }, frozen: {}, stored: {}, json: null }),
    restore: () => undefined,
  };
}

describe('virtual tokens before the text', () => {
  let device: Device;
  before(async () => { device = await openDevice({ name: 'cpu' }); });
  after(() => device.dispose());

  for (const [variant, expected] of Object.entries(ALL)) {
    describe(`of the checkpoint ${variant}, against transformers`, () => {
      const { rows: examples, sequences, training } = readJson<Expected>(variant, 'expected.json');
      const { model_type: modelType } = readJson<{ readonly model_type: string }>(variant, 'config.json');
      let model: LanguageModel;
      const forward = () => {
        const { shape, data } = expected.prefix;
        return { model, learner: prefixLearner({ shape, data: Float32Array.from(data) }), sites: model.sites };
      };
      const rows = () => examples.map((row, i) => encodeRow(model.tokenizer, { id: `row-${i}`, ...row }, training.maxTokens));
      before(async () => { model = await loadModel(path.join(FIXTURES, variant)); });

      it('change the scores of options, packed behind their prompt', async () => {
        const scores = await scoresOf(device, forward(), rows());
        scores.forEach((row, r) => expectClose(row, expected.scores[r]!, TOLERANCE, `scores of row ${r}`));
      });

      it('have the gradient of the task loss', async () => {
        expectClose(await gradientOf(device, forward(), rows(), training), expected.gradient, TOLERANCE, 'gradient');
      });

      it('are remembered while text is generated', async () => {
        const found = await generate(device, forward(), sequences.map(({ text }) => text), { maxTokens: 12 });
        expect(found.map(({ tokens }) => tokens)).to.deep.equal(expected.greedy);
      });

      // T5 reads texts of any length
      if (modelType !== 't5') it('take positions of what the model can read', async () => {
        const generator = new Generator(device, forward());
        const fits = model.config.maxPositions - expected.prefix.shape[0]! - 1;
        const error = await generator.run([[1]], { maxTokens: fits + 1 }).then(() => null, (e: unknown) => e as Error);
        await generator.dispose();
        expect(error).to.include({ code: 'LETHE_MODEL_LENGTH' });
        expect(error!.message).to.contain(`has ${7 + model.tokenizer.frame!.before.length} tokens, 6 of them virtual,`);
      });
    });
  }
});
