import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { LetheError, createRandom } from '@lethe/core';
import { loadModel, parseTokenizer } from '@lethe/model';
import { type PretrainOptions, type Progress, pretrain, tokenizerJson, trainBpe } from '../src/index.js';
import { batchOf, documentsOf, pack } from '../src/corpus.js';
import { readOptions } from '../src/options.js';

describe('trainBpe', () => {
  it('merges the most frequent pair first, and the first in order where several are', () => {
    // low x 3, lower x 1, new x 2: (l o) and (o w) stand 4 times, "l o" sorts first; then (lo w); then (n e) and (e w) twice.
    const { merges } = trainBpe(['low', 'low', 'low', 'lower', 'new', 'new'], 257 + 4, ['<|endoftext|>']);
    expect(merges).to.deep.equal([['l', 'o'], ['lo', 'w'], ['e', 'w'], ['n', 'ew']]);
  });

  it('stops where nothing is left to merge', () => {
    expect(Object.keys(trainBpe(['ab'], 1000, []).vocab)).to.have.length(257);
  });

  it('makes a tokenizer that gives back any text', () => {
    const bpe = trainBpe(['the cat sat on the mat', 'größer 12 34'], 300, ['<|endoftext|>']);
    const tokenizer = parseTokenizer(JSON.stringify(tokenizerJson(bpe, ['<|endoftext|>'])), 'tokenizer.json', 300);
    expect(tokenizer.encode(' the')).to.have.length(1);
    fc.assert(fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), (text) => {
      expect(tokenizer.decode(tokenizer.encode(text))).to.equal(text);
    }));
  });
});

describe('the corpus', () => {
  it('is cut at blank lines', () => {
    expect(documentsOf('a b\nc\n\n  \nd\n')).to.deep.equal(['a b\nc', 'd']);
  });

  it('keeps every token once, in order, and documents apart', () => {
    fc.assert(fc.property(fc.array(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 }), { maxLength: 12 }), (documents) => {
      const windows = pack(documents, 8, 0);
      const kept = windows.flatMap(({ ids, segments }) => [...ids].filter((_, i) => segments[i]! > 0));
      expect(kept).to.deep.equal(documents.flatMap((document) => [...document, 0]));
      for (const { positions, segments } of windows) {
        positions.forEach((position, i) => {
          const goesOn = i > 0 && segments[i] === segments[i - 1] && segments[i] !== 0;
          expect(position).to.equal(goesOn ? positions[i - 1]! + 1 : 0);
        });
      }
    }));
  });

  it('asks for the next token of the same document only', () => {
    const { token, weight } = batchOf(pack([[5, 6], [7]], 8, 0), 8);
    expect([...token].slice(0, 5)).to.deep.equal([6, 0, 0, 0, 0]); // 5>6, 6>end, end has none, 7>end
    expect([...weight].map((w) => w > 0)).to.deep.equal([true, true, false, true, false, false, false, false]);
    expect(weight.reduce((sum, w) => sum + w, 0)).to.be.closeTo(1, 1e-6);
  });
});

describe('pretrain', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lethe-pretrain-'));
    const random = createRandom(3, 'text');
    const documents = Array.from({ length: 400 }, () => `the ${['cat', 'dog', 'cow'][random.below(3)]} eats ${1 + random.below(9)} apples`);
    await writeFile(join(folder, 'corpus.txt'), documents.join('\n\n'));
  });
  after(() => rm(folder, { recursive: true }));

  const options = (out: string): PretrainOptions => ({
    vocab: 300, hidden: 16, intermediate: 32, layers: 1, heads: 2, context: 32, epochs: 4, batch: 8, rate: 0.02, seed: 1, threads: 1,
    out: join(folder, out), files: [join(folder, 'corpus.txt')],
  });
  const digests = async (out: string) => Promise.all((await readdir(join(folder, out))).sort().map(async (name) =>
    `${name} ${createHash('sha256').update(await readFile(join(folder, out, name))).digest('hex')}`));

  it('learns, writes a model that loads, and gives the same bytes again', async () => {
    const steps: Progress[] = [];
    const { heldOutLoss } = await pretrain(options('a'), (progress) => steps.push(progress));
    expect(steps.at(-1)!.done).to.equal(steps[0]!.total);
    expect(steps[0]!.loss).to.be.closeTo(Math.log(300), 0.5);
    expect(steps.at(-1)!.loss).to.be.below(1.5);
    expect(heldOutLoss).to.equal(null); // there is less than one batch of it
    expect((await loadModel(join(folder, 'a'))).config.layers).to.equal(1);
    await pretrain(options('b'), () => undefined);
    expect(await digests('b')).to.deep.equal(await digests('a'));
  });

  it('refuses too little text and files that are not there', async () => {
    const codeOf = (given: PretrainOptions) => pretrain(given, () => undefined).then(() => 'none', (error: LetheError) => error.code);
    expect(await codeOf({ ...options('c'), batch: 4000 })).to.equal('LETHE_DATA_MISSING');
    expect(await codeOf({ ...options('c'), files: [join(folder, 'none.txt')] })).to.equal('LETHE_DATA_MISSING');
  });

  for (const [args, message] of [
    [['a.txt'], '--out names no folder'],
    [['--out', 'x'], 'no text file'],
    [['--out', 'x', '--epoch', '2', 'a.txt'], 'Did you mean "epochs"?'],
    [['--out', 'x', '--layers', '0', 'a.txt'], 'at least 1, given "0"'],
    [['--out', 'x', '--heads', '3', 'a.txt'], 'multiple of twice'],
  ] as const) {
    it(`refuses: ${args.join(' ')}`, () => {
      expect(() => readOptions(args)).to.throw(LetheError, message).with.property('code', 'LETHE_USAGE');
    });
  }
});
