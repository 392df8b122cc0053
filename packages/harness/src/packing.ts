import type { Example } from '@lethe/core';
import type { Tokenizer } from '@lethe/model';
import type { BatchShape } from './batch.js';

/** A row as token ids. */
export interface EncodedExample {
  readonly prompt: readonly number[];
  readonly options: readonly (readonly number[])[];
  readonly answer: number;
}

export interface TargetOwner {
  readonly at: number;
  readonly row: number;
  readonly option: number;
}

export interface PackedBatch {
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly segments: Int32Array;
  /**
   * Flat position whose hidden state predicts `token`. Every row has `targets / batch` places in a line: its own targets,
   * then padding that points to its first column.
   */
  readonly index: Int32Array;
  readonly token: Int32Array;
  /** Weight of a target in the training loss; 0 for padding. */
  readonly weight: Float32Array;
  /** Place, row in the batch and option of every target that is not padding. */
  readonly owners: readonly TargetOwner[];
}

/** Tokens at the end of a prompt that are never cut: the end of the template asks for the answer. */
const KEPT_END = 8;
const roundUp = (n: number, step: number) => Math.ceil(n / step) * step;

/** Tokens of a row; a prompt too long for `maxTokens` beside its longest option is cut before its last {@link KEPT_END} tokens. */
export function encodeRow(tokenizer: Tokenizer, example: Example, maxTokens: number): EncodedExample {
  const options = example.options.map((option) => tokenizer.encode(option));
  const room = Math.max(KEPT_END + 1, maxTokens - Math.max(...options.map((option) => option.length)) - 1);
  const whole = tokenizer.encode(example.prompt);
  const prompt = whole.length <= room ? whole : [...whole.slice(0, room - KEPT_END), ...whole.slice(-KEPT_END)];
  return { prompt, options, answer: example.answer };
}

const trainingTokens = (row: EncodedExample) => row.prompt.length + row.options[row.answer]!.length;
const trainingTargets = (row: EncodedExample) => row.options[row.answer]!.length + 1;
const scoringTokens = (row: EncodedExample) => row.prompt.length + row.options.reduce((sum, option) => sum + option.length, 0);
const scoringTargets = (row: EncodedExample) => row.options.reduce((sum, option) => sum + option.length, 0);

const largest = (rows: readonly EncodedExample[], size: (row: EncodedExample) => number) =>
  rows.reduce((max, row) => Math.max(max, size(row)), 1);

/** Tokens fit the batch in steps of 16; targets fit all of `rows`, so that shapes differ in one dimension only. */
export function trainingShape(batch: readonly EncodedExample[], rows: readonly EncodedExample[], size: number): BatchShape {
  return { batch: size, tokens: roundUp(largest(batch, trainingTokens), 16), targets: size * largest(rows, trainingTargets) };
}

/** {@link trainingShape} for rows with all their options. */
export function scoringShape(batch: readonly EncodedExample[], rows: readonly EncodedExample[], size: number): BatchShape {
  return { batch: size, tokens: roundUp(largest(batch, scoringTokens), 16), targets: size * largest(rows, scoringTargets) };
}

class Packer {
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly segments: Int32Array;
  readonly index: Int32Array;
  readonly token: Int32Array;
  readonly weight: Float32Array;
  readonly owners: TargetOwner[] = [];
  private readonly counts: number[];

  constructor(private readonly shape: BatchShape) {
    const cells = shape.batch * shape.tokens;
    this.ids = new Int32Array(cells);
    this.positions = new Int32Array(cells);
    this.segments = new Int32Array(cells);
    this.index = Int32Array.from({ length: shape.targets }, (_, n) => Math.floor(n / (shape.targets / shape.batch)) * shape.tokens);
    this.token = new Int32Array(shape.targets);
    this.weight = new Float32Array(shape.targets);
    this.counts = new Array<number>(shape.batch).fill(0);
  }

  /** Writes tokens of one segment into a row, from column `at`, and gives back the column after them. */
  place(row: number, at: number, tokens: readonly number[], segment: number, position: number): number {
    tokens.forEach((id, i) => {
      const cell = row * this.shape.tokens + at + i;
      this.ids[cell] = id;
      this.positions[cell] = position + i;
      this.segments[cell] = segment;
    });
    return at + tokens.length;
  }

  /** Adds a target: the hidden state at a column of a row is to predict `token`. */
  target(row: number, column: number, token: number, option: number, weight: number): void {
    const at = row * (this.shape.targets / this.shape.batch) + this.counts[row]!++;
    this.index[at] = row * this.shape.tokens + column;
    this.token[at] = token;
    this.weight[at] = weight;
    this.owners.push({ at, row, option });
  }
}

/** Prompts followed by their right answers. The loss is the mean over rows of the mean over answer tokens and end of text. */
export function packTraining(rows: readonly EncodedExample[], shape: BatchShape, endOfText: number): PackedBatch {
  const packer = new Packer(shape);
  rows.forEach(({ prompt, options, answer }, row) => {
    const option = options[answer]!;
    const start = packer.place(row, 0, prompt, 1, 0);
    packer.place(row, start, option, 2, prompt.length);
    const targets = [...option, endOfText];
    const weight = 1 / (rows.length * targets.length);
    targets.forEach((token, i) => packer.target(row, start - 1 + i, token, answer, weight));
  });
  return packer;
}

/** Prompts followed by all their options, each a segment of its own whose positions go on from the end of the prompt. */
export function packScoring(rows: readonly EncodedExample[], shape: BatchShape): PackedBatch {
  const packer = new Packer(shape);
  rows.forEach(({ prompt, options }, row) => {
    const end = packer.place(row, 0, prompt, 1, 0);
    let start = end;
    options.forEach((option, o) => {
      option.forEach((token, i) => packer.target(row, i === 0 ? end - 1 : start + i - 1, token, o, 0));
      start = packer.place(row, start, option, o + 2, prompt.length);
    });
  });
  return packer;
}
