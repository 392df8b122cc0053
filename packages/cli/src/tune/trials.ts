import type { Manifest, SearchRange } from '@lethe/core';

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

/**
 * The settings of a method that are tried: its defaults first, then points that fill its search ranges and that of the learning rate
 * evenly. The same number of trials gives the same settings; a larger one adds to them.
 *
 * @param fixed options that are not searched
 */
export function trialsOf({ options: { properties }, search }: Manifest, fixed: Options, count: number): Options[] {
  const ranges = Object.entries({ rate: RATES, ...search }).filter(([name]) => !Object.hasOwn(fixed, name));
  return Array.from({ length: count }, (_, n) => {
    if (n === 0) return fixed;
    const shares = point(n, ranges.length);
    return { ...fixed, ...Object.fromEntries(ranges.map(([name, range], i) =>
      [name, valueAt(shares[i]!, range, properties[name]?.['type'] === 'integer')])) };
  });
}
