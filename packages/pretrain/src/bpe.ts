import { WORDS } from '@lethe/model';

/** A byte-level byte-pair encoding, as `tokenizer.json` keeps it. */
export interface Bpe {
  /** Token to id: special tokens, then the 256 bytes, then the merges in their order. */
  readonly vocab: Readonly<Record<string, number>>;
  readonly merges: readonly (readonly [string, string])[];
}

const WORD = new RegExp(WORDS, 'gu');

/** A visible character for each byte: printable bytes stand for themselves, the others for characters from 256 on. */
const CHARACTERS: readonly string[] = (() => {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
})();

interface Word {
  symbols: string[];
  readonly count: number;
}

/** Counts of neighbouring symbols, and the words that hold them. */
class Pairs {
  readonly counts = new Map<string, number>();
  private readonly holders = new Map<string, Set<Word>>();

  add(word: Word, sign: 1 | -1): void {
    for (let i = 0; i + 1 < word.symbols.length; i++) {
      const key = `${word.symbols[i]} ${word.symbols[i + 1]}`;
      const count = (this.counts.get(key) ?? 0) + sign * word.count;
      if (count > 0) this.counts.set(key, count);
      else this.counts.delete(key);
      if (sign > 0) this.holders.set(key, (this.holders.get(key) ?? new Set()).add(word));
    }
  }

  holding(key: string): Word[] {
    return [...(this.holders.get(key) ?? [])];
  }

  /** The most frequent pair, the first in the order of characters where several are; undefined where every word is one symbol. */
  best(): string | undefined {
    let best: string | undefined;
    let most = 0;
    for (const [key, count] of this.counts) {
      if (count > most || (count === most && best !== undefined && key < best)) [best, most] = [key, count];
    }
    return best;
  }
}

function merge(symbols: readonly string[], left: string, right: string): string[] {
  const result: string[] = [];
  for (let i = 0; i < symbols.length; i++) {
    if (symbols[i] === left && symbols[i + 1] === right) {
      result.push(left + right);
      i++;
    } else result.push(symbols[i]!);
  }
  return result;
}

/**
 * Learns a byte-level BPE (Sennrich et al. 2016, arXiv 1508.07909, algorithm 1): the most frequent pair of neighbouring
 * symbols becomes a symbol, until there are `vocabSize` tokens or nothing is left to merge.
 *
 * @param special tokens that get the first ids and are never made by merging
 * @throws RangeError where `vocabSize` does not hold the special tokens and the 256 bytes
 */
export function trainBpe(texts: Iterable<string>, vocabSize: number, special: readonly string[]): Bpe {
  if (vocabSize < special.length + 256) throw new RangeError(`a vocabulary needs at least ${special.length + 256} tokens`);
  const counts = new Map<string, number>();
  for (const text of texts) for (const [word] of text.matchAll(WORD)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const pairs = new Pairs();
  for (const [text, count] of counts) {
    pairs.add({ symbols: [...Buffer.from(text, 'utf8')].map((byte) => CHARACTERS[byte]!), count }, 1);
  }
  const tokens = [...special, ...CHARACTERS.toSorted()];
  const merges: [string, string][] = [];
  while (tokens.length < vocabSize) {
    const best = pairs.best();
    if (best === undefined) break;
    const [left, right] = best.split(' ') as [string, string];
    for (const word of pairs.holding(best)) {
      const merged = merge(word.symbols, left, right);
      if (merged.length === word.symbols.length) continue;
      pairs.add(word, -1);
      word.symbols = merged;
      pairs.add(word, 1);
    }
    merges.push([left, right]);
    tokens.push(left + right);
  }
  return { vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges };
}

/** `tokenizer.json` in the layout of the Hugging Face tokenizers library. */
export function tokenizerJson({ vocab, merges }: Bpe, special: readonly string[]): unknown {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: '1.0', truncation: null, padding: null,
    added_tokens: special.map((content) =>
      ({ id: vocab[content], content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true })),
    normalizer: null, pre_tokenizer: byteLevel, post_processor: null, decoder: byteLevel,
    model: {
      type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null,
      fuse_unk: false, byte_fallback: false, ignore_merges: false, vocab, merges,
    },
  };
}
