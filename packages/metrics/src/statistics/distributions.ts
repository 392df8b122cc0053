import library from 'jstat';

const { studentt, noncentralt, normal } = library.jStat;

/** The confidence of every interval. */
export const LEVEL = 0.95;
/** The probability with which a difference that is not there may be taken for shown. */
export const ALPHA = 0.05;

/** The quantile of Student's t; by default the one that bounds a two-sided interval. */
export const studentQuantile = (degrees: number, probability = 1 - ALPHA / 2): number => studentt.inv(probability, degrees);

/** The probability that Student's t is as far from 0 as this, on either side. */
export const studentTails = (value: number, degrees: number): number => 2 * studentt.cdf(-Math.abs(value), degrees);

/** The cumulative distribution of the noncentral t. */
export const noncentralStudent = (value: number, degrees: number, noncentrality: number): number =>
  noncentralt.cdf(value, degrees, noncentrality);

export const normalQuantile = (probability: number): number => normal.inv(probability, 0, 1);
