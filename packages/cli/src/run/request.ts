import { type BudgetChange, LetheError } from '@lethe/core';
import { budgetFault } from '@lethe/data';

/** A method as it was asked for: a name or the path of a plugin's folder, with the options that differ from its defaults. */
export interface MethodRequest {
  readonly name: string;
  /** What to call it in tables and on the command line; its name where it is left out. */
  readonly label?: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Where an option is given, as `file:line`, if a file gives it. */
  readonly locate?: (option: string) => string;
}

/** What a user asks for; what is left out has a default. Paths are as given, relative to the working directory. */
export interface RunRequest {
  readonly suite: string;
  readonly size?: string;
  /** Name of other prompts of the suite. */
  readonly prompts?: string;
  /** What the training budget is to be in the place of the suite's own. */
  readonly training?: BudgetChange;
  readonly dataDir?: string;
  /** Whether rows that cannot be used are left out and counted. */
  readonly skipBadRows?: boolean;
  /** Whether probes that a suite could do without must be there. */
  readonly probes?: boolean;
  readonly methods?: readonly MethodRequest[];
  /** All labels that methods could have been named by. */
  readonly labels?: readonly string[];
  /** Scored on validation rows, at the end of the stream alone, as trials are. */
  readonly scored?: 'validation';
  /** How many settings of every method are tried, on validation rows. */
  readonly trials?: number;
  /** Folders of trials, whose choices the methods take. */
  readonly tuned?: readonly string[];
  /** Plugins, or folders of plugins, beside those that are installed. */
  readonly plugins?: readonly string[];
  readonly orders?: readonly string[];
  readonly seeds?: readonly number[];
  readonly model?: string;
  /** Folder of an adapter to start from. */
  readonly adapter?: string;
  /** Whether prompts are put into the chat template of the model. */
  readonly chat?: boolean;
  readonly device?: string;
  readonly threads?: number;
  /** Rows that are in memory at once. */
  readonly microBatch?: number;
  readonly workers?: number;
  readonly out?: string;
}

const usage = (message: string, remedy: string) => new LetheError('LETHE_USAGE', message, { remedy });

/** The parts of a list as it is written on a command line: `a,b`. */
export function parseList(flag: string, text: string): string[] {
  const parts = text.split(',').map((part) => part.trim());
  const twice = parts.find((part, i) => parts.indexOf(part) !== i);
  if (parts.includes('')) throw usage(`${flag} "${text}" has an empty part`, `write ${flag} a,b`);
  if (twice !== undefined) throw usage(`${flag} names "${twice}" twice`, 'name each once');
  return parts;
}

/** An integer from `low` to `high` as it is written on a command line; `example` is what could be written instead. */
export function parseInteger(flag: string, text: string, low: number, high: number, example = String(low)): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= low && value <= high) return value;
  throw usage(`${flag} must be a whole number from ${low} to ${high}, given "${text}"`, `write ${flag} ${example}`);
}

/** A number as it is written on a command line; `wanted` says which, e.g. "a number from 0". */
export function parseNumber(flag: string, text: string, wanted: string, sound: (value: number) => boolean): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (Number.isFinite(value) && sound(value)) return value;
  throw usage(`${flag} must be ${wanted}, given "${text}"`, `write ${flag} 0.7`);
}

/** The largest seed. */
const MAX_SEED = 2 ** 31 - 1;

/** The most seeds that are written out for who gave their ends. */
const WRITTEN_OUT = 20;

/** What may have been meant by something that is no seed: all of them, where it has the ends of a range. */
function seedsMeant(part: string): string {
  const [, first, last] = /^(\d+)(?:-|\.\.)(\d+)$/.exec(part)?.map(Number) ?? [];
  if (first === undefined || last === undefined || last < first || last - first >= WRITTEN_OUT) return '1,2,3';
  return Array.from({ length: last - first + 1 }, (_, i) => first + i).join(',');
}

/** `--seeds 1,2,3`. */
export function parseSeeds(text: string): number[] {
  return parseList('--seeds', text).map((part) => parseInteger('--seeds', part, 0, MAX_SEED, seedsMeant(part)));
}

/** One `--set method.option=value`, where `method` is a label or the name of a method, which means it under every label. The value is JSON where it can be read so, else text. */
export interface Setting {
  readonly method: string;
  readonly option: string;
  readonly value: unknown;
}

/** Reads `method.option=value`. The method may be a path, so the option begins after the last dot before the `=`. */
export function parseSetting(text: string): Setting {
  const match = /^([^=]+)\.([^.=]+)=(.*)$/s.exec(text);
  if (!match) {
    const alone = /^[^.=]+=/.test(text);
    throw usage(`--set "${text}" is not METHOD.OPTION=VALUE`, alone ? `name the method as well: --set METHOD.${text}` : 'write --set METHOD.OPTION=VALUE; lethe show method METHOD lists its options');
  }
  const [, method, option, written] = match as unknown as [string, string, string, string];
  return { method, option, value: readValue(written) };
}

/** Adds one `--set option=value`, where one method alone is meant, to those before it. The value is read as that of {@link parseSetting}. */
export function withOption(text: string, before: MethodRequest['options'] = {}): MethodRequest['options'] {
  const [, option, written] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (option === undefined || written === undefined) throw usage(`--set "${text}" is not OPTION=VALUE`, 'write --set OPTION=VALUE; lethe show method METHOD lists its options');
  const own = option.slice(option.lastIndexOf('.') + 1);
  if (own !== option) throw usage(`--set "${text}" names a method, and there is one alone here`, `leave it out: --set ${own}=${written}`);
  if (Object.hasOwn(before, option)) throw usage(`--set gives ${option} twice.`, 'Give each option once.');
  return { ...before, [option]: readValue(written) };
}

/** A value as it is written on a command line: JSON where it can be read so, else text, which needs no quotes. */
function readValue(written: string): unknown {
  try {
    return JSON.parse(written);
  } catch {
    return written;
  }
}

/** Reads `--training FIELD=VALUE`, a field of a training budget as a suite has it; its sites are a list: `sites=q,v`. */
export function parseTraining(text: string): BudgetChange {
  const [, name, written] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || written === undefined) throw usage(`--training "${text}" is not FIELD=VALUE`, 'write --training learningRate=1e-4');
  const value = readValue(written);
  const change = { [name]: name === 'sites' && typeof value === 'string' ? parseList('--training sites', value) : value };
  const fault = budgetFault(change);
  if (fault) throw usage(`--training: ${fault.message}`, fault.fields ? `the fields are: ${fault.fields.join(', ')}` : 'lethe show suite SUITE shows its own training budget');
  return change;
}
