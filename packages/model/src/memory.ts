import type { Tensor4D } from '@tensorflow/tfjs';

/** What attention of one layer reads of tokens: both (batch, keyValueHeads, tokens, headSize), keys with their positions. */
export interface KeysValues {
  readonly keys: Tensor4D;
  readonly values: Tensor4D;
}

/** Lets a forward pass go on from tokens that were read before, and remember its own: generation reads every token once. */
export interface Memory {
  /**
   * Of every layer, the tokens before the batch's own; absent for none. Place p of their third axis holds position p; places
   * from the position of the row's first token on are not read, whatever they hold.
   */
  readonly past?: readonly KeysValues[];
  /** What every layer of a decoder reads of the prompt that an encoder has read; absent where it is yet to be read. */
  readonly source?: readonly KeysValues[];
  /** Told what each layer computes of the batch's tokens. */
  keep(layer: number, own: KeysValues): void;
  /** Told what each layer of a decoder reads of a prompt that was read now. */
  keepSource(layer: number, own: KeysValues): void;
}
