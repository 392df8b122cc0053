import { Tokenizer as ByteTokenizer } from '@huggingface/tokenizers';
import { LetheError } from '@lethe/core';
import type { Tokenizer } from './types.js';

const END_OF_TEXT = ['<|endoftext|>', '</s>', '<|end_of_text|>', '<eos>'];

/**
 * Reads a `tokenizer.json`.
 * Throws LETHE_MODEL_TOKENIZER, naming `file`, when it cannot be used or has ids that a model of `vocabSize` tokens lacks;
 * so does `encode`, for text that the tokenizer has no tokens for.
 */
export function parseTokenizer(text: string, file: string, vocabSize: number): Tokenizer {
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
  const known = (id: unknown) => Number.isSafeInteger(id) && (id as number) >= 0 && (id as number) < vocabSize;
  const json: unknown = attempt('The tokenizer is not JSON', () => JSON.parse(text));
  const [inner, vocabulary] = attempt('The tokenizer cannot be read', () => {
    const made = new ByteTokenizer(json as object, { tokenizer_class: 'PreTrainedTokenizerFast' });
    return [made, made.get_vocab()] as const;
  });
  for (const [token, id] of vocabulary) {
    if (!known(id)) fail(`Token ${JSON.stringify(token)} has id ${String(id)}, but the model has ids from 0 to ${vocabSize - 1}.`);
  }
  const name = END_OF_TEXT.find((token) => vocabulary.has(token));
  if (name === undefined) return fail(`None of ${END_OF_TEXT.join(', ')} is in the vocabulary.`);
  return {
    vocabSize,
    endOfText: vocabulary.get(name)!,
    encode(source) {
      const { ids } = attempt('A text cannot be tokenized', () => inner.encode(source, { add_special_tokens: false }));
      return ids.every(known) ? ids : fail(`The tokenizer has no token for a part of ${JSON.stringify(source)}.`);
    },
    decode: (ids) => inner.decode([...ids]),
  };
}
