import type { Example, Random } from '@lethe/core';
import { type Share, pick, rowsOf } from './rows.js';

/** A trade: its own people, things and places, and phrases that mean one of its three labels. */
export interface Trade {
  readonly openings: readonly string[];
  readonly subjects: readonly string[];
  /** Answers as the model writes them; `cues[i]` are the phrases that mean `labels[i]`. */
  readonly labels: readonly [string, string, string];
  readonly cues: readonly [readonly string[], readonly string[], readonly string[]];
  /** Where or when, with `#` for a number. */
  readonly detail: string;
  readonly closings: readonly string[];
}

const MORE = ['is rising', 'is climbing', 'is higher than before', 'has jumped', 'is growing', 'has surged', 'is going up'];
const LESS = ['is falling', 'is easing', 'is lower than before', 'has dropped', 'is shrinking', 'has sunk', 'is going down'];
const EQUAL = ['has not moved', 'is as it was', 'is level', 'shows no change', 'is steady', 'stays where it was', 'is at its usual mark'];
const NOW = ['must be seen at once', 'cannot wait', 'is out of control', 'has stopped all work', 'is critical', 'has failed completely', 'is blocking everyone'];
const NEXT = ['should be seen this week', 'can wait a day', 'is slow but running', 'needs a look soon', 'comes and goes', 'has failed twice', 'is worse on some days'];
const NEVER = ['can be left alone', 'is only a question', 'is a matter of taste', 'needs no action', 'is a small wish', 'is fine for now', 'may be closed'];

export const TRADES = {
  triage: {
    openings: ['The nurse notes that', 'On the evening ward', 'At the clinic desk', 'During the morning round', 'After the second check'],
    subjects: ['the fever', 'the heart rate', 'the pain score', 'the swelling', 'the blood pressure', 'the cough', 'the infection marker'],
    labels: [' better', ' worse', ' unchanged'],
    cues: [LESS, MORE, EQUAL],
    detail: "at # o'clock",
    closings: ['The patient rests in bed two.', 'The family is in the room.', 'The doctor has the chart.', 'A nurse will look in at noon.', 'The bed is by the window.'],
  },
  contracts: {
    openings: ['Under clause four', 'By the terms of the lease', 'In the annex', 'According to the deed', 'Between the two parties'],
    subjects: ['the tenant', 'the supplier', 'the licensee', 'the guarantor', 'the buyer', 'the contractor', 'the landlord'],
    labels: [' allowed', ' forbidden', ' required'],
    cues: [
      ['may assign the agreement', 'is free to sublet', 'has the right to inspect', 'can terminate early', 'is entitled to renew', 'may set off the deposit', 'holds an option to extend'],
      ['shall not assign the agreement', 'is barred from subletting', 'has no right to inspect', 'must not terminate early', 'is prevented from renewing', 'waives any set off', 'may under no terms extend'],
      ['shall pay the fee', 'is bound to insure', 'has a duty to report', 'undertakes to repair', 'is obliged to notify', 'must keep the records', 'covenants to indemnify'],
    ],
    detail: 'under paragraph #',
    closings: ['Notice is given in writing.', 'The seal is on page nine.', 'The schedule lists the premises.', 'Both copies are signed.', 'The court of the seat decides.'],
  },
  markets: {
    openings: ['Traders report that', 'On the exchange today', 'In early dealing', 'The broker writes that', 'At the closing bell'],
    subjects: ['the share price', 'the profit', 'the order book', 'the revenue', 'the bank index', 'the demand for stock', 'the dividend'],
    labels: [' better', ' worse', ' unchanged'],
    cues: [MORE, LESS, EQUAL],
    detail: 'in report #',
    closings: ['Investors meet on Monday.', 'The fund holds its position.', 'The report covers one quarter.', 'Volume was as usual.', 'The bond desk is quiet.'],
  },
  support: {
    openings: ['The ticket says that', 'A customer writes that', 'On the help line', 'The agent logs that', 'In the support queue'],
    subjects: ['the login page', 'the web shop', 'the mail server', 'the mobile app', 'the invoice export', 'the search box', 'the payment form'],
    labels: [' urgent', ' soon', ' later'],
    cues: [NOW, NEXT, NEVER],
    detail: 'in case #',
    closings: ['The account is on the basic plan.', 'The browser is up to date.', 'The engineer has the log.', 'The app runs on a phone.', 'The case is assigned.'],
  },
  kitchen: {
    openings: ['The baker says that', 'In the warm kitchen', 'After an hour on the shelf', 'The cook sees that', 'Beside the oven'],
    subjects: ['the sponge', 'the loaf', 'the batter', 'the brioche', 'the souffle', 'the yeast starter', 'the dough'],
    labels: [' wait', ' throw', ' bake'],
    cues: [MORE, LESS, EQUAL],
    detail: 'after # minutes',
    closings: ['The butter is in the bowl.', 'The flour is from the mill.', 'The tin is lined with paper.', 'The recipe serves six.', 'The salt was weighed.'],
  },
  laboratory: {
    openings: ['The protocol records that', 'At the bench', 'In the second trial', 'The chemist notes that', 'Under the fume hood'],
    subjects: ['the centrifuge', 'the gas line', 'the freezer', 'the balance', 'the incubator', 'the water bath', 'the spectrometer'],
    labels: [' urgent', ' soon', ' later'],
    cues: [NOW, NEXT, NEVER],
    detail: 'in run #',
    closings: ['The flask is labelled.', 'The buffer is at room temperature.', 'The pipette was calibrated.', 'The assay uses one plate.', 'The samples are in rack three.'],
  },
} as const satisfies Readonly<Record<string, Trade>>;

/** A note of a trade that says the cue. */
export function sentence(trade: Trade, random: Random, cue: string): string {
  const detail = trade.detail.replace('#', String(1 + random.below(12)));
  return `${pick(random, trade.openings)} ${pick(random, trade.subjects)} ${cue} ${detail}. ${pick(random, trade.closings)}`;
}

/** What the model reads of a row. */
export const promptOf = (text: string): string => `${text}\nAnswer:`;

/** Notes of a trade, each answered by what it calls the cue; the parameters are those of {@link rowsOf}. */
export function notesOf(path: string, trade: Trade, share: Share, count: number, seed: number): Example[] {
  return rowsOf(path, share, count, seed, trade.labels.length, (random, answer) => ({
    prompt: promptOf(sentence(trade, random, pick(random, trade.cues[answer]!))), options: trade.labels, answer,
  }));
}
