import { parseArgs } from 'node:util';
import { LetheError, didYouMean } from '@lethe/core';

interface Numeric { readonly default: number; readonly least: number; readonly whole: boolean; readonly help: string }

const NUMBERS = {
  vocab: { default: 1024, least: 257, whole: true, help: 'tokens of the vocabulary' },
  hidden: { default: 256, least: 8, whole: true, help: 'size of the residual stream' },
  intermediate: { default: 640, least: 8, whole: true, help: 'size inside the feed-forward layers' },
  layers: { default: 4, least: 1, whole: true, help: 'number of layers' },
  heads: { default: 4, least: 1, whole: true, help: 'attention heads' },
  context: { default: 128, least: 16, whole: true, help: 'tokens of a training window, and the longest input' },
  epochs: { default: 4, least: 1, whole: true, help: 'passes over the corpus' },
  batch: { default: 16, least: 1, whole: true, help: 'windows in a step' },
  rate: { default: 0.002, least: 0, whole: false, help: 'peak learning rate of AdamW' },
  seed: { default: 1, least: 0, whole: true, help: 'seed of weights and order' },
  threads: { default: 2, least: 1, whole: true, help: 'threads' },
} as const satisfies Record<string, Numeric>;

export type PretrainOptions = Readonly<Record<keyof typeof NUMBERS, number>> & { readonly out: string; readonly files: readonly string[] };

export const USAGE = [
  'usage: npm run pretrain -- --out FOLDER [options] TEXT_FILE...',
  'Trains a Llama-layout model on text files, whose documents are separated by blank lines.',
  ...Object.entries(NUMBERS).map(([name, { default: value, help }]) => `  --${name.padEnd(14)}${help} (${value})`),
].join('\n');

/** Reads the command line. Throws LETHE_USAGE. */
export function readOptions(args: readonly string[]): PretrainOptions | 'help' {
  const fail = (message: string): never => {
    throw new LetheError('LETHE_USAGE', message, { remedy: 'npm run pretrain -- --help' });
  };
  const names = Object.keys(NUMBERS) as (keyof typeof NUMBERS)[];
  const options = Object.fromEntries([...names, 'out'].map((name) => [name, { type: 'string' as const }]));
  const parse = () => {
    try {
      return parseArgs({ args: [...args], options: { ...options, help: { type: 'boolean' } }, allowPositionals: true });
    } catch (error) {
      const unknown = /Unknown option '--([\w-]+)'/.exec(String(error))?.[1];
      return fail(unknown === undefined ? String((error as Error).message) : `no option --${unknown}.${didYouMean(unknown, [...names, 'out'])}`);
    }
  };
  const { values, positionals } = parse() as { values: Readonly<Record<string, string | boolean | undefined>>; positionals: string[] };
  if (values['help'] === true) return 'help';
  const out = values['out'];
  if (typeof out !== 'string') return fail('--out names no folder');
  if (positionals.length === 0) return fail('there is no text file to train on');
  const numbers = Object.fromEntries(names.map((name) => {
    const { default: fallback, least, whole } = NUMBERS[name];
    const given = values[name];
    const value = given === undefined ? fallback : Number(given);
    if (!Number.isFinite(value) || value < least || (whole && !Number.isInteger(value))) {
      fail(`--${name} must be ${whole ? 'an integer' : 'a number'} of at least ${least}, given "${String(given)}"`);
    }
    return [name, value];
  })) as Record<keyof typeof NUMBERS, number>;
  if (numbers.hidden % (2 * numbers.heads) !== 0) fail(`--hidden ${numbers.hidden} must be a multiple of twice --heads ${numbers.heads}`);
  return { ...numbers, out, files: positionals };
}
