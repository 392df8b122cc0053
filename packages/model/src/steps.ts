import {
  type AddedToken, ByteFallbackDecoder, ByteLevelPreTokenizer, type Decoder, LowercaseNormalizer, MetaspaceDecoder, type Normalizer,
  PrecompiledNormalizer, type PreTokenizer, SequenceDecoder, SequenceNormalizer, SequencePreTokenizer, SplitPreTokenizer, StripNormalizer, type Tokenizer,
} from '@huggingface/tokenizers';
import { CharsMap } from './charsmap.js';
import { WORDS, WORD_CHARACTERS } from './words.js';

/** Every step, in order, of one that may be a sequence of others. */
function stepsOf<Step>(step: Step | null, partsOf: (step: Step) => readonly (Step | null)[] | null): Step[] {
  if (step === null) return [];
  return partsOf(step)?.flatMap((part) => stepsOf(part, partsOf)) ?? [step];
}

/** Every step of a pre-tokenizer, in order. */
export const wordSteps = (step: PreTokenizer | null): PreTokenizer[] => stepsOf(step, (one) => (one instanceof SequencePreTokenizer ? one.tokenizers : null));
const textSteps = (step: Normalizer | null): Normalizer[] => stepsOf(step, (one) => (one instanceof SequenceNormalizer ? one.normalizers : null));
const decoders = (step: Decoder | null): Decoder[] => stepsOf(step, (one) => (one instanceof SequenceDecoder ? one.decoders : null));

const BEHAVIORS = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'];

/** What a pattern finds in a text and what lies between, without what is empty. */
function pieces(text: string, pattern: RegExp, invert: boolean): { piece: string; found: boolean }[] {
  const all: { piece: string; found: boolean }[] = [];
  let end = 0;
  for (const { 0: match, index } of text.matchAll(pattern)) {
    all.push({ piece: text.slice(end, index), found: invert }, { piece: match, found: !invert });
    end = index + match.length;
  }
  all.push({ piece: text.slice(end), found: invert });
  return all.filter(({ piece }) => piece !== '');
}

/** The words between which a pattern stands, and what becomes of that: the library leaves it alone as a word whatever is asked for. */
function cut(text: string, pattern: RegExp, { behavior, invert = false }: SplitPreTokenizer['config']): string[] {
  const all = pieces(text, pattern, invert);
  if (behavior === 'Removed') return all.filter(({ found }) => !found).map(({ piece }) => piece);
  const words: string[] = [];
  const forward = behavior !== 'MergedWithNext';
  let before: boolean | undefined;
  for (const { piece, found } of forward ? all : all.toReversed()) {
    const joins = behavior === 'Contiguous' ? found === before : behavior !== 'Isolated' && found && before === false;
    if (joins) words.push(forward ? words.pop()! + piece : piece + words.pop()!);
    else words.push(piece);
    before = found;
  }
  return forward ? words : words.reverse();
}

const [SPACE_BEFORE, SPACE_BEHIND] = [/^\p{White_Space}+/u, /\p{White_Space}+$/u];
const [BEGINS_WORD, ENDS_WORD] = [new RegExp(`^[${WORD_CHARACTERS}]`, 'u'), new RegExp(`[${WORD_CHARACTERS}]$`, 'u')];

/**
 * Cuts added tokens out of a text. The library does not know those that have to be a word of their own, and one that takes the white space
 * beside it takes other added tokens that are white space too.
 */
function addedSplitter(split: (text: string) => string[], tokens: ReadonlyMap<string, AddedToken>): (text: string) => string[] {
  return (text) => {
    const sections: string[] = [];
    let [words, at, stripped] = ['', 0, false];
    const take = () => (stripped ? words.replace(SPACE_BEFORE, '') : words);
    for (const section of split(text)) {
      const token = tokens.get(section);
      const [start, end] = [at, at + section.length];
      at = end;
      if (!token || (token.single_word && (ENDS_WORD.test(text.slice(0, start)) || BEGINS_WORD.test(text.slice(end))))) {
        words += section;
        continue;
      }
      sections.push(token.lstrip ? take().replace(SPACE_BEHIND, '') : take(), section);
      [words, stripped] = ['', token.rstrip];
    }
    return [...sections, take()];
  };
}

/** Bytes as a text where they are one; else each of them is a mark of its own, as the original has it. */
function bytesText(bytes: readonly number[]): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
  } catch {
    return '\ufffd'.repeat(bytes.length);
  }
}

function joinBytes(tokens: readonly string[]): string[] {
  const texts: string[] = [];
  let bytes: number[] = [];
  const flush = () => {
    if (bytes.length > 0) texts.push(bytesText(bytes));
    bytes = [];
  };
  for (const token of tokens) {
    const byte = /^<0x([0-9A-F]{2})>$/i.exec(token)?.[1];
    if (byte !== undefined) {
      bytes.push(Number.parseInt(byte, 16));
      continue;
    }
    flush();
    texts.push(token);
  }
  flush();
  return texts;
}

/**
 * Makes a tokenizer of the library do what that of the same file does in Hugging Face's tokenizers, where the two are known to differ. All
 * of it is compared with the latter in `test/steps.test.ts`.
 */
export function mendSteps(tokenizer: Tokenizer): void {
  for (const step of textSteps(tokenizer.normalizer)) {
    if (step instanceof PrecompiledNormalizer && step.charsmap) {
      const map = new CharsMap(step.charsmap);
      step.normalize = (text) => map.normalize(text);
    } else if (step instanceof StripNormalizer) {
      const { strip_left: before, strip_right: behind } = step.config;
      step.normalize = (text) => text.replace(before ? SPACE_BEFORE : '', '').replace(behind ? SPACE_BEHIND : '', '');
    } else if (step instanceof LowercaseNormalizer) {
      // one by one: a sigma at the end of a word is one like others
      step.normalize = (text) => Array.from(text, (char) => char.toLowerCase()).join('');
    }
  }
  for (const step of wordSteps(tokenizer.pre_tokenizer)) {
    // white space is Unicode's
    if (step instanceof ByteLevelPreTokenizer) step.pattern = new RegExp(WORDS, 'gu');
    if (!(step instanceof SplitPreTokenizer)) continue;
    const { pattern, config: { behavior, invert } } = step;
    if (!pattern || !BEHAVIORS.includes(behavior!)) throw new Error(`Words cannot be cut by ${JSON.stringify(step.config)}`);
    if (behavior !== 'Isolated' || invert) step.pre_tokenize_text = (text) => cut(text, pattern, step.config);
  }
  for (const step of decoders(tokenizer.decoder)) {
    if (step instanceof ByteFallbackDecoder) step.decode_chain = joinBytes;
    if (step instanceof MetaspaceDecoder) {
      const { replacement, config: { prepend_scheme: scheme } } = step;
      step.decode_chain = (tokens) => tokens.map((token, i) => token.replaceAll(replacement, i === 0 && scheme !== 'never' ? '' : ' '));
    }
  }
  const inNormalized = (token: AddedToken) => token.normalized && tokenizer.normalizer !== null;
  for (const [splitter, normalized] of [[tokenizer.splitter_unnormalized, false], [tokenizer.splitter_normalized, true]] as const) {
    const own = [...tokenizer.added_tokens_map].filter(([, token]) => inNormalized(token) === normalized);
    splitter.split = addedSplitter(splitter.split.bind(splitter), new Map(own.map(([content, token]) => [content, { ...token }])));
  }
  // what the library would do once more
  for (const token of tokenizer.added_tokens) [token.lstrip, token.rstrip] = [false, false];
}
