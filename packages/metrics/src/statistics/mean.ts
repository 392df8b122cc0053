import { LetheError } from '@lethe/core';

/** The mean; NaN of no values. */
export const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The mean, or null where there is no value or any is missing: a mean over those that happen to be known would mislead. */
export function wholeMean(values: readonly (number | null | undefined)[]): number | null {
  // a loop, as it is called for every metric of every draw of rows
  let sum = 0;
  for (const value of values) {
    if (value === null || value === undefined) return null;
    sum += value;
  }
  return values.length === 0 ? null : sum / values.length;
}

/**
 * The mean of values that are all there.
 *
 * @param what is averaged, for the message: "forgetting of seta"
 * @throws LETHE_STATISTICS_MISSING for no values, or where one is missing
 */
export function completeMean(values: readonly (number | null | undefined)[], what: string): number {
  const missing = values.filter((value) => value === null || value === undefined || Number.isNaN(value)).length;
  if (missing === 0 && values.length > 0) return meanOf(values as readonly number[]);
  throw new LetheError('LETHE_STATISTICS_MISSING',
    values.length === 0 ? `There is no value of ${what}.` : `${missing} of ${values.length} values of ${what} are missing: there is no mean over the others.`,
    { remedy: 'Run again what failed (`lethe resume`), or choose a metric that is defined for all of these runs.' });
}

/** The sample standard deviation, with n - 1; null for fewer than two values. */
export function deviationOf(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
