import { LetheError, type Manifest, type SearchRange, canonicalJson, grouped } from '@lethe/core';
import { sobolPoint } from './sobol.js';

type Options = Readonly<Record<string, unknown>>;

/** Where the factor of the learning rate is looked for, of every method. */
const RATES: SearchRange = { low: 0.25, high: 2, scale: 'log' };

/** The factor at which forms are tried beside 1: at the full rate alone one that needs a lower one would never be found. */
const SLOWER = 0.5;

/** Three digits say enough, and read well. */
const short = (value: number) => Number(value.toPrecision(3));

/** A range that has ends; one that is a list is tried value by value. */
type Ends = Extract<SearchRange, { low: number }>;

/** The value at a share of the way through a range. */
function valueAt(share: number, { low, high, scale }: Ends, whole: boolean): number {
  const value = scale === 'log' ? low * (high / low) ** share : low + (high - low) * share;
  return whole ? Math.round(value) : short(value);
}

/** Points in a row that may give nothing new: some times as many as it takes to meet the narrowest of the values of three digits. */
const PATIENCE = 20_000;

function tooFew(name: string, found: number, fixed: Options, searched: readonly string[], count: number): LetheError {
  const held = Object.keys(fixed).join(', ') || 'no option';
  const message = searched.length === 0
    ? `Of method "${name}" nothing is searched: ${held} fixed and no ranges, and ${count} trials are asked for.`
    : `Of method "${name}" there are only ${found} different settings to search (${searched.join(', ')}; ${held} fixed), and ${count} trials are asked for.`;
  return new LetheError('LETHE_USAGE', message, {
    remedy: `Fix fewer of its options, leave "${name}" out with --methods, or take --trials ${found}: every method has the same number.`,
  });
}

/** A setting of a form of a method: of its defaults, or of another value of one of its lists alone. */
interface FormTrial {
  /** The option that has another value. */
  readonly option?: string;
  readonly trial: Options;
}

/** What is searched of a method: ranges with ends, and its forms, the defaults first; with what tells two settings apart. */
function searchOf({ options: { properties }, search }: Manifest, fixed: Options) {
  const searched = Object.entries<SearchRange>({ rate: RATES, ...search }).filter(([option]) => !Object.hasOwn(fixed, option));
  const defaults = Object.fromEntries(Object.entries(properties).map(([option, { default: value }]) => [option, value]));
  const keyOf = (trial: Options) => canonicalJson({ ...defaults, ...trial });
  const ranges = searched.filter((one): one is [string, Ends] => 'low' in one[1]);
  const others = searched.flatMap(([option, range]) => ('low' in range ? [] : range.map((value): FormTrial => ({ option, trial: { ...fixed, [option]: value } }))))
    .filter(({ trial }) => keyOf(trial) !== keyOf(fixed));
  const forms: readonly FormTrial[] = [{ trial: fixed }, ...others];
  const slower: readonly FormTrial[] = others.length > 0 && ranges.some(([option]) => option === 'rate') ? forms.map((form) => ({ ...form, trial: { ...form.trial, rate: SLOWER } })) : [];
  return { searched: searched.map(([option]) => option), ranges, forms: [...forms, ...slower], keyOf };
}

/**
 * What is tried of a method before anything is known of it: its defaults and every other value of a list, alone; then the same at half of
 * the learning rate. As many as these are, or `count`.
 */
export function formsOf(manifest: Manifest, fixed: Options, count: number): Options[] {
  return searchOf(manifest, fixed).forms.slice(0, count).map(({ trial }) => trial);
}

/**
 * The form that did best: of every list the value that, alone, did better at one of its learning rates than the defaults and all others of its
 * list did at any.
 *
 * @param means what came of each of {@link formsOf}; null for one that failed
 */
export function bestForm(manifest: Manifest, fixed: Options, means: readonly (number | null)[]): Options {
  const tried = searchOf(manifest, fixed).forms.map(({ option, trial }, i) => ({ option, trial, mean: means[i] ?? -1 }));
  const defaults = Math.max(...tried.filter(({ option }) => option === undefined).map(({ mean }) => mean));
  const best = new Map<string, { readonly mean: number; readonly value: unknown }>();
  for (const { option, trial, mean } of tried) {
    if (option !== undefined && mean > (best.get(option)?.mean ?? defaults)) best.set(option, { mean, value: trial[option] });
  }
  return { ...fixed, ...Object.fromEntries([...best].map(([option, { value }]) => [option, value])) };
}

/**
 * The settings of a method that are tried: those of {@link formsOf}, since a choice between forms would be lost in a few points that differ in
 * all else too; then points that fill its ranges and that of the learning rate evenly, all under one form. Those are left out that repeat a
 * setting. The same number of trials gives the same settings; a larger one adds to them.
 *
 * @param fixed options that are not searched
 * @param form the one that the points have, {@link bestForm}
 * @throws LETHE_USAGE where there are not so many different settings
 */
export function trialsOf(manifest: Manifest, fixed: Options, count: number, form: Options): Options[] {
  const { name, options: { properties } } = manifest;
  const { searched, ranges, keyOf } = searchOf(manifest, fixed);
  const trials = new Map(formsOf(manifest, fixed, count).map((trial) => [keyOf(trial), trial]));
  for (let n = 1, repeated = 0; trials.size < count; n++) {
    if (ranges.length === 0 || repeated === PATIENCE) throw tooFew(name, trials.size, fixed, searched, count);
    const shares = sobolPoint(n, ranges.length);
    const trial = { ...form, ...Object.fromEntries(ranges.map(([option, range], i) =>
      [option, valueAt(shares[i]!, range, properties[option]?.['type'] === 'integer')])) };
    const key = keyOf(trial);
    repeated = trials.has(key) ? repeated + 1 : 0;
    if (repeated === 0) trials.set(key, trial);
  }
  return [...trials.values()];
}

/** A method whose options are searched. */
export interface Searched {
  /** What the run calls it. */
  readonly name: string;
  readonly manifest: Manifest;
  /** Options that are not searched. */
  readonly fixed: Options;
}

const listed = (words: readonly string[]) => [...new Set(words)].join(', ').replace(/, ([^,]*)$/, ' or $1');

/** Says of which methods so many trials reach no point of a range, the learning rate's among them, and how many would: a line for each such number. */
export function unreached(methods: readonly Searched[], count: number): string[] {
  const short = methods.flatMap(({ name, manifest, fixed }) => {
    const { ranges, forms } = searchOf(manifest, fixed);
    const same = formsOf(manifest, fixed, count).every((trial) => trial['rate'] === fixed['rate']);
    const points = ranges.map(([option]) => option).filter((option) => option !== 'rate' || same);
    const lists = forms.flatMap(({ option }) => option ?? []);
    const fewest = forms.length + 1; // a point behind the forms
    return points.length === 0 || count >= fewest ? [] : [{ name, points, fewest, lists }];
  });
  return grouped(short.sort((a, b) => a.fewest - b.fewest), ({ fewest }) => fewest).map((all) => {
    const lists = [...new Set(all.flatMap((one) => one.lists))];
    const first = lists.length > 0 ? `forms come first (${lists.join(', ')})` : 'the defaults come first';
    const names = all.map(({ name }) => `"${name}"`).join(', ');
    return `of ${count} ${count === 1 ? 'trial' : 'trials'} of ${names} none tries another ${listed(all.flatMap(({ points }) => points))}: ${first}; --trials ${all[0]!.fewest} would`;
  });
}
