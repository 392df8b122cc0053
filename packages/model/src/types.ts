import type { Adapter, Site, Tensors } from '@lethe/core';
import type { Constant } from '@lethe/engine';
import type { Memory } from './memory.js';
import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs';

/** What every model has, as its `config.json` says it. */
export interface Dimensions {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  /** Of an encoder-decoder those of the decoder. */
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  /** Infinity where nothing but memory bounds the length of a text. */
  readonly maxPositions: number;
  readonly normEpsilon: number;
  /** The token that the decoder of an encoder-decoder begins with; absent for a model that reads prompt and answer as one text. */
  readonly decoderStart?: number;
  /** Whether the head is the embedding. */
  readonly tiedHead: boolean;
  /** Whether files without a head mean the embedding, though `tiedHead` is false: as T5 has it, states are not scaled for it. Absent for no. */
  readonly spareHead?: boolean;
  /** How many positions back a token of each layer reads, its own among them, null for all; absent where all layers read all. */
  readonly windows?: readonly (number | null)[];
}

/** A configuration of one of the architectures, which adds what it alone has. */
export interface ModelConfig extends Dimensions {
  /** One of the `types` of its architecture: tells which that is. */
  readonly architecture: string;
}

export interface Tokenizer {
  readonly vocabSize: number;
  /** The token that ends a text: what training teaches after an answer. */
  readonly endOfText: number;
  /** Tokens that end a text that the model writes; absent for {@link endOfText} alone. */
  readonly stops?: readonly number[];
  /** Tokens around every prompt, those that begin a text among them; absent for none. */
  readonly frame?: { readonly before: readonly number[]; readonly after: readonly number[] };
  /** The token that an answer begins behind where an encoder reads the prompt; absent for a model that reads both as one text. */
  readonly decoderStart?: number;
  /**
   * Without the frame.
   * @param place whether the text is a prompt (where it is left out) or answers one: some tokenizers mark the start of a text as
   * they mark words, which a text that goes on from another must not have
   */
  encode(text: string, place?: 'prompt' | 'answer'): number[];
  decode(ids: readonly number[]): string;
}

/** Prompts that an encoder reads, each row on its own. */
export interface SourceTensors {
  /** (batch, source tokens) int32 token ids, padded behind with 0. */
  readonly ids: Tensor2D;
  /** (batch, source tokens) int32: 1 prompt, 0 padding. */
  readonly segments: Tensor2D;
}

/**
 * A batch of sequences inside a traced function. Each row is a prompt followed by one or more continuations that all
 * read the prompt but not each other, so that every option of a row is scored in one pass. Where an encoder reads the prompt, what
 * stands here in its place is the token that answers begin behind.
 */
export interface BatchTensors {
  /** (batch, tokens) int32 token ids, padded with 0. */
  readonly ids: Tensor2D;
  /** (batch, tokens) int32 positions: a continuation goes on from the end of the prompt. */
  readonly positions: Tensor2D;
  /** (batch, tokens) int32: 0 padding, 1 prompt, 2 and up the continuations. A token attends to earlier tokens of the prompt and of its own segment. */
  readonly segments: Tensor2D;
  /** (batch, virtual, hidden) vectors before the tokens of each row, in the place of embeddings; absent for none. */
  readonly prefix?: Tensor3D;
  /**
   * (batch, n) int32 flat positions (row * tokens + column) of the states that are wanted, each in its own row; all states
   * are, in order, when it is absent.
   */
  readonly wanted?: Tensor2D;
  /** The prompts of an encoder-decoder. */
  readonly source?: SourceTensors;
}

/** Tokens to be predicted. */
export interface Targets {
  /** (N) int32 flat positions among the hidden states; null when these are the N states of the targets, in order. */
  readonly index: Tensor1D | null;
  /** (N) int32 token ids. */
  readonly token: Tensor1D;
}

/** Adds a method's delta to a linear site; null leaves the site as it is. */
export type Adapt = ((site: Site, x: Tensor3D) => Tensor3D | null) | null;

/** The adapter in the weights of a model, and the model that it was merged into. */
export interface MergedAdapter {
  /** The name of its folder. */
  readonly id: string;
  /** sha256 over its configuration and tensors. */
  readonly sha256: string;
  readonly base: { readonly id: string; readonly sha256: string };
  readonly update: Adapter;
}

/** A language model with frozen weights. */
export interface LanguageModel {
  readonly id: string;
  /** sha256 over configuration, tokenizer and weights files, and of an adapter where one is merged. */
  readonly sha256: string;
  readonly merged?: MergedAdapter;
  /** Whether prompts are put into its chat template; absent for no. */
  readonly chat?: true;
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  readonly parameters: number;
  /** Every linear layer, in the order of computation. */
  readonly sites: readonly Site[];
  /** Weights by name in compute layout (linear weights as (in, out)), to be given to a program as its constants. */
  readonly weights: Readonly<Record<string, Constant>>;
  /** Traced. The frozen embeddings of tokens, (batch, tokens, hidden). */
  embed(ids: Tensor2D, weights: Tensors): Tensor3D;
  /** Traced. Hidden states after the final norm, (batch, prefix and tokens, hidden), or (batch, n, hidden) of the wanted ones. */
  hidden(batch: BatchTensors, weights: Tensors, adapt: Adapt, memory?: Memory): Tensor3D;
  /** Traced. log p(token[n] | everything up to and including flat position index[n]) for n in [0, N): (N). Differentiable in `hidden`. */
  logProbabilities(hidden: Tensor3D, targets: Targets, weights: Tensors): Tensor1D;
  /** Traced. The scores of all tokens after each of the N states, (N, vocabulary). */
  logits(hidden: Tensor3D, weights: Tensors): Tensor2D;
  /** Traced. {@link Scope.features}: (batch, 2 * hidden), mean and standard deviation of the prompt's token embeddings. */
  features(batch: BatchTensors, weights: Tensors): Tensor2D;
  readonly featureSize: number;
}

