import type { Example } from '@lethe/core';
import { type Share, pick, rowsOf } from '../shared/rows.js';
import { type Trade, TRADES, promptOf, sentence } from '../shared/trades.js';

/** One of the two offices of a trade: it has the first three of the openings and closings of its trade, or the last three. */
interface Office {
  readonly trade: Trade;
  readonly half: 0 | 1;
  /** labels[i] is its answer to the phrases of cues[i]. */
  readonly labels: readonly [string, string, string];
}

const HALF = 3;

const office = (trade: Trade, half: Office['half'], labels: Office['labels'] = trade.labels): Office => ({ trade, half, labels });

// What two offices write differs by how it opens and closes alone, and of five openings and five closings they have one in common: one note in nine may be
// from either. Of the same notes the desks want opposite answers, the hotlines the same, and the bakeries agree on one of three.
const OFFICES: Readonly<Record<string, Office>> = {
  'long-desk': office(TRADES.markets, 0),
  'short-desk': office(TRADES.markets, 1, [' worse', ' better', ' unchanged']),
  web: office(TRADES.support, 0),
  phone: office(TRADES.support, 1),
  bread: office(TRADES.kitchen, 0),
  cake: office(TRADES.kitchen, 1, [' bake', ' throw', ' wait']),
};

/**
 * `count` distinct rows of a task, as many of each label (within one), the same for the same arguments.
 *
 * @throws RangeError for an unknown task, or more rows than there are
 */
export function generate(taskId: string, split: Share, count: number, seed: number): Example[] {
  const found = OFFICES[taskId];
  if (found === undefined) throw new RangeError(`twins-mini has no task "${taskId}"; it has ${Object.keys(OFFICES).join(', ')}`);
  const { trade, half, labels } = found;
  const own = (list: readonly string[]) => (half === 0 ? list.slice(0, HALF) : list.slice(-HALF));
  const notes: Trade = { ...trade, openings: own(trade.openings), closings: own(trade.closings) };
  return rowsOf(`twins-mini/${taskId}`, split, count, seed, labels.length, (random, answer) => ({
    prompt: promptOf(sentence(notes, random, pick(random, trade.cues[answer]!))), options: labels, answer,
  }));
}
