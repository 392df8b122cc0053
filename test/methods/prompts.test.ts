import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MethodHost, NdArray } from '@lethe/core';
import { createRandom, loadMethod } from '@lethe/core';
import { type Device, openDevice } from '@lethe/engine';
import { encodeRow } from '@lethe/harness';
import { loadModel } from '@lethe/model';
import { expect } from 'chai';
import { type Expected, FIXTURES, expectClose, gradientOf, readJson, scoresOf } from '../model/fixtures.js';

interface Behind {
  readonly prefix: { readonly shape: readonly [number, number]; readonly data: readonly number[] };
  readonly gradient: readonly number[];
  readonly scores: readonly (readonly number[])[];
}

const GAIN = 4;
const pluginPath = fileURLToPath(new URL('../../plugins/prog-prompt/index.js', import.meta.url));

describe('prog-prompt, against transformers', () => {
  let device: Device;
  before(async () => { device = await openDevice({ name: 'cpu' }); });
  after(() => device.dispose());

  for (const [variant, { prefix, gradient, scores }] of Object.entries(readJson<Readonly<Record<string, Behind>>>('prefix', 'expected.json'))) {
    it(`answers behind the new prompt and the one before it, and trains the new one alone: ${variant}`, async () => {
      const { rows: examples, training } = readJson<Expected>(variant, 'expected.json');
      const model = await loadModel(path.join(FIXTURES, variant));
      const [tokens, width] = [prefix.shape[0] / 2, prefix.shape[1]];
      const half = (from: number): NdArray => ({ shape: [tokens, width], data: Float32Array.from(prefix.data.slice(from * width, (from + tokens) * width)) });
      // the first task's prompt is the second half of what is read: the new one stands before it
      const given = [half(tokens), half(0)];
      const host = { random: createRandom(1), embeddings: async () => given.shift()! } as unknown as MethodHost; // all that the method asks of its host
      const learner = (await loadMethod(pluginPath)).create(host, { tokens, gain: GAIN });
      for (const index of [1, 2]) await learner.begin({ index, rows: examples.length, steps: 1 });

      const forward = { model, learner, sites: model.sites };
      const rows = examples.map((row, i) => encodeRow(model.tokenizer, { id: `row-${i}`, ...row }, training.maxTokens));
      const scored = await scoresOf(device, forward, rows);
      scored.forEach((row, r) => expectClose(row, scores[r]!, 1e-4, `scores of row ${r}`));

      const found = await gradientOf(device, forward, rows, training);
      expectClose(found, gradient.slice(0, tokens * width).map((v) => GAIN * v), 1e-4, 'gradient');
      expect(learner.virtualTokens).to.equal(2 * tokens);
    });
  }
});
