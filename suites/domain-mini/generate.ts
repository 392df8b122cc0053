import { type Example, type Random, createRandom } from '@lethe/core';
import { type Share, pick, shareOf } from '../shared/rows.js';
import { type Trade, TRADES, notesOf, promptOf, sentence } from '../shared/trades.js';

// Where domains agree, what one teaches helps the next (support and laboratory ask the same of the same phrases). Where they
// conflict, the later one spoils the earlier: a rising fever is worse, a rising price is better, and both say so with the same
// words. Contract clauses share nothing with the others and suffer from drift alone.
const DOMAINS: Readonly<Record<string, Trade>> = TRADES;

/** The ids of the tasks. */
export const TASKS: readonly string[] = Object.keys(DOMAINS);

function domainOf(taskId: string): Trade {
  const domain = DOMAINS[taskId];
  if (domain === undefined) throw new RangeError(`domain-mini has no task "${taskId}"; it has ${TASKS.join(', ')}`);
  return domain;
}

/**
 * `count` distinct rows of a task, as many of each label (within one), the same for the same arguments.
 *
 * @throws RangeError for an unknown task, or more rows than there are
 */
export function generate(taskId: string, split: Share, count: number, seed: number): Example[] {
  return notesOf(`domain-mini/${taskId}`, domainOf(taskId), split, count, seed);
}

/** Label words of any domains side by side: the base model meets them as words, but not what they are answers to. */
function wordList(random: Random): string {
  const words = random.shuffle([...new Set(Object.values(DOMAINS).flatMap(({ labels }) => labels))]).slice(0, 3);
  return `Words in use:${words.join(',')}.`;
}

/**
 * Texts of the domains from the pretraining share: sentences, the same as a question that is answered with another phrase of the
 * same meaning, and lists of label words. From them the base model knows the language and what an answer is, but not what any
 * domain calls it: no label follows any sentence.
 */
export function pretrainText(seed: number, documents: number): string[] {
  const random = createRandom(seed, 'domain-mini', 'text');
  const texts: string[] = [];
  while (texts.length < documents) {
    const domain = domainOf(pick(random, TASKS));
    const [said, meant] = random.shuffle(pick(random, domain.cues)) as [string, string];
    const text = sentence(domain, random, said);
    const prompt = promptOf(text);
    const kind = random.below(10);
    if (shareOf(prompt) === 'pretrain') texts.push(kind === 0 ? wordList(random) : kind < 6 ? `${prompt} it ${meant}.` : text);
  }
  return texts;
}
