import { fileURLToPath } from 'node:url';
import type { Arrays, Row } from '@lethe/core';
import { openDevice } from '@lethe/engine';
import { type LanguageModel, loadModel } from '@lethe/model';
import { expect } from 'chai';
import { inputMoments } from '../src/moments.js';
import { eagerDevice, rowAlone, silent, tinyModel } from './tiny.js';

/** 18 rows of different lengths: two batches, with padding. */
const ROWS: readonly Row[] = Array.from({ length: 18 }, (_, i) =>
  ({ prompt: Array.from({ length: 3 + (i % 5) }, (__, k) => 1 + ((i * 7 + k * 3) % 30)), answer: [2 + (i % 4)] }));

/** What the first site of a model reads of a row by itself, (tokens, in). */
function read(model: LanguageModel, row: Row): number[][] {
  const { batch, weights } = rowAlone(model, row);
  const found: number[][] = [];
  model.hidden(batch, weights, (_, x) => {
    found.push(...(x.arraySync()[0] as number[][]));
    return null;
  });
  return found;
}

describe('input moments', () => {
  it('are the mean over the tokens of all rows, padding left out', async () => {
    const model = tinyModel();
    const moments = await inputMoments(eagerDevice(), { model, learner: silent, sites: model.sites }, ROWS, 1);
    const tokens = ROWS.flatMap((row) => read(model, row));
    const { shape, data } = moments['layers.0.q']!;
    expect(shape).to.deep.equal([16, 16]);
    for (const [i, j] of [[0, 0], [3, 5], [5, 3], [15, 2]] as const) {
      const expected = tokens.reduce((sum, x) => sum + x[i]! * x[j]!, 0) / tokens.length;
      expect(data[i * 16 + j]).to.be.closeTo(expected, 1e-5);
    }
  });

  it('are one array for sites that read the same input, and another for those that read another', async () => {
    const base = tinyModel();
    const [q] = base.sites;
    const [v, o] = [{ ...q!, name: 'layers.0.v', kind: 'v', index: 1 } as const, { ...q!, name: 'layers.0.o', kind: 'o', index: 2 } as const];
    const model: LanguageModel = {
      ...base,
      sites: [q!, v, o],
      hidden: (batch, weights, adapt) => base.hidden(batch, weights, (site, x) => {
        adapt?.(v, x);
        adapt?.(o, x.mul(2));
        return adapt?.(site, x) ?? null;
      }),
    };
    const moments = await inputMoments(eagerDevice(), { model, learner: silent, sites: model.sites }, ROWS, 1);
    expect(moments['layers.0.q']).to.equal(moments['layers.0.v']);
    moments['layers.0.o']!.data.forEach((m, i) => expect(m).to.be.closeTo(4 * moments['layers.0.q']!.data[i]!, 1e-4));
    const some = await inputMoments(eagerDevice(), { model, learner: silent, sites: model.sites }, ROWS, 1, [v, o]);
    expect(Object.keys(some)).to.deep.equal(['layers.0.v', 'layers.0.o']);
    expect(some['layers.0.v']).to.deep.equal(moments['layers.0.v']);
    expect(some['layers.0.o']).to.deep.equal(moments['layers.0.o']);
  });

  it('are means over the tokens that a site reads: those of the prompt in an encoder, those of the answer in a decoder', async () => {
    const model = await loadModel(fileURLToPath(new URL('../../../../test/fixtures/architectures/t5', import.meta.url)));
    const device = await openDevice({ name: 'cpu' });
    try {
      const of = (rows: readonly Row[]) => inputMoments(device, { model, learner: silent, sites: model.sites }, rows, 1);
      const rows = [3, 11, 6].map((length, i): Row => ({ prompt: ROWS[i]!.prompt.concat(ROWS[5]!.prompt, ROWS[6]!.prompt).slice(0, length), answer: ROWS[i]!.prompt.slice(i) }));
      const together = await of(rows);
      const alone: Arrays[] = [];
      for (const row of rows) alone.push(await of([row]));
      // with the end of the prompt, and with the token that the decoder begins with
      const counts = { source: rows.map(({ prompt }) => prompt.length + 1), own: rows.map(({ answer }) => answer.length + 1) };
      for (const { name, source } of model.sites) {
        const weights = source ? counts.source : counts.own;
        const total = weights.reduce((a, b) => a + b);
        together[name]!.data.forEach((value, i) => {
          const expected = alone.reduce((sum, each, r) => sum + each[name]!.data[i]! * weights[r]!, 0) / total;
          expect(value, `${name}[${i}]`).to.be.closeTo(expected, 1e-4 * (1 + Math.abs(expected)));
        });
      }
      expect(together['decoder.layers.0.cross.k']).to.equal(together['decoder.layers.1.cross.v']);
    } finally {
      await device.dispose();
    }
  });
});
