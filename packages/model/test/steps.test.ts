import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseTokenizer } from '../src/index.js';
import { FIXTURES } from './spoil.js';

/** What `test/fixtures/tokenizers/make.py` writes. */
interface Steps {
  readonly texts: readonly string[];
  readonly bases: Readonly<Record<string, object>>;
  readonly cases: readonly {
    readonly name: string;
    readonly base: string;
    readonly size: number;
    readonly settings: object;
    /** Of every text. */
    readonly encoded: readonly (readonly number[])[];
    readonly decoded: readonly (readonly [ids: readonly number[], text: string])[];
  }[];
}

const { texts, bases, cases } = JSON.parse(readFileSync(join(FIXTURES, 'tokenizers/steps.json'), 'utf8')) as Steps;

describe('a tokenizer does what that of the tokenizers library does', () => {
  for (const { name, base, size, settings, encoded, decoded } of cases) {
    it(`with ${name}`, () => {
      // a model may have more ids than its tokenizer
      const tokenizer = parseTokenizer(JSON.stringify({ ...bases[base], ...settings }), 'tokenizer.json', size + 5);
      texts.forEach((text, i) => expect(tokenizer.encode(text), JSON.stringify(text)).to.deep.equal(encoded[i]));
      for (const [ids, text] of decoded) expect(tokenizer.decode(ids), `ids ${ids.join()}`).to.equal(text);
    });
  }
});

describe('a tokenizer is refused', () => {
  const refused = (base: string, model: object, parts: object = {}) => () => {
    const settings = bases[base] as { readonly model: object };
    return parseTokenizer(JSON.stringify({ ...settings, ...parts, model: { ...settings.model, ...model } }), 'tokenizer.json', 1000);
  };

  it('where it spells characters as bytes and is no BPE', () => {
    expect(refused('unigram', { byte_fallback: true })).to.throw(/spells unknown characters as bytes/).with.property('code', 'LETHE_MODEL_TOKENIZER');
  });

  it('where it marks what goes on with a word', () => {
    expect(refused('bytes', { continuing_subword_prefix: '##' })).to.throw(/continuing_subword_prefix/).with.property('code', 'LETHE_MODEL_TOKENIZER');
  });

  it('where it cuts words by no pattern, or in no way that there is', () => {
    for (const split of [{ type: 'Split', pattern: {}, behavior: 'Isolated' }, { type: 'Split', pattern: { String: ' ' }, behavior: 'Split' }]) {
      expect(refused('bytes', {}, { pre_tokenizer: split })).to.throw(/Words cannot be cut by/).with.property('code', 'LETHE_MODEL_TOKENIZER');
    }
  });

  it('where its map of characters ends early', () => {
    const map = { type: 'Precompiled', precompiled_charsmap: 'AAE=' };
    expect(refused('unigram', {}, { normalizer: map })).to.throw(/cannot be read/).with.property('code', 'LETHE_MODEL_TOKENIZER');
  });
});
