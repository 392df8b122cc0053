import { cp, mkdtemp, open, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LetheError } from '@lethe/core';
import { openDevice } from '@lethe/engine';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { type LanguageModel, loadModel, readSafetensors, writeSafetensors } from '../src/index.js';

const LLAMA = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../test/fixtures/llama');
const TIED = join(LLAMA, 'tied');
const TOKENS = 6;

/** Log probabilities of three tokens, by a compiled program. */
async function scores(model: LanguageModel): Promise<number[]> {
  const device = await openDevice({ name: 'cpu' });
  const grid = { shape: [1, TOKENS], dtype: 'int32' } as const;
  const program = await device.compile({
    name: 'scores',
    inputs: { ids: grid, positions: grid, segments: grid },
    constants: model.weights,
    compute: ({ ids, positions, segments }, weights) => {
      const batch = { ids: ids as tf.Tensor2D, positions: positions as tf.Tensor2D, segments: segments as tf.Tensor2D };
      const targets = { index: tf.tensor1d([2, 3, 4], 'int32'), token: tf.tensor1d([5, 1, 7], 'int32') };
      return { logp: model.logProbabilities(model.hidden(batch, weights, null), targets, weights) };
    },
  });
  const { logp } = await program.run({
    ids: Int32Array.of(3, 9, 4, 1, 7, 2), positions: Int32Array.of(0, 1, 2, 3, 4, 5), segments: new Int32Array(TOKENS).fill(1),
  });
  await device.dispose();
  return [...logp!];
}

describe('weights that stay in their file', () => {
  for (const name of ['tied', 'untied']) {
    it(`are those that are held in memory, in the ${name} model`, async () => {
      const [held, mapped] = [await loadModel(join(LLAMA, name)), await loadModel(join(LLAMA, name), { held: 0 })];
      expect(mapped.sha256).to.equal(held.sha256);
      expect(Object.keys(mapped.weights)).to.have.members(Object.keys(held.weights));
      for (const [key, { shape, data, stored }] of Object.entries(mapped.weights)) {
        expect(stored, key).to.not.equal(undefined);
        expect(shape).to.deep.equal(held.weights[key]!.shape);
        expect([...data], key).to.deep.equal([...held.weights[key]!.data]);
      }
      const expected = await scores(held);
      (await scores(mapped)).forEach((value, i) => expect(value).to.be.closeTo(expected[i]!, 1e-5));
    });
  }

  for (const name of ['mistral', 'pythia']) {
    it(`compute the same in several files or with fused layers: ${name}`, async () => {
      const folder = join(LLAMA, '../architectures', name);
      const expected = await scores(await loadModel(folder));
      (await scores(await loadModel(folder, { held: 0 }))).forEach((value, i) => expect(value).to.be.closeTo(expected[i]!, 1e-5));
    });
  }

  describe('of a copy', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lethe-model-'));
      await cp(TIED, join(folder, 'model'), { recursive: true });
    });
    afterEach(() => rm(folder, { recursive: true }));

    it('are found behind a link, which caches are made of', async () => {
      await symlink(join(folder, 'model'), join(folder, 'link'));
      expect(await scores(await loadModel(join(folder, 'link'), { held: 0 }))).to.deep.equal(
        await scores(await loadModel(TIED, { held: 0 })),
      );
    });

    it('of 16 bits are computed with in 32: mapped ones give what rounded ones give that are held', async () => {
      const file = join(folder, 'model', 'model.safetensors');
      await writeSafetensors(file, await readSafetensors(file), 'F16');
      const [held, mapped] = [await loadModel(dirname(file)), await loadModel(dirname(file), { held: 0 })];
      expect(Object.values(mapped.weights).map(({ stored }) => stored?.dtype)).to.include('float16');
      const [rounded, plain] = [await scores(held), await scores(await loadModel(TIED))];
      // sums in 16 bits would be off by a thousandth
      (await scores(mapped)).forEach((value, i) => expect(value).to.be.closeTo(rounded[i]!, 1e-5));
      rounded.forEach((value, i) => expect(value).to.be.closeTo(plain[i]!, 1e-2).and.not.equal(plain[i]));
    });

    it('are refused where one is not finite', async () => {
      const file = await open(join(folder, 'model', 'model.safetensors'), 'r+');
      const { size } = await file.stat();
      await file.write(Buffer.of(255, 255, 255, 127), 0, 4, size - 4);
      await file.close();
      const error: unknown = await loadModel(join(folder, 'model'), { held: 0 }).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(LetheError);
      expect(error).to.include({ code: 'LETHE_MODEL_WEIGHTS' });
      expect((error as LetheError).message).to.match(/holds NaN at place \d+/);
    });
  });
});
