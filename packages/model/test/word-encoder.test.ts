import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import { expect } from 'chai';
import fc from 'fast-check';
import { parseTokenizer } from '../src/index.js';
import { wordEncoder } from '../src/word-encoder.js';

const NANO = JSON.parse(readFileSync(fileURLToPath(new URL('../../lethe-nano/tokenizer.json', import.meta.url)), 'utf8')) as Record<string, unknown>;
/** The pattern of Llama 3, which cuts off digits by threes. */
const LLAMA = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const bytes = { type: 'ByteLevel', add_prefix_space: false, use_regex: false };
const split = { type: 'Split', pattern: { Regex: LLAMA }, behavior: 'Isolated', invert: false };
const steps = (...pretokenizers: object[]) => ({ pre_tokenizer: { type: 'Sequence', pretokenizers } });

const open = (change: object) => new Tokenizer({ ...NANO, ...change }, { clean_up_tokenization_spaces: false });

describe('tokens word by word', () => {
  /** Text of all that patterns tell apart, and the names of added tokens in it. */
  const piece = fc.oneof(
    fc.constantFrom(' ', '  ', '\n', '\r\n', '\t', '\u00a0', '\ufeff', "'s", "'LL", '1234', 'the', ' The', '<|endoftext|>', '<|end', '..', 'é', 'e\u0301', '語', '🙂', '\ud800', 'ſ'),
    fc.string({ unit: 'binary', maxLength: 6 }), fc.string({ maxLength: 6 }),
  );
  const text = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(''));

  for (const [name, change] of [
    ['GPT-2', steps({ type: 'Split', pattern: { Regex: String.raw` ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+` }, behavior: 'Isolated', invert: false }, bytes)],
    ['Llama 3', steps(split, bytes)],
    ['Qwen, which normalizes', { normalizer: { type: 'NFC' }, ...steps(split, bytes) }],
    ['digits apart', steps({ type: 'Digits', individual_digits: true }, { type: 'Sequence', pretokenizers: [split, bytes] })],
  ] as const) {
    it(`are those of the library: ${name}`, () => {
      const library = open(change);
      const encode = wordEncoder(library)!;
      const seen = { words: 0, other: 0 };
      fc.assert(fc.property(text, (source) => {
        const found = encode(source);
        seen[found === null ? 'other' : 'words'] += 1;
        if (found !== null) expect(found).to.deep.equal(library.encode(source, { add_special_tokens: false }).ids);
      }), { numRuns: 400, seed: 1 });
      expect(seen.words).to.be.above(100);
      expect(seen.other).to.be.above(20); // with an added token, or changed by the normalizer
    });
  }

  it('are not to be had where a word\'s tokens depend on what stands around it', () => {
    const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: false };
    for (const change of [
      { pre_tokenizer: null }, steps(metaspace, bytes), steps(split, { ...bytes, add_prefix_space: true }), { pre_tokenizer: metaspace },
      { ...steps(split, bytes), model: { ...(NANO['model'] as object), fuse_unk: true } }, steps(bytes),
    ]) expect(wordEncoder(open(change)), JSON.stringify(change).slice(0, 80)).to.equal(null);
  });

  it('are the same at the second time, and not the caller\'s to change', () => {
    const { encode } = parseTokenizer(JSON.stringify(NANO), 'f', 2048);
    const first = encode('one word, one word');
    const kept = [...first];
    first.fill(0);
    expect(encode('one word, one word')).to.deep.equal(kept);
  });
});
