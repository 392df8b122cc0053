import { LetheError } from '@lethe/core';

/**
 * The mean of values that are all there.
 *
 * @param what is averaged, for the message: "forgetting of seta"
 * @throws LETHE_STATISTICS_MISSING for no values, or where one is missing: a mean over those that happen to be known would mislead
 */
export function completeMean(values: readonly (number | null | undefined)[], what: string): number {
  const missing = values.filter((value) => value === null || value === undefined || Number.isNaN(value)).length;
  if (missing === 0 && values.length > 0) return (values as readonly number[]).reduce((sum, value) => sum + value, 0) / values.length;
  throw new LetheError('LETHE_STATISTICS_MISSING',
    values.length === 0 ? `There is no value of ${what}.` : `${missing} of ${values.length} values of ${what} are missing: there is no mean over the others.`,
    { remedy: 'Run again what failed (`lethe resume`), or choose a metric that is defined for all of these runs.' });
}

/** The sample standard deviation, with n - 1; null for fewer than two values. */
export function deviationOf(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
