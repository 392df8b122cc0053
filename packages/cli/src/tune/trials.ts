import { LetheError, type Manifest, type SearchRange, canonicalJson, grouped } from '@lethe/core';

type Options = Readonly<Record<string, unknown>>;

/** Where the factor of the learning rate is looked for, of every method. */
const RATES: SearchRange = { low: 0.25, high: 2, scale: 'log' };

/**
 * Point n >= 1 of the additive recurrence of d dimensions whose steps are powers of the root of x^(d+1) = x + 1: points that fill
 * [0, 1)^d evenly however many are taken, and the same ones at every call.
 */
function point(n: number, d: number): number[] {
  let root = 2;
  for (let i = 0; i < 64; i++) root = (1 + root) ** (1 / (d + 1));
  return Array.from({ length: d }, (_, j) => (0.5 + n * root ** -(j + 1)) % 1);
}

/** Three digits say enough, and read well. */
const short = (value: number) => Number(value.toPrecision(3));

/** The value at a share of the way through a range. */
function valueAt(share: number, range: SearchRange, whole: boolean): unknown {
  if (!('low' in range)) return range[Math.floor(share * range.length)];
  const { low, high, scale } = range;
  const value = scale === 'log' ? low * (high / low) ** share : low + (high - low) * share;
  return whole ? Math.round(value) : short(value);
}

/** Points in a row that may give nothing new: some times as many as it takes to meet the narrowest of the values of three digits. */
const PATIENCE = 20_000;

function tooFew(name: string, found: number, fixed: Options, ranges: readonly string[], count: number): LetheError {
  const held = Object.keys(fixed).join(', ') || 'no option';
  const message = ranges.length === 0
    ? `Of method "${name}" nothing is searched: ${held} fixed and no ranges, and ${count} trials are asked for.`
    : `Of method "${name}" there are only ${found} different settings to search (${ranges.join(', ')}; ${held} fixed), and ${count} trials are asked for.`;
  return new LetheError('LETHE_USAGE', message, {
    remedy: `Fix fewer of its options, leave "${name}" out with --methods, or take --trials ${found}: every method has the same number.`,
  });
}

/** What is searched of a method: the ranges of its options, and the trials of another value of a list, alone; with what tells two settings apart. */
function searchOf({ options: { properties }, search }: Manifest, fixed: Options) {
  const ranges = Object.entries({ rate: RATES, ...search }).filter(([option]) => !Object.hasOwn(fixed, option));
  const defaults = Object.fromEntries(Object.entries(properties).map(([option, { default: value }]) => [option, value]));
  const keyOf = (trial: Options) => canonicalJson({ ...defaults, ...trial });
  const forms = ranges.flatMap(([option, range]) => ('low' in range ? [] : range.map((value) => ({ option, trial: { ...fixed, [option]: value } }))))
    .filter(({ trial }) => keyOf(trial) !== keyOf(fixed));
  return { ranges, forms, keyOf };
}

/**
 * The settings of a method that are tried: its defaults first; every other value of a list, alone, since a choice between forms of a method
 * would be lost in a few points that differ in all else too; then points that fill its search ranges and that of the learning rate evenly.
 * Those are left out that repeat a setting. The same number of trials gives the same settings; a larger one adds to them.
 *
 * @param fixed options that are not searched
 * @throws LETHE_USAGE where there are not so many different settings
 */
export function trialsOf(manifest: Manifest, fixed: Options, count: number): Options[] {
  const { name, options: { properties } } = manifest;
  const { ranges, forms, keyOf } = searchOf(manifest, fixed);
  const trials = new Map([fixed, ...forms.map(({ trial }) => trial)].slice(0, count).map((trial) => [keyOf(trial), trial]));
  for (let n = 1, repeated = 0; trials.size < count; n++) {
    if (ranges.length === 0 || repeated === PATIENCE) throw tooFew(name, trials.size, fixed, ranges.map(([option]) => option), count);
    const shares = point(n, ranges.length);
    const trial = { ...fixed, ...Object.fromEntries(ranges.map(([option, range], i) =>
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
    const points = ranges.filter(([, range]) => 'low' in range).map(([option]) => option);
    const fewest = forms.length + 2; // the defaults before the forms, and a point behind them
    return points.length === 0 || count >= fewest ? [] : [{ name, points, fewest, lists: forms.map(({ option }) => option) }];
  });
  return grouped(short.sort((a, b) => a.fewest - b.fewest), ({ fewest }) => fewest).map((all) => {
    const lists = [...new Set(all.flatMap((one) => one.lists))];
    const first = lists.length > 0 ? `forms come first (${lists.join(', ')})` : 'the defaults come first';
    const names = all.map(({ name }) => `"${name}"`).join(', ');
    return `of ${count} ${count === 1 ? 'trial' : 'trials'} of ${names} none tries another ${listed(all.flatMap(({ points }) => points))}: ${first}; --trials ${all[0]!.fewest} would`;
  });
}
