import type { Tokenizer } from '@lethe/model';
import { expect } from 'chai';
import { encodeRows } from '../src/encoded.js';
import { encodeRow, packScoring, packTraining, scoringShapes, trainingRow, trainingShape } from '../src/packing.js';

const rows = [
  { prompt: [5, 6, 7], options: [[1], [2, 3]], answer: 1 },
  { prompt: [8], options: [[4], [1]], answer: 0 },
];

const tokenizer: Tokenizer = { vocabSize: 99, endOfText: 0, encode: () => [], decode: () => '' };

describe('packing', () => {
  it('puts the targets of each row in places of its own, padded with weight 0', () => {
    const training = rows.map(trainingRow);
    const shape = trainingShape(tokenizer, training, training, 3);
    expect(shape).to.deep.equal({ batch: 3, tokens: 8, targets: 9 });
    const { index, token, weight, owners } = packTraining(tokenizer, training, shape);
    expect([...index]).to.deep.equal([2, 3, 4, 8, 9, 8, 16, 16, 16]);
    expect([...token]).to.deep.equal([2, 3, 0, 4, 0, 0, 0, 0, 0]);
    [1 / 6, 1 / 6, 1 / 6, 1 / 4, 1 / 4, 0, 0, 0, 0].forEach((value, i) => expect(weight[i]).to.be.closeTo(value, 1e-7));
    expect(owners.map(({ at }) => at)).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it('gives no batch more targets in a row than it has tokens, however long the options of other batches are', () => {
    const long = { prompt: [1, 2], options: [Array.from({ length: 40 }, (_, i) => i), [3]], answer: 0 };
    const shapeOf = scoringShapes(tokenizer, [long, ...rows], 2);
    expect(shapeOf([long])).to.deep.equal({ batch: 2, tokens: 48, targets: 2 * 44 });
    expect(shapeOf(rows)).to.deep.equal({ batch: 2, tokens: 8, targets: 2 * 4 });
    const { index, owners } = packScoring(tokenizer, rows, shapeOf(rows));
    expect(owners.map(({ at, row }) => [row, index[at]])).to.deep.equal([[0, 2], [0, 2], [0, 4], [1, 8], [1, 8]]);
  });

  it('lets every option go on from the end of the prompt', () => {
    const { ids, positions, segments, index, owners } = packScoring(tokenizer, rows, scoringShapes(tokenizer, rows, 2)(rows));
    expect([...ids.slice(0, 7)]).to.deep.equal([5, 6, 7, 1, 2, 3, 0]);
    expect([...positions.slice(0, 6)]).to.deep.equal([0, 1, 2, 3, 3, 4]);
    expect([...segments.slice(0, 7)]).to.deep.equal([1, 1, 1, 2, 3, 3, 0]);
    expect([...index]).to.deep.equal([2, 2, 4, 0, 8, 8, 8, 8]);
    expect(owners).to.deep.equal([
      { at: 0, row: 0, option: 0 }, { at: 1, row: 0, option: 1 }, { at: 2, row: 0, option: 1 }, { at: 4, row: 1, option: 0 }, { at: 5, row: 1, option: 1 },
    ]);
  });

  it('puts the frame of a tokenizer around every prompt', () => {
    const framed = { ...tokenizer, frame: { before: [50, 51], after: [52] } };
    const { ids, positions, segments, index } = packTraining(framed, rows.map(trainingRow), trainingShape(framed, rows.map(trainingRow), rows.map(trainingRow), 2));
    expect([...ids]).to.deep.equal([50, 51, 5, 6, 7, 52, 2, 3, 50, 51, 8, 52, 4, 0, 0, 0]);
    expect([...positions.slice(8)]).to.deep.equal([0, 1, 2, 3, 4, 0, 0, 0]);
    expect([...segments.slice(8)]).to.deep.equal([1, 1, 1, 1, 2, 0, 0, 0]);
    expect([...index]).to.deep.equal([5, 6, 7, 11, 12, 8]);
  });

  it('gives the prompts of an encoder-decoder to its encoder, and lets its decoder answer behind one token', () => {
    const apart = { ...tokenizer, frame: { before: [], after: [52] }, decoderStart: 9 };
    const shape = scoringShapes(apart, rows, 2)(rows);
    expect(shape).to.deep.equal({ batch: 2, tokens: 8, source: 8, targets: 8 });
    const { source, ids, positions, segments, index, owners } = packScoring(apart, rows, shape);
    expect([...source!.ids]).to.deep.equal([5, 6, 7, 52, 0, 0, 0, 0, 8, 52, 0, 0, 0, 0, 0, 0]);
    expect([...source!.segments]).to.deep.equal([1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0]);
    expect([...ids]).to.deep.equal([9, 1, 2, 3, 0, 0, 0, 0, 9, 4, 1, 0, 0, 0, 0, 0]);
    expect([...positions.slice(0, 4)]).to.deep.equal([0, 1, 1, 2]);
    expect([...segments.slice(0, 5)]).to.deep.equal([1, 2, 3, 3, 0]);
    expect(owners.map(({ at }) => index[at])).to.deep.equal([0, 0, 2, 8, 8]);
  });
});

describe('the tokens of rows', () => {
  it('are made once for the same model, rows and settings', () => {
    let texts = 0;
    const tokenizer = () => ({
      vocabSize: 300, endOfText: 0, decode: () => '',
      encode: (text: string) => {
        texts += 1;
        return [...text].map((letter) => letter.charCodeAt(0));
      },
    });
    const [one, other] = [tokenizer(), tokenizer()];
    const examples = [{ id: '1', prompt: 'a prompt of some length', options: [' x', ' y'], answer: 0 }];
    const first = encodeRows(one, examples, 32);
    expect(texts).to.equal(3);
    expect(encodeRows(one, examples, 32)).to.equal(first);
    expect(texts).to.equal(3);
    expect(first[0]!.prompt).to.have.length(23);
    expect(encodeRows(one, examples, 20)[0]!.prompt).to.have.length(17);
    expect(encodeRows(one, examples, 32, 10)[0]!.prompt).to.have.length(21);
    expect(encodeRows(other, examples, 32)).to.deep.equal(first);
    expect(encodeRows(one, [...examples], 32)).to.deep.equal(first);
    expect(texts).to.equal(14);
  });
});

describe('a row whose answer is written', () => {
  /** A token a character. */
  const tokenizer = {
    vocabSize: 128, endOfText: 0,
    encode: (text: string) => [...text].map((letter) => letter.charCodeAt(0)),
    decode: (ids: readonly number[]) => String.fromCharCode(...ids),
  };
  const row = { id: 'a', prompt: 'p'.repeat(40), options: [' a long answer', ' short'], answer: 0 };

  it('keeps the answer to train on as far as it may go, and leaves the prompt the rest', () => {
    const { prompt, options, answer } = encodeRow(tokenizer, row, 32, 6);
    expect(options.map((ids) => tokenizer.decode(ids))).to.deep.equal([' a lon']);
    expect([answer, prompt.length]).to.deep.equal([0, 32 - 6 - 1]);
    expect(encodeRow(tokenizer, row, 32, 6)).to.include({ cutPrompt: true, cutAnswer: true });
    expect(encodeRow(tokenizer, { ...row, prompt: 'x' }, 64, 30)).to.not.have.any.keys('cutPrompt', 'cutAnswer');
  });

  it('may have right answers that are longer than the model can read', () => {
    expect(encodeRow(tokenizer, { ...row, options: [' x'.repeat(100), ' x'.repeat(101)] }, 32, 6).options[0]).to.have.length(6);
    expect(() => encodeRow(tokenizer, { ...row, options: [' x'.repeat(100), ' y'] }, 32)).to.throw('leaves 0 of 32');
  });
});
