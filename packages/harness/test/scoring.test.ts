import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Example, Learner } from '@lethe/core';
import { LetheError } from '@lethe/core';
import { expect } from 'chai';
import { encodeRow, type Job, runStream, Scorer } from '../src/index.js';
import { eagerDevice, tinyModel, tinySuite } from './tiny.js';

const model = tinyModel();
const numbers = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
const row = (prompt: readonly number[], ...options: number[][]): Example =>
  ({ id: 'row', prompt: prompt.join(' '), options: options.map((option) => option.join(' ')), answer: 0 });
/** The tiny model's tokenizer reads numbers; an empty text has no tokens. */
const tokenizer = { ...model.tokenizer, encode: (text: string) => (text === '' ? [] : model.tokenizer.encode(text)) };
const encode = (example: Example, maxTokens: number) => encodeRow(tokenizer, example, maxTokens);
const nothing: Learner = {
  trainable: {}, frozen: {}, begin: () => undefined, adapt: () => null, end: () => undefined, restore: () => undefined,
  save: () => ({ trainable: {}, frozen: {}, stored: {}, json: null }),
};
const scored = async (...examples: Example[]) => {
  const scorer = new Scorer(eagerDevice(), { model, learner: nothing, sites: [] });
  return scorer.score(examples.map((example) => encode(example, 64)));
};

describe('encodeRow', () => {
  it('leaves a prompt that fits as it is', () => {
    // 12 tokens of prompt, 2 of the longest option and the end of text
    expect(encode(row(numbers(1, 12), [1], [2, 3]), 15).prompt).to.deep.equal(numbers(1, 12));
  });

  it('cuts a prompt in its middle and keeps the last quarter, or 8 tokens where that is more', () => {
    expect(encode(row(numbers(1, 13), [1], [2, 3]), 15).prompt).to.deep.equal([...numbers(1, 4), ...numbers(6, 8)]);
    expect(encode(row(numbers(1, 100), [1]), 42).prompt).to.deep.equal([...numbers(1, 30), ...numbers(91, 10)]);
  });

  it('leaves room for what the tokenizer puts around every prompt', () => {
    const framed = { ...tokenizer, frame: { before: [30, 31], after: [29] } };
    expect(encodeRow(framed, row(numbers(1, 12), [1], [2, 3]), 18).prompt).to.deep.equal(numbers(1, 12));
    expect(encodeRow(framed, row(numbers(1, 13), [1], [2, 3]), 18).prompt).to.deep.equal([...numbers(1, 4), ...numbers(6, 8)]);
  });

  const refusals: readonly [what: string, example: Example, maxTokens: number, message: RegExp][] = [
    ['an option without tokens', row([1], [2], []), 32, /option 2 has no tokens/],
    ['two options of the same tokens', row([1], [2, 3], [4], [2, 3]), 32, /option 3 has the tokens of an earlier option/],
    ['a prompt without tokens', row([], [2], [3]), 32, /prompt has no tokens/],
    ['options that leave the prompt no room', row([1], numbers(1, 31), [2]), 32, /answer of 31 tokens leaves 0 of 32/],
  ];
  for (const [what, example, maxTokens, message] of refusals) {
    it(`refuses ${what}`, () => {
      expect(() => encode(example, maxTokens)).to.throw(LetheError, message).with.property('code', 'LETHE_DATA_ROW');
    });
  }
});

describe('Scorer', () => {
  it('gives the same scores in any order and beside any neighbours', async () => {
    const examples = numbers(1, 20).map((n) => row(numbers(1, n), [5, n], [6], [7, 8, 9]));
    const together = await scored(...examples);
    const reversed = (await scored(...examples.toReversed())).toReversed();
    together.forEach((scores, r) => scores.forEach((score, o) => expect(reversed[r]![o]).to.be.closeTo(score, 1e-5)));
    const [alone] = await scored(examples[11]!);
    alone!.forEach((score, o) => expect(together[11]![o]).to.be.closeTo(score, 1e-5));
  });

  it('chooses the first of several options that are as likely', async () => {
    const head = model.weights['head']!;
    const even = { ...model, weights: { ...model.weights, head: { ...head, data: new Float32Array(head.data.length) } } }; // every token is as likely as any other
    const scorer = new Scorer(eagerDevice(), { model: even, learner: nothing, sites: [] });
    expect(await scorer.choose([encode(row([3, 4], [5, 6], [7], [8]), 64)], () => undefined)).to.deep.equal([1]);
  });

  it('ends an option that another one begins with, so that the longer one can win', async () => {
    const [[short, long]] = await scored(row([3, 4], [5], [5, 6])) as [[number, number]];
    const [[open]] = await scored(row([3, 4], [5])) as [[number]];
    const [[ended]] = await scored(row([3, 4], [5, model.tokenizer.endOfText])) as [[number]];
    expect(open).to.be.above(long);
    expect(short).to.be.closeTo(ended, 1e-5);
  });
});

describe('runStream', () => {
  it('refuses rows longer than what the model reads, with both numbers', async () => {
    const outDir = await mkdtemp(join(tmpdir(), 'lethe-length-'));
    const suite = tinySuite();
    const training = { ...suite.training, maxTokens: 65 };
    const job: Job = {
      identity: {
        suite: { id: 'tiny', version: '1.0.0', size: 'full' },
        method: { id: 'none', version: '1.0.0', options: {}, capabilities: { rehearsal: false, taskIdentity: false, growth: 'none', bound: false } },
        model: { id: 'tiny', sha256: model.sha256 }, order: suite.orders[0]!, seed: 1, training,
      },
      codePath: '', stream: 'continual', suite: { reference: 'tiny', suitesDir: '', builtDir: '' }, modelDir: '', device: 'eager', threads: 1,
      outDir, origin: { lethe: '0.1.0', git: null },
    };
    try {
      await runStream(job, { device: eagerDevice(), model, suite, method: { create: () => nothing } }, () => undefined);
      expect.fail('it ran');
    } catch (error) {
      expect(error).to.be.instanceOf(LetheError);
      expect((error as LetheError).code).to.equal('LETHE_MODEL_LENGTH');
      expect((error as LetheError).message).to.match(/65.*64/);
      expect((error as LetheError).remedy).to.match(/64 or less/);
    } finally {
      await rm(outDir, { recursive: true });
    }
  });
});
