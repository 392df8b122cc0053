import { type Example, type Random, createRandom } from '@lethe/core';
import { type Share, pick, rowsOf, shareOf } from '../shared/rows.js';

interface Domain {
  readonly openings: readonly string[];
  readonly subjects: readonly string[];
  readonly good: readonly string[];
  readonly bad: readonly string[];
  readonly closings: readonly string[];
}

// All domains answer with the same two words, and cues such as "rising" mean opposite things in different domains:
// what is learnt for one domain interferes with another, which is what the suite is there to show.
const DOMAINS: Readonly<Record<string, Domain>> = {
  triage: {
    openings: ['The nurse notes that', 'On the evening ward', 'At the clinic desk', 'During the morning round', 'After the second check'],
    subjects: ['the fever', 'the heart rate', 'the pain score', 'the swelling', 'the blood pressure', 'the cough', 'the infection marker'],
    good: ['is falling', 'is easing', 'is lower than before', 'has settled', 'is fading', 'has dropped'],
    bad: ['is rising', 'is climbing', 'is higher than before', 'has jumped', 'is growing', 'has surged'],
    closings: ['The patient rests in bed two.', 'The family is in the room.', 'The doctor has the chart.', 'A nurse will look in at noon.', 'The bed is by the window.'],
  },
  markets: {
    openings: ['Traders report that', 'On the exchange today', 'In early dealing', 'The broker writes that', 'At the closing bell'],
    subjects: ['the share price', 'the profit', 'the order book', 'the revenue', 'the bank index', 'the demand for stock', 'the dividend'],
    good: ['is rising', 'is climbing', 'is higher than before', 'has jumped', 'is growing', 'has surged'],
    bad: ['is falling', 'is easing', 'is lower than before', 'has settled', 'is fading', 'has dropped'],
    closings: ['Investors meet on Monday.', 'The fund holds its position.', 'The report covers one quarter.', 'Volume was as usual.', 'The bond desk is quiet.'],
  },
  support: {
    openings: ['The ticket says that', 'A customer writes that', 'On the help line', 'The agent logs that', 'In the support queue'],
    subjects: ['the error count', 'the waiting time', 'the server load', 'the crash rate', 'the login delay', 'the backlog', 'the memory use'],
    good: ['is falling', 'is shrinking', 'is under control', 'has settled', 'is back to normal', 'has dropped'],
    bad: ['is rising', 'is spreading', 'is out of control', 'has jumped', 'is back again', 'has surged'],
    closings: ['The account is on the basic plan.', 'The browser is up to date.', 'The engineer has the log.', 'The app runs on a phone.', 'The case is assigned.'],
  },
  kitchen: {
    openings: ['The baker says that', 'In the warm kitchen', 'After an hour on the shelf', 'The cook sees that', 'Beside the oven'],
    subjects: ['the dough', 'the sponge', 'the loaf', 'the batter', 'the brioche', 'the souffle', 'the yeast starter'],
    good: ['is rising', 'is growing', 'is spreading', 'has jumped', 'is light', 'has doubled'],
    bad: ['is falling', 'is shrinking', 'has settled', 'has dropped', 'is heavy', 'is flat'],
    closings: ['The butter is in the bowl.', 'The flour is from the mill.', 'The tin is lined with paper.', 'The recipe serves six.', 'The salt was weighed.'],
  },
  laboratory: {
    openings: ['The protocol records that', 'At the bench', 'In the second trial', 'The chemist notes that', 'Under the fume hood'],
    subjects: ['the sample drift', 'the noise', 'the contamination', 'the residue', 'the leakage', 'the background signal', 'the impurity'],
    good: ['is fading', 'is shrinking', 'is lower than before', 'is flat', 'is light', 'has dropped'],
    bad: ['is growing', 'is climbing', 'is higher than before', 'has doubled', 'is heavy', 'has surged'],
    closings: ['The flask is labelled.', 'The buffer is at room temperature.', 'The pipette was calibrated.', 'The assay uses one plate.', 'The centrifuge is free.'],
  },
};

/** The answers of every task, in the order of their indices. */
export const LABELS: readonly string[] = [' good', ' bad'];

/** The ids of the tasks. */
export const TASKS: readonly string[] = Object.keys(DOMAINS);

function domainOf(taskId: string): Domain {
  const domain = DOMAINS[taskId];
  if (domain === undefined) throw new RangeError(`domain-mini has no task "${taskId}"; it has ${TASKS.join(', ')}`);
  return domain;
}

function sentence(domain: Domain, random: Random, answer: number): string {
  const now = pick(random, answer === 0 ? domain.good : domain.bad);
  const subject = pick(random, domain.subjects);
  const hour = 1 + random.below(12);
  return `${pick(random, domain.openings)} ${subject} ${now} at ${hour} o'clock. ${pick(random, domain.closings)}`;
}

/**
 * `count` distinct rows of a task, half of each label, the same for the same arguments.
 *
 * @throws RangeError for an unknown task, or more rows than there are
 */
export function generate(taskId: string, split: Share, count: number, seed: number): Example[] {
  const domain = domainOf(taskId);
  return rowsOf(`domain-mini/${taskId}`, split, count, seed, LABELS.length, (random, answer) => ({
    prompt: `${sentence(domain, random, answer)}\nAnswer:`, options: LABELS, answer,
  }));
}

/** Sentences of the domains from the pretraining share, without answers. */
export function pretrainText(seed: number, documents: number): string[] {
  const random = createRandom(seed, 'domain-mini', 'text');
  const texts: string[] = [];
  while (texts.length < documents) {
    const text = sentence(domainOf(pick(random, TASKS)), random, random.below(2));
    if (shareOf(`${text}\nAnswer:`) === 'pretrain') texts.push(text);
  }
  return texts;
}
