import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { LetheError } from '@lethe/core';
import type { Device } from '@lethe/engine';
import type { Forward } from '@lethe/harness';
import type { Command } from 'commander';
import { chooseDevice } from './devices.js';
import type { Output } from './output.js';
import { pluginsOption } from './plugins-option.js';
import { type LearnerFlags, addLearnerOptions, openLearner } from './run/learner.js';
import { parseInteger, parseNumber } from './run/request.js';

interface GenerateFlags extends LearnerFlags {
  readonly prompt?: readonly string[];
  readonly file?: string;
  readonly run?: string;
  readonly model?: string;
  readonly plugins?: readonly string[];
  readonly adapter?: string;
  readonly chat?: boolean;
  readonly device: string;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP: number;
  readonly topK?: number;
  readonly draw: number;
  readonly stop?: readonly string[];
  readonly json?: boolean;
}

const [MOST_TOKENS, MOST_DRAWS] = [2 ** 20, 2 ** 31 - 1];
const STDIN = '-';

const usage = (message: string, remedy: string) => new LetheError('LETHE_USAGE', message, { remedy });

/** The prompts that were given, and those of a file, a line each. Throws LETHE_USAGE where there is none. */
function promptsOf({ prompt = [], file }: GenerateFlags): string[] {
  const read = (name: string) => {
    if (name === '') throw usage('--file names no file', 'give a text file with a prompt a line, or - for stdin');
    const refuse = (message: string, remedy: string, cause?: unknown) => new LetheError('LETHE_USAGE', message, { where: name, remedy, cause });
    let bytes: Buffer;
    try {
      bytes = readFileSync(name === STDIN ? 0 : name);
    } catch (cause) {
      throw refuse(`The prompts cannot be read: ${(cause as Error).message}`, 'give a text file with a prompt a line', cause);
    }
    if (!isUtf8(bytes)) throw refuse('The prompts are not valid UTF-8.', 'save the file as UTF-8');
    return bytes.toString('utf8').replace(/^\ufeff/, '');
  };
  const lines = file === undefined ? [] : read(file).split(/\r?\n/).filter((line) => line.trim() !== '');
  const prompts = [...prompt, ...lines];
  if (prompts.length > 0) return prompts;
  if (file !== undefined) throw new LetheError('LETHE_USAGE', 'There is no prompt in this file: it has no line with text.', { where: file === STDIN ? 'stdin' : file, remedy: 'give a text file with a prompt a line' });
  throw usage('there is no prompt', 'give one with --prompt TEXT, or several with --file FILE (- for stdin), a line each');
}

/** What computes: the learner of a run, or a model with or without an adapter. */
async function opened(flags: GenerateFlags, output: Output): Promise<{ forward: Forward; device: Device; name: string }> {
  const { run, model, adapter, chat } = flags;
  if (run === undefined) {
    const stray = (['method', 'order', 'seed', 'step'] as const).find((flag) => flags[flag] !== undefined);
    if (stray) throw usage(`--${stray} says which learner of a run is meant, and there is no --run`, 'add --run RUN, or leave it out (--draw changes what is drawn)');
    const { openDevice } = await import('@lethe/engine');
    const { forwardOf } = await import('@lethe/harness');
    const { openNamed } = await import('./run/model.js');
    const found = (await openNamed(flags, output.note)).model;
    return { forward: forwardOf(found), device: await openDevice({ name: await chooseDevice(flags.device) }), name: found.id };
  }
  if (model !== undefined || adapter !== undefined || chat) throw usage('--run has its own model', 'leave out --model, --adapter and --chat, or --run');
  const { forward, device, name, model: own } = await openLearner(run, flags);
  if (!forward.told) return { forward, device, name: `${own.id} with ${name}` };
  await device.dispose();
  throw usage(`${name} has to be told the task of a row, which a prompt does not say`, 'choose a method that is told no task');
}

/**
 * `lethe generate`: what a model, or a learner of a run, writes after prompts. Answers go to stdout; several stand behind their prompts.
 *
 * @throws LetheError LETHE_USAGE for flags that contradict each other, LETHE_GENERATION_OPTIONS, and the errors of `openNamed`,
 * `openLearner` and `generate`
 */
async function generateCommand(flags: GenerateFlags, output: Output): Promise<void> {
  const prompts = promptsOf(flags);
  const { generate, generationOptions } = await import('@lethe/harness');
  const { maxTokens, temperature, topP, topK, draw: seed, stop = [] } = flags;
  // a wrong one is known before a model is loaded
  const options = generationOptions({ maxTokens, temperature, topP, ...(topK !== undefined && { topK }), seed, stop, ...(prompts.length === 1 ? { batch: 1 } : {}) });
  const { forward, device, name } = await opened(flags, output);
  try {
    output.note(name);
    const answers = await generate(device, forward, prompts, options);
    answers.forEach(({ text, end }, i) => {
      if (flags.json) output.data(JSON.stringify({ prompt: prompts[i], text, end }));
      else output.data(prompts.length === 1 ? text : `${output.colour.dim(prompts[i]!)}${text}`);
    });
  } finally {
    await device.dispose();
  }
}

const EXPLAINED = `
A prompt is what the model reads, whole: a suite puts words around its rows, and a learner of a run expects them.
  lethe generate --model DIR --prompt "Once upon a time"
  lethe generate --run RUN --method seta --seed 1 --step 2 --prompt "The scale shows nothing. Which trade is this? Answer:"
  cut -c1-200 questions.txt | lethe generate --adapter DIR --file - --json`;

const many = (text: string, before: readonly string[] | undefined) => [...(before ?? []), text];

/** Adds `lethe generate`. */
export function addGenerateCommand(program: Command, output: Output): void {
  const command = program.command('generate')
    .description('write on after a prompt: with a model, an adapter, or what a run has trained')
    .option('--prompt <text>', 'a text to go on from; may be repeated: the same one again is another draw', many)
    .option('--file <path>', 'prompts, a line each; - for stdin')
    .option('--model <id or folder>', 'as for run (default: lethe-nano, or the model of the adapter)')
    .addOption(pluginsOption())
    .option('--adapter <folder>', 'a LoRA adapter of PEFT, merged into the weights of the model')
    .option('--chat', 'ask as the chat template of the model has it')
    .option('--run <folder>', 'a run folder: its model with what one of its methods learned');
  addLearnerOptions(command)
    .option('--max-tokens <n>', 'the most tokens of an answer', (text) => parseInteger('--max-tokens', text, 1, MOST_TOKENS), 64)
    .option('--stop <text>', 'what ends an answer, and is no part of it; may be repeated', many)
    .option('--temperature <number>', '0 takes the most likely token, 1 draws as the model says', (text) => parseNumber('--temperature', text, 'a number from 0', (value) => value >= 0), 0)
    .option('--top-p <number>', 'draw among the fewest tokens that have this probability together', (text) => parseNumber('--top-p', text, 'a number above 0, up to 1', (value) => value > 0 && value <= 1), 1)
    .option('--top-k <n>', 'draw among so many of the most likely tokens (default: all)', (text) => parseInteger('--top-k', text, 1, MOST_TOKENS))
    .option('--draw <number>', 'another number gives other draws', (text) => parseInteger('--draw', text, 0, MOST_DRAWS), 0)
    .option('--device <name>', 'as for run; a run has its own', 'auto')
    .option('--json', 'a line of JSON for each prompt: prompt, text, and why it ends')
    .addHelpText('after', EXPLAINED)
    .action((flags: GenerateFlags) => generateCommand(flags, output));
}
