import { type Arrays, LetheError, type Random, type WrittenAnswers, randomOfTexts } from '@lethe/core';
import type { Device, Program, Values } from '@lethe/engine';
import { type TokenShape, floats, tokenFeeds } from '../batch.js';
import { type Forward, rowsAtOnce } from '../loss.js';
import { type Lead, frameLength, leadOf, packLeads } from '../packing.js';
import { PARAMS, arrayFeeds, paramsOf } from '../scope.js';
import { KeyValueCache } from './cache.js';
import { type GenerationOptions, type ResolvedOptions, WRITING_BATCH, resolveOptions } from './options.js';
import { compilePrompt, compileStep } from './programs.js';
import { chooseToken } from './sampling.js';

/** What was generated after a prompt. */
export interface Generated {
  /** What was generated, cut before a stop string. */
  readonly text: string;
  /** All tokens generated, without the end of text; those of a stop string are among them. */
  readonly tokens: readonly number[];
  /** Why it ends there. */
  readonly end: 'end-of-text' | 'stop' | 'length';
}

/** The fewest tokens of a prompt program, and the fewest places of a step program. */
const [FEWEST_TOKENS, FEWEST_PLACES] = [16, 64];
/** The power of two at or above n: sequences of all lengths share few programs. */
const bucket = (n: number, fewest: number) => Math.max(fewest, 2 ** Math.ceil(Math.log2(n)));

/** A prompt with its frame. */
const readOf = ({ lead, source = lead }: Lead): readonly number[] => source;

/** A prompt on its way. */
class Row {
  readonly tokens: number[] = [];
  text = '';
  end: Generated['end'] | undefined;

  /**
   * @param lead where the prompt stands, with its frame
   * @param random by the prompt alone, so that neither its place nor its neighbours change what is drawn
   */
  constructor(
    readonly prompt: readonly number[], readonly at: number, readonly lead: Lead, private readonly random: Random, private readonly options: ResolvedOptions,
    private readonly forward: Forward,
  ) {}

  /** The prompt with its frame. */
  get read(): readonly number[] {
    return readOf(this.lead);
  }

  /** Position of the token that was chosen last. */
  get position(): number {
    return this.lead.lead.length + this.tokens.length - 1;
  }

  /** Chooses the next token by the scores of all, and sees whether it is the last. */
  advance(logits: Float32Array): void {
    const { tokenizer } = this.forward.model;
    const { stop, maxTokens } = this.options;
    const token = chooseToken(logits, this.options, this.random);
    if ((tokenizer.stops ?? [tokenizer.endOfText]).includes(token)) {
      this.end = 'end-of-text';
      return;
    }
    this.tokens.push(token);
    // after the last token of a prompt that it goes on from, because some tokenizers drop a space at the start of a text
    const before = this.lead.source ? [] : this.lead.lead.slice(-1);
    this.text = tokenizer.decode([...before, ...this.tokens]).slice(tokenizer.decode(before).length);
    const found = stop.map((text) => this.text.indexOf(text)).filter((at) => at >= 0);
    if (found.length > 0) {
      this.text = this.text.slice(0, Math.min(...found));
      this.end = 'stop';
    } else if (this.tokens.length === maxTokens) {
      this.end = 'length';
    }
  }
}

/**
 * Generates text with a learner as it is now, or with the base model. Prompts are read by one program and every further token by
 * another, which goes on from the keys and values that were kept; both are compiled for few lengths. What a row is computed with
 * depends on its own length and the options alone, so that its tokens depend on no other row.
 */
export class Generator {
  private readonly params: Arrays;
  private readonly feeds: Record<string, Values>;
  private readonly programs = new Map<string, Program>();
  /** {@link Scope.task} of the rows at work, for a learner that is told. */
  private task = 0;
  /** What the learner puts before a text takes so many positions. */
  private readonly virtual: number;
  /** Whether the learner adds anything to the model; null until a program has been compiled. */
  private adapted: boolean | null = null;

  /** @param stop asked before every program that is run */
  constructor(private readonly device: Device, private readonly forward: Forward, private readonly stop: () => boolean = () => false) {
    const { virtualTokens = 0 } = forward.learner;
    this.virtual = virtualTokens;
    this.params = paramsOf(forward.learner);
    this.feeds = arrayFeeds(this.params, PARAMS);
  }

  /**
   * @param prompts their tokens without the tokenizer's frame, at least one each
   * @param task {@link Scope.task} of the rows, for a learner that is told
   * @param onRows told how many rows were finished since it was told last
   * @throws LETHE_GENERATION_OPTIONS; LETHE_DATA_ROW for a prompt without tokens, LETHE_MODEL_LENGTH for one that leaves the answer no room,
   * LETHE_ENGINE_NUMBERS for scores that are not numbers, LETHE_RUN_STOPPED when asked to stop
   */
  async run(
    prompts: readonly (readonly number[])[], given: GenerationOptions, task = 0, onRows: (done: number) => void = () => undefined,
  ): Promise<readonly Generated[]> {
    this.task = task;
    const options = resolveOptions(given);
    const leads = prompts.map((prompt) => leadOf(this.forward.model.tokenizer, prompt));
    const randoms = randomOfTexts(options.seed, leads.map(readOf));
    const rows = prompts.map((prompt, at) => new Row(prompt, at, leads[at]!, randoms[at]!, options, this.forward));
    for (const row of rows) this.check(row, options);
    const byLength = new Map<number, Row[]>();
    for (const row of rows) {
      const tokens = bucket(row.read.length, FEWEST_TOKENS);
      byLength.set(tokens, [...(byLength.get(tokens) ?? []), row]);
    }
    const { batch } = options;
    for (const [tokens, group] of [...byLength].sort(([a], [b]) => a - b)) {
      for (let from = 0; from < group.length; from += batch) {
        const part = group.slice(from, from + batch);
        await this.finish(part, batch, tokens);
        onRows(part.length);
      }
    }
    return rows.map(({ text, tokens, end }) => ({ text, tokens, end: end! }));
  }

  /**
   * What is written after prompts by the most likely tokens.
   *
   * @param base what the base model wrote, where that is known: it is the answer of a learner that adds nothing
   * @param task {@link Scope.task} of the rows, for a learner that is told
   * @throws the errors of {@link run}
   */
  async write(
    prompts: readonly (readonly number[])[], { maxTokens, stop }: WrittenAnswers, onRows: (done: number) => void, base?: readonly string[], task = 0,
  ): Promise<readonly string[]> {
    const batch = rowsAtOnce(this.forward, WRITING_BATCH);
    if (base && prompts[0]) {
      const { length } = readOf(leadOf(this.forward.model.tokenizer, prompts[0]));
      await this.prompt(this.shape(batch, bucket(length, FEWEST_TOKENS)));
      if (this.adapted === false) return base;
    }
    return (await this.run(prompts, { maxTokens, stop, batch }, task, onRows)).map(({ text }) => text);
  }

  async dispose(): Promise<void> {
    for (const program of this.programs.values()) await program.dispose();
    this.programs.clear();
  }

  private check({ prompt, read, at }: Row, { maxTokens }: ResolvedOptions): void {
    if (prompt.length === 0) {
      throw new LetheError('LETHE_DATA_ROW', `Prompt ${at + 1} has no tokens.`, { remedy: 'Give text to go on from.' });
    }
    const { maxPositions } = this.forward.model.config;
    const length = this.virtual + read.length;
    if (length + maxTokens <= maxPositions) return;
    throw new LetheError('LETHE_MODEL_LENGTH',
      `Prompt ${at + 1} has ${length} tokens${this.virtual > 0 ? `, ${this.virtual} of them virtual,` : ''} and is to be followed by up to ${maxTokens}, but model "${this.forward.model.id}" reads at most ${maxPositions}.`, {
        remedy: `Shorten the prompt, or set maxTokens to ${Math.max(1, maxPositions - length)} or less.`,
      });
  }

  /** Generates all of a batch of rows, whose prompts are read in `columns` columns. */
  private async finish(rows: readonly Row[], batch: number, columns: number): Promise<void> {
    const shape = this.shape(batch, columns);
    const { tokens } = shape;
    const asked = tokenFeeds(packLeads(rows.map(({ lead }) => lead), shape));
    const source = shape.source === undefined ? {} : { sourceIds: asked['sourceIds']!, sourceSegments: asked['sourceSegments']! };
    // virtual tokens stand before the prompt, which is where an encoder reads it
    const virtual = shape.source === undefined ? this.virtual : 0;
    const last = Int32Array.from({ length: batch }, (_, r) => r * tokens + (rows[r]?.lead.lead.length ?? 1) - 1);
    const cache = new KeyValueCache(this.forward.model, batch);
    // places that padding leaves in the cache are written over before they are read
    const { logits: first, ...left } = cache.fill(await this.call(await this.prompt(shape), { ...asked, last }), virtual + tokens);
    let logits = floats(first);
    const ids = new Int32Array(batch);
    const positions = new Int32Array(batch);
    for (let done = 1; ; done++) {
      const size = logits.length / batch;
      rows.forEach((row, r) => {
        if (row.end === undefined) row.advance(logits.subarray(r * size, (r + 1) * size));
        // a finished row waits at its last place, and nothing reads what it gives
        ids[r] = row.tokens.at(-1) ?? 0;
        positions[r] = virtual + Math.max(0, row.position);
      });
      if (rows.every(({ end }) => end !== undefined)) return;
      const places = bucket(virtual + tokens + done, FEWEST_PLACES);
      const step = { ...shape, places, gated: 'features' in left };
      const program = await this.program(`step ${batch} ${places} ${shape.source ?? ''}`, () => compileStep(this.generation, step));
      const out = await this.call(program, { ids, positions, ...cache.feeds(places), ...source, ...left });
      cache.add(out, positions);
      logits = floats(out['logits']);
    }
  }

  /** The shape of a batch of prompts with up to so many tokens. */
  private shape(batch: number, columns: number): TokenShape {
    return this.forward.model.tokenizer.decoderStart === undefined ? { batch, tokens: columns } : { batch, tokens: 1, source: columns };
  }

  private prompt(shape: TokenShape): Promise<Program> {
    return this.program(`prompt ${shape.batch} ${shape.tokens} ${shape.source ?? ''}`, () => compilePrompt(this.generation, shape));
  }

  private get generation() {
    return { device: this.device, forward: this.forward, params: this.params, onTrace: (adapted: boolean) => { this.adapted = adapted; } };
  }

  private async program(key: string, compile: () => Promise<Program>): Promise<Program> {
    const program = this.programs.get(key) ?? await compile();
    this.programs.set(key, program);
    return program;
  }

  private call(program: Program, feeds: Readonly<Record<string, Values>>): Promise<Record<string, Values>> {
    if (this.stop()) throw new LetheError('LETHE_RUN_STOPPED', 'Stopped while generating.');
    const told = program.inputs['task'];
    return program.run({ ...feeds, ...(told ? { task: new Int32Array(told.shape[0]!).fill(this.task) } : {}), ...this.feeds });
  }
}

/**
 * Generates text after prompts: `await generate(device, forwardOf(model), ['Once'], { maxTokens: 20 })`. The forward pass comes from
 * `forwardOf` (the base model, or one with an adapter) or from `restoreForward` (the learner of a run).
 *
 * @throws the errors of {@link Generator}; LETHE_MODEL_TOKENIZER for text without tokens
 */
export async function generate(device: Device, forward: Forward, prompts: readonly string[], options: GenerationOptions): Promise<readonly Generated[]> {
  const generator = new Generator(device, forward);
  try {
    const { model: { tokenizer, config }, learner } = forward;
    const room = config.maxPositions - options.maxTokens - frameLength(tokenizer);
    const tokens = prompts.map((prompt) => tokenizer.encode(prompt));
    return await generator.run(learner.prompt ? tokens.map((prompt) => learner.prompt!(prompt, room, 0)) : tokens, options);
  } finally {
    await generator.dispose();
  }
}
