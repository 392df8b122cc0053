import { grouped, methodName, suiteLabel } from '@lethe/core';
import { counted, probability } from '@lethe/leaderboard';
import { ALPHA, type Comparison, POWER, fewestPairs, holdsElsewhere } from '@lethe/metrics';
import { namesOf } from './tables.js';

const listed = (items: readonly (string | number)[]): string => items.join(', ');

/** What was shown, in one sentence for each metric and winner. */
function shown(comparison: Comparison): string[] {
  const names = namesOf(comparison);
  return comparison.metrics.flatMap(({ metric, pairs }) => names.flatMap((name, method) => {
    const beaten = pairs.filter(({ better }) => better === method).map(({ a, b }) => names[a === method ? b : a]!);
    return beaten.length === 0 ? [] : [`${name} is better than ${listed(beaten)} in ${metric.title}.`];
  }));
}

/** Why there is no test. */
function untested({ methods }: Comparison, against: string | undefined): string {
  if (against !== undefined && methods.every(({ method }) => methodName(method) !== against)) return `Nothing was tested: ${against} did not run under these terms.`;
  const alone = against === undefined && methods.filter(({ bound }) => !bound).length < 2;
  return `Nothing was tested: ${alone ? 'a bound is tested only where --against names it' : 'no two methods have a value for the same order and seed'}.`;
}

/** Which of the differences that were shown other orders and seeds may not have: the test takes those of the runs as they are. */
function hereAlone(comparison: Comparison): string[] {
  const names = namesOf(comparison);
  const found = comparison.metrics.flatMap(({ metric, pairs }) => pairs.filter(({ better }) => better !== null).map((pair) =>
    ({ name: `${names[pair.a]} and ${names[pair.b]}`, metric: metric.title, alone: !holdsElsewhere(pair) })));
  const alone = found.filter((one) => one.alone);
  if (alone.length === 0) return [];
  const byMetric = grouped(alone, ({ metric }) => metric).map((own) => `${listed(own.map(({ name }) => name))} in ${own[0]!.metric}`);
  return [`Shown for these orders and seeds alone, not for others: ${alone.length === found.length && found.length > 1 ? `all ${found.length} differences` : byMetric.join('; ')}.`];
}

/** What these runs cannot tell. */
function limits(comparison: Comparison): string[] {
  const pairs = comparison.metrics.flatMap((metric) => metric.pairs);
  if (pairs.length === 0) return [];
  const { tests, orders, seeds } = comparison;
  const most = Math.max(...pairs.map(({ test }) => test.pairs));
  const fewest = fewestPairs(tests, ALPHA);
  const least = Math.min(1, Math.min(...pairs.map(({ test }) => test.least)) * tests);
  return [
    ...(most < fewest ? [`With at most ${counted(most, 'pair')} and ${counted(tests, 'test')} no p can be below ${probability(least)}: `
      + `these runs cannot show any difference, however large. It takes ${fewest} pairs.`] : []),
    'Not shown does not mean equal: it means that these runs do not tell.',
    ...(orders.length === 1 ? [`All runs are of order ${orders[0]}: nothing is said of other orders.`] : []),
    ...(seeds.length === 1 ? [`All runs are of seed ${seeds[0]}: nothing is said of other seeds.`] : []),
    ...hereAlone(comparison),
  ];
}

/**
 * The tests that p values are corrected for, in words.
 *
 * @param several whether there are comparisons beside this one, each with a correction of its own
 */
function corrected({ tests, metrics }: Comparison, several: boolean): string {
  const lost = tests - metrics.reduce((count, { pairs }) => count + pairs.length, 0);
  const all = tests === 1 ? 'the one test' : `all ${tests} tests`;
  return `${all}${several ? ' under these terms' : lost > 0 ? '' : ' shown here'}${lost > 0 ? `, among them the ${lost} that failed runs made impossible` : ''}`;
}

/** The terms of a comparison in one line. */
export const termsOf = ({ suite, model, tasks, orders, seeds }: Comparison): string =>
  `${suiteLabel(suite)}, on ${model.id}: ${tasks.length} tasks, `
  + `${orders.length === 1 ? 'order' : 'orders'} ${listed(orders)}, ${seeds.length === 1 ? 'seed' : 'seeds'} ${listed(seeds)}`;

/**
 * What the comparison says, what it does not, and how to read its tables.
 *
 * @param against the method that all others are compared with, where there is one
 * @param several whether it is one of several comparisons
 */
export function explain(comparison: Comparison, against: string | undefined, several: boolean): string[] {
  const names = namesOf(comparison);
  const found = shown(comparison);
  const missing = comparison.metrics.flatMap(({ metric, standings }) => standings.flatMap(({ method, missing: why }) =>
    (why === undefined ? [] : [`${names[method]}: ${why === 'not defined' ? `${metric.title} is not defined.` : why}`])));
  return [
    ...(comparison.tests === 0 ? [untested(comparison, against)] : found.length ? ['Shown at level 0.05:', ...found.map((line) => `  ${line}`)] : ['No difference was shown at level 0.05.']),
    ...limits(comparison), ...missing, '',
    'Percent. Over runs: 95 % t interval over other seeds in other orders, cut where the metric ends. Over rows: 95 % bootstrap over test rows, these runs as they are.',
    ...(comparison.tests === 0 ? [] : [
      `p: paired permutation test over runs of the same order and seed, two-sided, which takes these orders and seeds as they are; Holm: corrected for ${corrected(comparison, several)}.`,
      'Holm, others: the same correction of the t test over other seeds in other orders, of which few orders say little. The intervals are not corrected.',
      `Pairs needed: to show a difference as large and as steady as this with probability ${POWER}, by this test at level 0.05 / ${comparison.tests}.`,
    ]),
    ...(comparison.metrics.some(({ standings }) => standings.some(({ ranks }) => ranks !== null))
      ? ['Rank: the places that a method may have, by what was shown here; those that cannot be told apart share places.'] : []),
  ];
}
