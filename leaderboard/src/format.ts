import { MISSING } from '@lethe/core';
import type { AlikeSeeds } from '@lethe/metrics';

const MINUS = '−';

/** What rounds to zero has no sign. */
const signed = (text: string): string => (Number(text) === 0 ? text.replace('-', '') : text.replace('-', MINUS));

/** A fraction in percent with one decimal; a dash where it is not defined. */
export const percent = (value: number | null | undefined): string =>
  value === null || value === undefined ? MISSING : signed((value * 100).toFixed(1));

/** Percent with its sign, for differences. */
export function points(value: number): string {
  const text = percent(value);
  return value > 0 && Number(text) !== 0 ? `+${text}` : text;
}

/** A p value with as many digits as are of use. */
export const probability = (p: number): string => (p < 0.001 ? '< 0.001' : p.toFixed(p < 0.1 ? 3 : 2));

/** One place, or the first and the last of several. */
export const placesOf = ([best, worst]: readonly [number, number]): string => (best === worst ? String(best) : `${best}–${worst}`);

/** A whole number in groups of three digits. */
export const whole = (value: number): string => Math.round(value).toLocaleString('en-GB');

function scaled(value: number, units: readonly string[]): string {
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(value, 1)) / 3)));
  const number = value / 1000 ** step;
  return `${step > 0 && number < 100 ? number.toPrecision(3) : Math.round(number)}${units[step]}`;
}

/** A count with three digits: 1.23 M. */
export const count = (value: number): string => scaled(value, ['', ' k', ' M', ' G']);

/** How many there are of what has a plural: `1 seed`, `2 seeds`. */
export const counted = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`;

/** Bytes in decimal units with three digits. */
export const bytes = (value: number): string => scaled(value, [' B', ' kB', ' MB', ' GB']);

/** A duration in the unit that suits it. */
export function seconds(value: number): string {
  if (value < 99.5) return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} s`;
  return value < 5970 ? `${Math.round(value / 60)} min` : `${(value / 3600).toFixed(1)} h`;
}

/** The first digits of a hash or commit, with what marks a commit whose files were changed. */
export const short = (hash: string): string => (hash.endsWith('-dirty') ? `${hash.slice(0, 12)}-dirty` : hash.slice(0, 12));

/** An option's value as it would be written on the command line. */
export const optionValue = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Part of a file name: nothing in it means anything to a file system or to a URL. */
export const slug = (text: string): string => text.replace(/[^A-Za-z0-9.]+/g, '-').replace(/^[-.]+|-+$/g, '') || 'x';

/** What is to be said of runs whose seeds make no difference. */
export const alikeWords = ({ order, seeds }: AlikeSeeds): string =>
  `in order ${order.id} seeds ${seeds.join(', ')} give the same answers to every row at every point: either the method does not depend on its seed, and intervals `
  + 'over seeds say nothing of it, or one run is there under several seeds; lethe reproduce tells which';
