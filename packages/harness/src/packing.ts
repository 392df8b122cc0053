import type { Example, Row } from '@lethe/core';
import { LetheError } from '@lethe/core';
import type { Tokenizer } from '@lethe/model';
import type { BatchShape, TokenShape } from './batch.js';

/** A row as token ids. */
export interface EncodedExample {
  /** Without its {@link Tokenizer.frame}. */
  readonly prompt: readonly number[];
  readonly options: readonly (readonly number[])[];
  readonly answer: number;
  /** Whether its prompt lost its middle, and the answer that is trained on its end; absent for no. */
  readonly cutPrompt?: true;
  readonly cutAnswer?: true;
}

export interface TargetOwner {
  readonly at: number;
  readonly row: number;
  readonly option: number;
}

/** The tokens of a batch, as `BatchTensors` of the model has them. */
export interface PackedTokens {
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly segments: Int32Array;
  readonly source?: { readonly ids: Int32Array; readonly segments: Int32Array };
}

export interface PackedBatch extends PackedTokens {
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

/** The fewest tokens at the end of a prompt that are kept: the end of the template asks for the answer. */
const KEPT_END = 8;
/** Lengths of batches are multiples of this: few programs against little padding. */
const STEP = 8;
/** The same for the targets of a row: tasks with options of about the same length share their programs. */
const TARGET_STEP = 4;
const roundUp = (n: number, step: number) => Math.ceil(n / step) * step;
const begins = (whole: readonly number[], part: readonly number[]) => part.every((token, i) => token === whole[i]);

/** What makes the options of a row impossible to score, if anything. */
function optionFault(options: readonly (readonly number[])[]): string | undefined {
  const empty = options.findIndex((option) => option.length === 0);
  if (empty >= 0) return `option ${empty + 1} has no tokens`;
  const equal = options.findIndex((option, o) => options.some((other, i) => i < o && other.length === option.length && begins(other, option)));
  return equal >= 0 ? `option ${equal + 1} has the tokens of an earlier option` : undefined;
}

/** The most tokens that may follow a prompt: its longest option, or an answer that is to be written, of up to `answer` tokens. */
const longestOf = (options: readonly (readonly number[])[], answer?: number) => answer ?? largest(options, (option) => option.length);

/** How many tokens stand around every prompt. */
export const frameLength = ({ frame }: Tokenizer): number => (frame ? frame.before.length + frame.after.length : 0);

/** How many tokens a prompt may have beside its frame, what follows it and the end of text. */
export function roomFor(tokenizer: Tokenizer, options: readonly (readonly number[])[], maxTokens: number, answer?: number): number {
  return maxTokens - longestOf(options, answer) - 1 - frameLength(tokenizer);
}

/** How many tokens the prompt and the answer of a row that is trained on may have together, beside its frame and the end of text. */
export const trainingRoom = (tokenizer: Tokenizer, maxTokens: number): number => roomFor(tokenizer, [], maxTokens, 0);

/**
 * Tokens of a row. A prompt too long for `maxTokens` beside its longest option is cut in its middle: of what there is room
 * for, the last quarter is kept from its end (the question after a passage, the end of the template) and the rest from its start.
 *
 * @param answer the most tokens of an answer that is to be written: of the right ones that to train on is kept, as far as it may go, which
 * is where writing would end as well
 * @throws LETHE_DATA_ROW for a row that cannot be scored: no tokens in its prompt or an option, two equal options, or options
 * that leave the prompt no room
 */
export function encodeRow(tokenizer: Tokenizer, example: Example, maxTokens: number, answer?: number): EncodedExample {
  const refuse = (fault: string, remedy: string) =>
    new LetheError('LETHE_DATA_ROW', `Row "${example.id}" cannot be used: ${fault}.`, { where: example.id, remedy });
  const uncut = (answer === undefined ? example.options : [example.options[example.answer]!]).map((option) => tokenizer.encode(option, 'answer'));
  const options = uncut.map((option) => option.slice(0, answer));
  const fault = optionFault(options);
  if (fault !== undefined) throw refuse(fault, 'Give every row options that differ, none of them empty.');
  const room = roomFor(tokenizer, options, maxTokens, answer);
  if (room <= KEPT_END) {
    throw refuse(`an answer of ${longestOf(options, answer)} tokens leaves ${Math.max(0, room)} of ${maxTokens} for the prompt`,
      `Raise training.maxTokens to ${maxTokens - room + 1 + KEPT_END} or more.`);
  }
  const whole = tokenizer.encode(example.prompt);
  if (whole.length === 0) throw refuse('its prompt has no tokens', 'Give the task a prompt template, or the row an input.');
  const kept = Math.max(KEPT_END, Math.floor(room / 4));
  const prompt = whole.length <= room ? whole : [...whole.slice(0, room - kept), ...whole.slice(-kept)];
  return {
    prompt, options, answer: answer === undefined ? example.answer : 0,
    ...(prompt !== whole && { cutPrompt: true }), ...(answer !== undefined && uncut[0]!.length > answer && { cutAnswer: true }),
  };
}

/** What stands before the answer to a prompt, and what an encoder reads, where there is one. */
export interface Lead {
  readonly lead: readonly number[];
  readonly source?: readonly number[];
}

/**
 * The place of a prompt. All that sets an encoder-decoder apart is here: its encoder reads the prompt, and its decoder answers behind
 * one token as others answer behind the prompt.
 */
export function leadOf({ frame, decoderStart }: Tokenizer, prompt: readonly number[]): Lead {
  const framed = frame ? [...frame.before, ...prompt, ...frame.after] : prompt;
  return decoderStart === undefined ? { lead: framed } : { lead: [decoderStart], source: framed };
}

/**
 * The tokens that make up the score of an option: its own, and the end of text where another option begins with them. The
 * options are then events of which only one can come true; without it the shorter of the two would always win.
 */
function scored({ options }: EncodedExample, option: number, endOfText: number): readonly number[] {
  const own = options[option]!;
  const open = options.some((other) => other.length > own.length && begins(other, own));
  return open ? [...own, endOfText] : own;
}

/** What training reads of a row. */
export const trainingRow = ({ prompt, options, answer }: EncodedExample): Row => ({ prompt, answer: options[answer]! });

/** How many tokens a row has in each of the two places of a batch, its answers among them. */
interface Sizes {
  readonly tokens: number;
  readonly source: number;
}

function sizesOf(tokenizer: Tokenizer, prompt: readonly number[], answers: readonly (readonly number[])[]): Sizes {
  const { lead, source = [] } = leadOf(tokenizer, prompt);
  return { tokens: answers.reduce((sum, answer) => sum + answer.length, lead.length), source: source.length };
}

const trainingTargets = ({ answer }: Row) => answer.length + 1;
const scoringTargets = (row: EncodedExample) => row.options.reduce((sum, _, o) => sum + scored(row, o, 0).length, 0);

/** Tokens that are read of a row with all its options. */
export function scoringTokens(tokenizer: Tokenizer, { prompt, options }: EncodedExample): number {
  const { tokens, source } = sizesOf(tokenizer, prompt, options);
  return tokens + source;
}

const largest = <T>(rows: readonly T[], size: (row: T) => number) => rows.reduce((max, row) => Math.max(max, size(row)), 1);

/** Room for the longest rows in steps of 8. */
function gridOf(tokenizer: Tokenizer, sizes: readonly Sizes[]): Pick<BatchShape, 'tokens' | 'source'> {
  const columns = (size: (of: Sizes) => number) => roundUp(largest(sizes, size), STEP);
  return { tokens: columns(({ tokens }) => tokens), ...(tokenizer.decoderStart === undefined ? {} : { source: columns(({ source }) => source) }) };
}

/**
 * Tokens fit the batch in steps of 8; targets fit all of `rows`, so that shapes differ in few dimensions. Where the batch has longer answers than
 * these, as rows that a method makes may, targets are as many as tokens.
 */
export function trainingShape(tokenizer: Tokenizer, batch: readonly Row[], rows: readonly Row[], size: number): BatchShape {
  const grid = gridOf(tokenizer, batch.map(({ prompt, answer }) => sizesOf(tokenizer, prompt, [answer])));
  const most = largest(rows, trainingTargets);
  return { batch: size, ...grid, targets: size * (largest(batch, trainingTargets) > most ? grid.tokens : most) };
}

/**
 * Shapes for rows with all their options: tokens fit each batch in steps of 8, targets fit every batch of `rows` in steps of 4 a row.
 * Where rows bring options of very different length, that may be more than a batch of short ones has tokens: its targets then fit itself.
 */
export function scoringShapes(tokenizer: Tokenizer, rows: readonly EncodedExample[], size: number): (batch: readonly EncodedExample[]) => BatchShape {
  const most = roundUp(largest(rows, scoringTargets), TARGET_STEP);
  return (batch) => {
    const grid = gridOf(tokenizer, batch.map(({ prompt, options }) => sizesOf(tokenizer, prompt, options)));
    const targets = most <= grid.tokens ? most : Math.min(grid.tokens, roundUp(largest(batch, scoringTargets), TARGET_STEP));
    return { batch: size, ...grid, targets: size * targets };
  };
}

class Packer {
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly segments: Int32Array;
  readonly source?: { readonly ids: Int32Array; readonly segments: Int32Array };
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
    if (shape.source !== undefined) {
      const read = shape.batch * shape.source;
      this.source = { ids: new Int32Array(read), segments: new Int32Array(read) };
    }
    this.index = Int32Array.from({ length: shape.targets }, (_, n) => Math.floor(n / (shape.targets / shape.batch)) * shape.tokens);
    this.token = new Int32Array(shape.targets);
    this.weight = new Float32Array(shape.targets);
    this.counts = new Array<number>(shape.batch).fill(0);
  }

  /** Puts a prompt where it belongs, and gives back the column behind what stands before the answers. */
  prompt(row: number, { lead, source }: Lead): number {
    if (source) {
      const start = row * this.shape.source!;
      this.source!.ids.set(source, start);
      this.source!.segments.fill(1, start, start + source.length);
    }
    return this.place(row, 0, lead, 1, 0);
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

/** Prompts for an encoder-decoder or others to answer, without any answers: what is read before text is generated. */
export function packLeads(rows: readonly Lead[], shape: TokenShape): PackedTokens {
  const packer = new Packer({ ...shape, targets: shape.batch });
  rows.forEach((lead, row) => packer.prompt(row, lead));
  return packer;
}

/** Prompts followed by their right answers. The loss is the mean over rows of the mean over answer tokens and end of text. */
export function packTraining(tokenizer: Tokenizer, rows: readonly Row[], shape: BatchShape): PackedBatch {
  const packer = new Packer(shape);
  rows.forEach(({ prompt, answer }, row) => {
    const start = packer.prompt(row, leadOf(tokenizer, prompt));
    packer.place(row, start, answer, 2, start);
    const targets = [...answer, tokenizer.endOfText];
    const weight = 1 / (rows.length * targets.length);
    targets.forEach((token, i) => packer.target(row, start - 1 + i, token, 0, weight));
  });
  return packer;
}

/** Prompts followed by all their options, each a segment of its own whose positions go on from the end of the prompt. */
export function packScoring(tokenizer: Tokenizer, rows: readonly EncodedExample[], shape: BatchShape): PackedBatch {
  const packer = new Packer(shape);
  rows.forEach((example, row) => {
    const end = packer.prompt(row, leadOf(tokenizer, example.prompt));
    let start = end;
    example.options.forEach((option, o) => {
      scored(example, o, tokenizer.endOfText).forEach((token, i) => packer.target(row, i === 0 ? end - 1 : start + i - 1, token, o, 0));
      start = packer.place(row, start, option, o + 2, end);
    });
  });
  return packer;
}
