import { createRandom } from '@lethe/core';
import { type Device, openDevice } from '@lethe/engine';
import { encodeRow, type Forward } from '@lethe/harness';
import { type LanguageModel, loadModel } from '@lethe/model';
import { expect } from 'chai';
import { adapterLearner, ENGLISH_MINI, expectClose, hasEnglishMini, logitsOf, readJson, scoresOf } from './fixtures.js';

interface Shown {
  readonly text: string;
  readonly at: number;
  readonly logits: Readonly<Record<string, number>>;
  readonly logSumExp: number;
}

describe('a checkpoint trained on English', () => {
  let model: LanguageModel;
  let device: Device;

  before(async function () {
    if (!hasEnglishMini) {
      this.test!.title = `there is no checkpoint at ${ENGLISH_MINI}`;
      this.skip();
    }
    model = await loadModel(ENGLISH_MINI);
    device = await openDevice({ name: 'cpu' });
  });
  after(() => device?.dispose());

  it('tokenizes any text as the tokenizers library does, and gives it back', () => {
    const endOfText = '<|endoftext|>';
    for (const [text, ids] of readJson<[string, number[]][]>('llama/english-mini-tokens.json')) {
      expect(model.tokenizer.encode(text), JSON.stringify(text)).to.deep.equal(ids);
      if (!text.includes(endOfText)) expect(model.tokenizer.decode(ids)).to.equal(text);
    }
  });

  it('gives the logits of transformers', async () => {
    const shown = readJson<Shown[]>('llama/english-mini-logits.json');
    const rows = shown.map(({ text }) => model.tokenizer.encode(text));
    const logits = await logitsOf(device, model, rows);
    const { vocabSize } = model.config;
    const tokens = Math.max(...rows.map((row) => row.length));
    shown.forEach((place, r) => {
      const start = (r * tokens + place.at) * vocabSize;
      const here = logits.subarray(start, start + vocabSize);
      for (const [id, value] of Object.entries(place.logits)) expect(here[Number(id)], `row ${r}, token ${id}`).to.be.closeTo(value, 1e-3);
      const top = Math.max(...here);
      expect(Math.log(here.reduce((sum, x) => sum + Math.exp(x - top), 0)) + top).to.be.closeTo(place.logSumExp, 1e-3);
    });
  });

  it('scores a row alone as it scores it in a batch, with and without an adapter', async () => {
    const random = createRandom(1, 'rows');
    const words = ['river', 'engine', 'winter', 'a letter', 'the market', 'seven boats', 'old', 'quietly', 'was sold', 'came back', 'and', 'of'];
    const rows = Array.from({ length: 19 }, (_, i) => {
      const text = Array.from({ length: 2 + random.below(24) }, () => words[random.below(words.length)]!).join(' ');
      const options = [' good news', ' bad', ' neither of them, or both', ' science'].slice(0, 2 + (i % 3));
      return encodeRow(model.tokenizer, { id: `${i}`, prompt: `${text}\nAnswer:`, options, answer: 0 }, 100);
    });
    const site = model.sites.find(({ name }) => name === 'layers.2.q')!;
    const arrays = {
      [`${site.name}.a`]: { shape: [site.in, 4], data: random.normals(site.in * 4, 0.1) },
      [`${site.name}.b`]: { shape: [4, site.out], data: random.normals(4 * site.out, 0.1) },
    };
    const choice = (scores: readonly number[]) => scores.indexOf(Math.max(...scores));
    const both: number[][] = [];
    for (const trainable of [{}, arrays]) {
      const forward: Forward = { model, learner: adapterLearner(trainable, 2), sites: model.sites };
      const together = await scoresOf(device, forward, rows);
      for (const r of [0, 17]) {
        const [alone] = await scoresOf(device, forward, [rows[r]!]);
        expectClose(alone!, together[r]!, 1e-5, `row ${r}`);
        expect(choice(alone!)).to.equal(choice(together[r]!));
      }
      both.push(together.flat());
    }
    expect(both[0]).to.not.deep.equal(both[1]);
  });
});
