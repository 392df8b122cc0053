/** The part of the library that is used: its own types leave out file extensions, so that Node's way of resolving finds next to nothing. */
declare module '@huggingface/tokenizers' {
  export class Normalizer {
    normalize(text: string): string;
  }
  export class SequenceNormalizer extends Normalizer {
    readonly normalizers: readonly (Normalizer | null)[];
  }
  export class PrecompiledNormalizer extends Normalizer {
    /** In base 64. */
    readonly charsmap: string | null;
  }
  export class StripNormalizer extends Normalizer {
    readonly config: { readonly strip_left?: boolean; readonly strip_right?: boolean };
  }
  export class LowercaseNormalizer extends Normalizer {}
  export class PreTokenizer {
    pre_tokenize(text: string | readonly string[]): string[];
    pre_tokenize_text(text: string): string[];
  }
  export class SequencePreTokenizer extends PreTokenizer {
    readonly tokenizers: readonly (PreTokenizer | null)[];
  }
  export class ByteLevelPreTokenizer extends PreTokenizer {
    readonly use_regex: boolean;
    readonly add_prefix_space: boolean;
    pattern: RegExp;
  }
  export class MetaspacePreTokenizer extends PreTokenizer {
    readonly prepend_scheme: string;
  }
  export class SplitPreTokenizer extends PreTokenizer {
    /** Null where the settings have none. */
    readonly pattern: RegExp | null;
    readonly config: { readonly behavior?: string; readonly invert?: boolean };
  }
  export class Decoder {
    decode_chain(tokens: readonly string[]): string[];
  }
  export class SequenceDecoder extends Decoder {
    readonly decoders: readonly Decoder[];
  }
  export class ByteFallbackDecoder extends Decoder {}
  export class MetaspaceDecoder extends Decoder {
    readonly replacement: string;
    readonly config: { readonly prepend_scheme?: string };
  }
  export interface AddedToken {
    readonly content: string;
    readonly normalized: boolean;
    readonly single_word: boolean;
    lstrip: boolean;
    rstrip: boolean;
  }
  interface Splitter {
    split(text: string): string[];
  }
  export class Tokenizer {
    constructor(settings: object, config: object);
    readonly normalizer: (Normalizer & ((text: string) => string)) | null;
    readonly pre_tokenizer: PreTokenizer | null;
    readonly decoder: Decoder | null;
    readonly model: { readonly fuse_unk: boolean; encode(words: readonly string[]): string[] };
    readonly added_tokens: readonly AddedToken[];
    readonly added_tokens_map: ReadonlyMap<string, AddedToken>;
    readonly splitter_unnormalized: Splitter;
    readonly splitter_normalized: Splitter;
    encode(text: string, options?: { add_special_tokens?: boolean }): { readonly ids: number[] };
    decode(ids: readonly number[]): string;
    id_to_token(id: number): string | undefined;
    token_to_id(token: string): number | undefined;
    get_vocab(): Map<string, number>;
    get_added_tokens_decoder(): Map<number, AddedToken>;
  }
}
