import { Tokenizer as ByteTokenizer } from '@huggingface/tokenizers';
import { LetheError, didYouMean } from '@lethe/core';
import { POINTER_FAULT, isPointer } from './missing.js';
import { mendSteps } from './steps.js';
import type { Tokenizer } from './types.js';
import { wordEncoder } from './word-encoder.js';
import { WORDS, WORD_CHARACTERS } from './words.js';

const KINDS = ['BPE', 'WordPiece', 'Unigram'];
/** Names of the token that ends a text, for models whose configuration does not say. */
const END_OF_TEXT = ['<|endoftext|>', '</s>', '<|end_of_text|>', '<eos>'];
/**
 * How many ids beyond those of the model added tokens may have: checkpoints of 32 000 tokens come with a token for padding at 32 000. A text
 * that names such a token is refused, others need it not.
 */
const SPARE_IDS = 1024;
/** A text to learn by what a tokenizer puts before texts. */
const SAMPLE = 'a';

type Settings = Readonly<Record<string, unknown>>;

const cutBy = (Regex: string, behavior: string, invert = false) => ({ type: 'Split', pattern: { Regex }, behavior, invert });

/**
 * Spells out the patterns that steps of a pre-tokenizer cut words with. The library reads the characters of a pattern that is spelled
 * out as Unicode has them, as the original does, but those of its built-in ones as JavaScript has them: white space with U+FEFF and
 * without U+0085, digits and letters of ASCII alone.
 */
function spellOut(step: unknown): unknown {
  if (typeof step !== 'object' || step === null) return step;
  const { type, pretokenizers, use_regex: cuts, add_prefix_space: prefix, individual_digits: single, split, replacement } = step as Settings;
  switch (type) {
    case 'Sequence': return Array.isArray(pretokenizers) ? { ...step, pretokenizers: pretokenizers.map(spellOut) } : step;
    case 'Digits': return cutBy(String.raw`\p{N}`, single === true ? 'Isolated' : 'Contiguous');
    case 'Whitespace': return cutBy(`[${WORD_CHARACTERS}]+|[^${WORD_CHARACTERS}\\s]+`, 'Removed', true);
    case 'WhitespaceSplit': return cutBy(String.raw`\s+`, 'Removed');
    // the library never cuts at the marks
    case 'Metaspace': return split === false
      ? step : { type: 'Sequence', pretokenizers: [step, { ...cutBy('', 'MergedWithNext'), pattern: { String: replacement ?? '▁' } }] };
    // A space put before the text belongs to its first word, so it has to come before the cut.
    case 'ByteLevel': return cuts === false || prefix === true
      ? step : { type: 'Sequence', pretokenizers: [cutBy(WORDS, 'Isolated'), { ...step, use_regex: false }] };
    default: return step;
  }
}

/**
 * The steps of a tokenizer without what they put before a text as if a word began there: a text that goes on from another one
 * must not have it.
 */
function unprefixed(step: unknown): unknown {
  if (typeof step !== 'object' || step === null) return step;
  const { type, normalizers, pretokenizers } = step as Settings;
  const all = (steps: unknown) => (Array.isArray(steps) ? steps.map(unprefixed).filter((each) => each !== null) : steps);
  if (type === 'Prepend') return null;
  if (type === 'Sequence') return { ...step, ...(normalizers ? { normalizers: all(normalizers) } : { pretokenizers: all(pretokenizers) }) };
  if (type === 'Metaspace') return { ...step, prepend_scheme: 'never', add_prefix_space: false };
  return type === 'ByteLevel' ? { ...step, add_prefix_space: false } : step;
}

type Ids = readonly (readonly [token: unknown, id: unknown])[];

/** The tokens of a file with the ids that stand there; in a vocabulary that is a list, places are ids. */
function idsIn(json: unknown): { readonly own: Ids; readonly added: Ids } {
  const { model, added_tokens: added } = json as { model?: { vocab?: unknown }; added_tokens?: unknown };
  return {
    own: model?.vocab && !Array.isArray(model.vocab) ? Object.entries(model.vocab) : [],
    added: Array.isArray(added) ? added.map((token: { content?: unknown; id?: unknown } | null) => [token?.content, token?.id] as const) : [],
  };
}

function open({ normalizer, pre_tokenizer: words, ...rest }: Settings): ByteTokenizer {
  const tokenizer = new ByteTokenizer(
    { ...rest, normalizer, pre_tokenizer: spellOut(words) },
    // cleaning up would take spaces away from before punctuation
    { tokenizer_class: 'PreTrainedTokenizerFast', clean_up_tokenization_spaces: false },
  );
  mendSteps(tokenizer);
  return tokenizer;
}

/**
 * Reads a `tokenizer.json`.
 * Throws LETHE_MODEL_TOKENIZER, naming `file`, when it cannot be used or has ids that a model of `vocabSize` tokens lacks;
 * so does `encode`, for text that the tokenizer has no tokens for.
 *
 * @param ends ids that end a text, as the configuration names them, the first one the model's own; without any it is the
 * token of the vocabulary whose name says so
 * @param decoderStart {@link Tokenizer.decoderStart}
 */
export function parseTokenizer(text: string, file: string, vocabSize: number, ends: readonly number[] = [], decoderStart?: number): Tokenizer {
  const fail = (message: string, cause?: unknown): never => {
    throw new LetheError('LETHE_MODEL_TOKENIZER', message, { where: file, cause, remedy: 'Use the tokenizer.json that belongs to the weights.' });
  };
  /** The library throws plain errors, and a damaged file makes it throw late. */
  const attempt = <T>(message: string, call: () => T): T => {
    try {
      return call();
    } catch (cause) {
      return fail(`${message}: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
    }
  };
  if (isPointer(text)) throw new LetheError('LETHE_MODEL_TOKENIZER', POINTER_FAULT.message, { where: file, remedy: POINTER_FAULT.remedy });
  const known = (id: unknown, most = vocabSize) => Number.isSafeInteger(id) && (id as number) >= 0 && (id as number) < most;
  const json: unknown = attempt('The tokenizer is not JSON', () => JSON.parse(text));
  // The library guesses what a kind may be that it does not know; files from before there were kinds have none.
  const kind = (json as { model?: { type?: unknown } } | null)?.model?.type ?? undefined;
  if (kind !== undefined && !KINDS.includes(String(kind))) {
    fail(`The tokenizer has type ${JSON.stringify(kind)}; ${KINDS.join(', ')} can be used.${didYouMean(String(kind), KINDS)}`);
  }
  // the library passes over both
  const { byte_fallback: bytes, continuing_subword_prefix: prefix } = ((json as { model?: Settings } | null)?.model ?? {});
  if (kind === 'Unigram' && bytes === true) fail('A Unigram tokenizer that spells unknown characters as bytes is not supported.');
  if (kind === 'BPE' && prefix) fail('A BPE tokenizer that marks what goes on with a word ("continuing_subword_prefix") is not supported.');
  const check = (token: unknown, id: unknown, most = vocabSize) => {
    if (!known(id, most)) fail(`Token ${JSON.stringify(token)} has id ${JSON.stringify(id)}, but the model has ids from 0 to ${vocabSize - 1}.`);
  };
  // first of all: the library makes room up to the largest id
  const { own, added } = json ? idsIn(json) : { own: [], added: [] };
  for (const [token, id] of own) check(token, id);
  for (const [token, id] of added) check(token, id, vocabSize + SPARE_IDS);
  const spare = new Set(added.map(([token]) => token));
  const [inner, next, vocabulary] = attempt('The tokenizer cannot be read', () => {
    const settings = json as Settings;
    const made = open(settings);
    const following = { ...settings, normalizer: unprefixed(settings['normalizer']), pre_tokenizer: unprefixed(settings['pre_tokenizer']) };
    return [made, open(following), made.get_vocab()] as const;
  });
  for (const [token, id] of vocabulary) check(token, id, spare.has(token) ? vocabSize + SPARE_IDS : vocabSize);
  const name = END_OF_TEXT.find((token) => vocabulary.has(token));
  const endOfText = ends[0] ?? (name === undefined ? undefined : vocabulary.get(name));
  if (endOfText === undefined) {
    return fail(`The configuration has no "eos_token_id", and none of ${END_OF_TEXT.join(', ')} is in the vocabulary.`);
  }
  const ids = (source: string, special: boolean, by = inner): number[] =>
    attempt('A text cannot be tokenized', () => by.encode(source, { add_special_tokens: special }).ids);
  // text that a word begins needs no other one where nothing is put before it
  const byWords = wordEncoder(inner);
  // What the tokenizer puts around a text is seen by any text.
  const [alone, within] = [ids(SAMPLE, false), ids(SAMPLE, true)];
  const start = Math.max(0, within.findIndex((_, at) => alone.every((id, i) => within[at + i] === id)));
  // What stands behind it belongs to a text that is finished: a prompt is one where the answer is a text of its own.
  const apart = decoderStart !== undefined;
  const frame = { before: within.slice(0, start), after: apart ? within.slice(start + alone.length) : [] };
  const lacking = [...frame.before, ...frame.after].find((id) => !known(id));
  if (lacking !== undefined) check([...vocabulary].find(([, id]) => id === lacking)?.[0], lacking);
  return {
    vocabSize,
    endOfText,
    stops: ends.length > 0 ? ends : [endOfText],
    frame,
    ...(apart ? { decoderStart } : {}),
    encode(source, place = 'prompt') {
      const own = place === 'prompt' || apart;
      const whole = place === 'prompt' || !apart ? source : source.trimStart();
      const found = byWords?.(whole) ?? ids(whole, false, own ? inner : next);
      return found.every((id) => known(id)) ? found : fail(`A part of ${JSON.stringify(source)} has no token that the model knows.`);
    },
    decode(tokens) {
      // a model may have more ids than there are tokens: they are no text
      const named = tokens.filter((id) => inner.id_to_token(id) !== undefined);
      return named.length === 0 ? '' : inner.decode(named);
    },
  };
}
