import { Tokenizer as ByteTokenizer } from '@huggingface/tokenizers';
import { LetheError } from '@lethe/core';
import type { Tokenizer } from './types.js';

const END_OF_TEXT = ['<|endoftext|>', '</s>', '<|end_of_text|>', '<eos>'];

/** Reads a `tokenizer.json`. Throws LETHE_MODEL_TOKENIZER, naming `file`, when it cannot be used or exceeds `vocabSize`. */
export function parseTokenizer(text: string, file: string, vocabSize: number): Tokenizer {
  const fail = (message: string, cause?: unknown): never => {
    throw new LetheError('LETHE_MODEL_TOKENIZER', message, { where: file, cause, remedy: 'Use the tokenizer.json that belongs to the weights.' });
  };
  let inner: ByteTokenizer;
  try {
    inner = new ByteTokenizer(JSON.parse(text) as object, { tokenizer_class: 'PreTrainedTokenizerFast' });
  } catch (cause) {
    return fail('The tokenizer cannot be read.', cause);
  }
  const name = END_OF_TEXT.find((token) => inner.token_to_id(token) !== undefined);
  const endOfText = name === undefined ? fail(`None of ${END_OF_TEXT.join(', ')} is in the vocabulary.`) : inner.token_to_id(name)!;
  if (endOfText >= vocabSize) fail(`Token ${name} has id ${endOfText}, but the model has ${vocabSize} tokens.`);
  return {
    vocabSize,
    endOfText,
    encode(source) {
      const { ids } = inner.encode(source, { add_special_tokens: false });
      if (ids.some((id: number) => id >= vocabSize)) fail(`The tokenizer gives ids above the model's ${vocabSize} tokens.`);
      return ids;
    },
    decode: (ids) => inner.decode([...ids]),
  };
}
