/** The part of the library that is used: its own types leave out file extensions, so that Node's way of resolving finds next to nothing. */
declare module '@huggingface/tokenizers' {
  class PreTokenizer {
    pre_tokenize(text: string | readonly string[]): string[];
  }
  export class SequencePreTokenizer extends PreTokenizer {
    readonly tokenizers: readonly (PreTokenizer | null)[];
  }
  export class ByteLevelPreTokenizer extends PreTokenizer {
    readonly use_regex: boolean;
    readonly add_prefix_space: boolean;
  }
  export class MetaspacePreTokenizer extends PreTokenizer {
    readonly prepend_scheme: string;
  }
  export class Tokenizer {
    constructor(settings: object, config: object);
    readonly normalizer: ((text: string) => string) | null;
    readonly pre_tokenizer: PreTokenizer | null;
    readonly model: { readonly fuse_unk: boolean; encode(words: readonly string[]): string[] };
    encode(text: string, options?: { add_special_tokens?: boolean }): { readonly ids: number[] };
    decode(ids: readonly number[]): string;
    token_to_id(token: string): number | undefined;
    get_vocab(): Map<string, number>;
    get_added_tokens_decoder(): Map<number, { readonly content: string }>;
  }
}
