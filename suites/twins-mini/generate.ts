import type { Example } from '@lethe/core';
import type { Share } from '../shared/rows.js';
import { type Trade, TRADES, notesOf } from '../shared/trades.js';

const OWN = 3;
const first = (list: readonly string[]) => list.slice(0, OWN);
const last = (list: readonly string[]) => list.slice(-OWN);

/** One of the two offices of a trade: it has the first three of the openings and closings of its trade, or the last three, and may have labels of its own. */
const office = (trade: Trade, some: typeof first, labels = trade.labels): Trade =>
  ({ ...trade, labels, openings: some(trade.openings), closings: some(trade.closings) });

// What two offices write differs by how it opens and closes alone, and of five openings and five closings they have one in common: one note in nine may be
// from either. Of the same notes the desks want opposite answers, the hotlines the same, and the bakeries agree on one of three.
const OFFICES: Readonly<Record<string, Trade>> = {
  'long-desk': office(TRADES.markets, first),
  'short-desk': office(TRADES.markets, last, [' worse', ' better', ' unchanged']),
  web: office(TRADES.support, first),
  phone: office(TRADES.support, last),
  bread: office(TRADES.kitchen, first),
  cake: office(TRADES.kitchen, last, [' bake', ' throw', ' wait']),
};

/**
 * `count` distinct rows of a task, as many of each label (within one), the same for the same arguments.
 *
 * @throws RangeError for an unknown task, or more rows than there are
 */
export function generate(taskId: string, split: Share, count: number, seed: number): Example[] {
  const found = OFFICES[taskId];
  if (found === undefined) throw new RangeError(`twins-mini has no task "${taskId}"; it has ${Object.keys(OFFICES).join(', ')}`);
  return notesOf(`twins-mini/${taskId}`, found, split, count, seed);
}
