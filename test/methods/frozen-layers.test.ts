import path from 'node:path';
import type { Learner, Site } from '@lethe/core';
import { createRandom } from '@lethe/core';
import { linear } from '@lethe/core/tensor';
import { type Device, openDevice } from '@lethe/engine';
import { type Forward, encodeRow, generate } from '@lethe/harness';
import { type LanguageModel, loadModel } from '@lethe/model';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { type Expected, FIXTURES, expectClose, readJson, scoresOf } from '../model/fixtures.js';

/** By how much each output of a site is scaled up. */
const gains = ({ name, out }: Site) => createRandom(1, 'gain', name).normals(out, 0.3);

/** Scales what frozen layers give (IA3, Liu et al. 2022, arXiv 2205.05638): l (x W + b) is x W + b and (l - 1) (x W + b) more. */
function scaling(sites: readonly Site[]): Learner {
  const trainable = Object.fromEntries(sites.map((site) => [site.name, { shape: [site.out], data: gains(site) }]));
  return {
    trainable,
    frozen: {},
    adapt(site, x, scope) {
      const [product, bias] = [linear(x, scope.weight(site)), scope.bias(site)];
      return (bias ? product.add(bias) : product).mul(scope.params[site.name]!) as tf.Tensor3D;
    },
    begin: () => undefined,
    end: () => undefined,
    save: () => ({ trainable, frozen: {}, stored: {}, json: null }),
    restore: () => undefined,
  };
}

/** The model with the columns of its matrices, and its biases, scaled in place of that. */
function scaled(model: LanguageModel): LanguageModel {
  const weights = { ...model.weights };
  for (const site of model.sites) {
    const gain = gains(site);
    for (const name of [site.name, `${site.name}.bias`].filter((each) => each in weights)) {
      const { shape, data } = weights[name]!;
      weights[name] = { shape, dtype: 'float32', data: Float32Array.from(data, (v, i) => v * (1 + gain[i % site.out]!)) };
    }
  }
  return { ...model, weights };
}

describe('a method that scales what frozen layers give', () => {
  let device: Device;
  before(async () => { device = await openDevice({ name: 'cpu' }); });
  after(() => device.dispose());

  const cases = [['gpt2', 'with biases, and three matrices in one'], ['flan-t5', 'of an encoder and a decoder'], ['llama3', 'mapped from their file']] as const;
  for (const [variant, what] of cases) {
    it(`answers and writes as the model with scaled matrices does: ${variant}, ${what}`, async () => {
      const model = await loadModel(path.join(FIXTURES, 'architectures', variant), variant === 'llama3' ? { held: 0 } : {});
      const { rows, sequences } = readJson<Expected>('architectures', variant, 'expected.json');
      const encoded = rows.map((row, i) => encodeRow(model.tokenizer, { id: `row-${i}`, ...row }, 64));
      const forward: Forward = { model, learner: scaling(model.sites), sites: model.sites };
      const other: Forward = { model: scaled(model), learner: { ...forward.learner, trainable: {}, adapt: () => null }, sites: [] };
      const [found, expected, base] =
        [await scoresOf(device, forward, encoded), await scoresOf(device, other, encoded), await scoresOf(device, { ...other, model }, encoded)];
      found.forEach((row, r) => expectClose(row, expected[r]!, 1e-4, `scores of row ${r}`));
      expect(Math.abs(found[0]![0]! - base[0]![0]!)).to.be.above(1e-2);
      const prompts = sequences.map(({ text }) => text);
      const write = async (of: Forward) => (await generate(device, of, prompts, { maxTokens: 6 })).map(({ text }) => text);
      expect(await write(forward)).to.deep.equal(await write(other));
    });
  }
});
