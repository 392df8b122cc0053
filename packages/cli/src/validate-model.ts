import { existsSync } from 'node:fs';
import { LetheError, createRandom } from '@lethe/core';
import { type Device, openDevice } from '@lethe/engine';
import { type EncodedExample, type Forward, Generator, Scorer, forwardOf } from '@lethe/harness';
import { type LanguageModel, type LlamaConfig, type ModelConfig, loadModel } from '@lethe/model';
import { here } from './paths.js';
import { openNamed } from './run/model.js';

/** Scores, option by option, row by row. */
type Scores = readonly (readonly number[])[];

/** Scores of one row may differ so much, relative to 1 and their size: batches of other shapes add up in another order. */
const TOLERANCE = 1e-4;
const close = (a: number, b: number) => Math.abs(a - b) <= TOLERANCE * (1 + Math.abs(a));

/** Tokens of the prompts that are tried, of an answer that is read, and of one that is written. */
const [PROMPTS, READ, WRITTEN] = [[5, 19, 11], 3, 4];
/** Tokens that one which was written is compared with. */
const OTHERS = 16;

/** A model on a device, asked as runs ask it. */
class Trial {
  private readonly random = createRandom(1, 'validate');
  private readonly rows: readonly EncodedExample[];
  /** Linear layers that asked for what a method adds. */
  private readonly reached = new Set<string>();

  constructor(private readonly device: Device, private readonly model: LanguageModel, private readonly module: string) {
    const longest = model.config.maxPositions - Math.max(READ, WRITTEN);
    // options begin with tokens of their own, so that none is the beginning of another
    this.rows = PROMPTS.map((length) => ({
      prompt: this.tokens(Math.min(length, longest)), options: [[1, ...this.tokens(READ - 1)], [2]], answer: 0,
    }));
  }

  private tokens(count: number): number[] {
    return Array.from({ length: count }, () => this.random.below(this.model.config.vocabSize));
  }

  private broken(message: string, remedy: string, cause?: unknown): LetheError {
    return new LetheError('LETHE_MODEL_CODE', message, { where: this.module, remedy, cause });
  }

  /** What a scorer or a generator computes, which is let go of afterwards. */
  private async computed<User extends { dispose(): Promise<void> }, T>(user: User, compute: (user: User) => Promise<T>): Promise<T> {
    try {
      return await compute(user);
    } catch (cause) {
      if (cause instanceof LetheError && cause.code !== 'LETHE_ENGINE_NUMBERS') throw cause;
      throw this.broken(`A forward pass fails: ${cause instanceof Error ? cause.message : String(cause)}`,
        'Mend "hidden"; those of Lethe are in packages/model/src/architectures.', cause);
    } finally {
      await user.dispose();
    }
  }

  private scores(rows: readonly EncodedExample[], model = this.model): Promise<Scores> {
    const plain = forwardOf(model);
    const forward: Forward = { ...plain, learner: { ...plain.learner, adapt: ({ name }) => {
      this.reached.add(name);
      return null;
    } } };
    return this.computed(new Scorer(this.device, forward), (scorer) => scorer.score(rows));
  }

  /** Throws for the first score that is another one when it is computed in another way. */
  private compare(scores: Scores, others: Scores, what: string, remedy: string): void {
    for (const [i, row] of scores.entries()) {
      const at = row.findIndex((score, option) => !close(score, others[i]![option]!));
      if (at >= 0) throw this.broken(`${what}: ${row[at]!.toFixed(5)} becomes ${others[i]![at]!.toFixed(5)}.`, remedy);
    }
  }

  /** Rows together, their options side by side, against every option by itself. */
  private async checkNeighbours(): Promise<void> {
    const together = await this.scores(this.rows);
    const missed = this.model.sites.find(({ name }) => !this.reached.has(name));
    if (missed) {
      throw this.broken(`No method can add to the linear layer ${missed.name}.`,
        `Compute it with pass.linear('${missed.name}', x), or leave it out of "blocks".`);
    }
    const alone: number[][] = [];
    for (const row of this.rows) {
      const scores: number[] = [];
      for (const option of row.options) scores.push((await this.scores([{ ...row, options: [option] }]))[0]![0]!);
      alone.push(scores);
    }
    this.compare(together, alone, 'The score of a row changes with its neighbours, with padding or with other options',
      'Let tokens read what the bias of pass.readers leaves open, and know the positions of the batch.');
  }

  /** An answer at once, against its tokens one by one, each behind a prompt that holds those before it. */
  private async checkOrder(): Promise<void> {
    const { frame: _, ...tokenizer } = this.model.tokenizer;
    const model = { ...this.model, tokenizer };
    const steps = await this.scores(this.rows.flatMap(({ prompt, options: [option], answer }) =>
      option!.map((token, i) => ({ prompt: [...prompt, ...option!.slice(0, i)], options: [[token]], answer }))), model);
    const sums = this.rows.map((_row, i) => [steps.slice(i * READ, (i + 1) * READ).reduce((total, [score]) => total + score!, 0)]);
    this.compare(sums, await this.scores(this.rows, model), 'The score of a token changes with those behind it', 'Let no token read later ones.');
  }

  /** Tokens that are written with remembered keys and values, against their scores without. */
  private async checkMemory(): Promise<void> {
    const prompts = this.rows.map(({ prompt }) => prompt);
    const answers = await this.computed(new Generator(this.device, forwardOf(this.model)),
      (generator) => generator.run(prompts, { maxTokens: WRITTEN, batch: prompts.length }));
    const others = this.tokens(OTHERS);
    const rows = answers.flatMap(({ tokens }, i) => tokens.map((token, at) => ({
      prompt: prompts[i]!, options: [...new Set([token, ...others])].map((last) => [...tokens.slice(0, at), last]), answer: 0,
    })));
    for (const scores of await this.scores(rows)) {
      if (close(scores[0]!, Math.max(...scores))) continue;
      throw this.broken('What is written with remembered keys and values is not the most likely without them.',
        'Let every layer read what pass.recall gives for it.');
    }
  }

  /** Throws LETHE_MODEL_CODE for the first thing that is wrong; says what was tried. */
  async check(): Promise<string[]> {
    await this.checkNeighbours();
    const readsAtOnce = this.model.config.decoderStart === undefined;
    if (readsAtOnce) await this.checkOrder();
    await this.checkMemory();
    return [
      'checked: forward pass on cpu, with random tokens: finite; methods can add to every linear layer; scores do not depend on neighbours, padding, '
        + `other options${readsAtOnce ? ' or later tokens' : ''}; what is written has the best score`,
      'not checked: gradients, and that the numbers are those of the code which made the checkpoint: compare logits with it',
    ];
  }
}

/** How far a model reads, in all its layers or in some. */
function contextOf({ maxPositions, windows = [], layers }: ModelConfig): string {
  const whole = Number.isFinite(maxPositions) ? `${maxPositions} tokens` : 'bounded by memory alone';
  const sizes = [...new Set(windows.filter((window) => window !== null))];
  const narrow = sizes.map((size) => `${windows.filter((window) => window === size).length} of ${layers} layers read the last ${size}`);
  return [`context: ${whole}`, ...narrow].join('; ');
}

/** How positions are told apart, where that is by rotation. */
function rotationOf({ ropeTheta, ropeScaling: scaling }: Partial<Pick<LlamaConfig, 'ropeTheta' | 'ropeScaling'>>): string[] {
  if (ropeTheta === undefined) return [];
  const stretched = scaling && `, stretched by ${scaling.factor} (${scaling.type}${'original' in scaling ? `, from ${scaling.original} tokens` : ''})`;
  return [`rotary embedding: base ${ropeTheta}${stretched ?? ''}`];
}

/** What is read of a checkpoint, for its owner to hold against what it should be. */
function readOf({ config, tokenizer, weights }: LanguageModel): string[] {
  const { endOfText, stops = [endOfText] } = tokenizer;
  const types = [...new Set(Object.values(weights).flatMap(({ stored }) => stored?.dtype ?? []))];
  return [
    contextOf(config), ...rotationOf(config as Partial<LlamaConfig>),
    `ends of a text: ${stops.map((token) => `token ${token} ${JSON.stringify(tokenizer.decode([token]))}`).join(', ')}`,
    ...(types.length > 0 ? [`weights stored as ${types.sort().join(', ')}`] : []),
  ];
}

/**
 * Checks a checkpoint, and the architecture that it brings, where it is a plugin that brings one.
 *
 * @param directory of the checkpoint
 * @param module path of the compiled architecture, which need not be there
 * @returns what was checked, what was read and what was not checked, line by line
 * @throws LetheError LETHE_MODEL_CODE for an architecture that breaks its contract, and the errors of `loadModel`
 */
export async function checkModelFiles(directory: string, module?: string): Promise<string[]> {
  const model = await loadModel(directory, { held: 0 }); // weights that stay in their file say how they are stored
  const { config: { architecture }, tokenizer: { vocabSize }, weights, parameters, sites } = model;
  const lines = [
    `checked: checkpoint: configuration (architecture ${architecture}), tokenizer (${vocabSize} tokens), weights (${Object.keys(weights).length}): `
      + `names, shapes, finite numbers; ${parameters} parameters, ${sites.length} linear layers`,
    ...readOf(model),
  ];
  if (module === undefined || !existsSync(module)) return [...lines, 'not checked: its architecture, which is one of Lethe'];
  const device = await openDevice({ name: 'cpu' });
  try {
    return [...lines, `checked: code, imported from ${here(module)}`, ...await new Trial(device, model, module).check()];
  } finally {
    await device.dispose();
  }
}

/**
 * Checks a LoRA adapter of PEFT against the model that it is for.
 *
 * @param name of that model or its folder; what the adapter says that it was trained on where it is left out
 * @param note told of what is downloaded
 * @returns what was checked and what was read, line by line
 * @throws the errors of `openNamed`
 */
export async function checkAdapterFiles(
  directory: string, { model: name, plugins = [] }: { readonly model?: string; readonly plugins?: readonly string[] }, note: (text: string) => void,
): Promise<string[]> {
  const { model } = await openNamed({ adapter: directory, plugins, ...(name !== undefined && { model: name }) }, note);
  const { update, base } = model.merged!;
  const updates = Object.values(update);
  const unique = (values: readonly number[]) => [...new Set(values)].sort((a, b) => a - b).join(', ');
  // layers that were one in the checkpoint share their A
  const parameters = [...new Set(updates.flatMap(({ a, b }) => [a, b]))].reduce((sum, { data }) => sum + data.length, 0);
  return [
    `checked: configuration and matrices, for ${base.id}: names, shapes, finite numbers`,
    `at ${updates.length} of ${model.sites.length} linear layers: rank ${unique(updates.map(({ a }) => a.shape[1]!))}, `
      + `scale ${unique(updates.map(({ scale }) => scale))}; ${parameters} parameters`,
    'not checked: that it was trained on these very weights, unless it was written by lethe export',
  ];
}
