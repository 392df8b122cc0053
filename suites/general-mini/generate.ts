import { type Example, type Random, createRandom } from '@lethe/core';
import { type Row, type Share, pick, rowsOf, shareOf } from '../shared/rows.js';
import { GROUPS, KINDS, WORDS, exercise } from '../shared/words.js';

const SKILLS: Readonly<Record<string, (random: Random, answer: number) => Row>> = {
  copy(random, answer) {
    const [a, b, c] = random.shuffle(WORDS) as [string, string, string];
    return exercise(`The words are ${b}, ${a} and ${c}. Repeat the word ${a}.`, a, [b, c], answer);
  },
  alphabet(random, answer) {
    const words = random.shuffle(WORDS).slice(0, 3);
    const [first, ...rest] = [...words].sort() as [string, string, string];
    return exercise(`Which word comes first in the alphabet: ${words.join(', ')}?`, first, random.shuffle(rest), answer);
  },
  count(random, answer) {
    const [word, ...others] = random.shuffle(WORDS) as [string, ...string[]];
    const times = 1 + random.below(4);
    const words = random.shuffle([...Array<string>(times).fill(word), ...others.slice(0, 5 - times)]);
    const wrong = random.shuffle([1, 2, 3, 4].filter((n) => n !== times)).slice(0, 2).map(String);
    return exercise(`How often is ${word} in this list: ${words.join(', ')}?`, `${times}`, wrong, answer);
  },
  compare(random, answer) {
    const numbers = random.shuffle(Array.from({ length: 99 }, (_, i) => i + 1)).slice(0, 3);
    const [least, ...rest] = [...numbers].sort((x, y) => x - y) as [number, number, number];
    return exercise(`Which number is the smallest: ${numbers.join(', ')}?`, `${least}`, random.shuffle(rest).map(String), answer);
  },
  sum(random, answer) {
    const [a, b] = [1 + random.below(80), 1 + random.below(9)];
    const wrong = random.shuffle([-2, -1, 1, 2]).slice(0, 2).map((step) => `${a + b + step}`);
    return exercise(`What is ${a} plus ${b}?`, `${a + b}`, wrong, answer);
  },
  category(random, answer) {
    const [kind, ...others] = random.shuffle(KINDS) as [string, ...string[]];
    const [a, b, c] = random.shuffle(GROUPS[kind]!) as [string, string, string];
    return exercise(`What are ${a}, ${b} and ${c}?`, kind, others.slice(0, 2), answer);
  },
  odd(random, answer) {
    const [kind, other] = random.shuffle(KINDS) as [string, string];
    const same = random.shuffle(GROUPS[kind]!).slice(0, 2);
    const stranger = pick(random, GROUPS[other]!);
    return exercise(`Which is the odd one out: ${random.shuffle([...same, stranger]).join(', ')}?`, stranger, same, answer);
  },
};

/** The ids of the tasks. */
export const TASKS: readonly string[] = Object.keys(SKILLS);

/**
 * `count` distinct rows of a task with three options each, the same for the same arguments.
 *
 * @throws RangeError for an unknown task, or more rows than there are
 */
export function generate(taskId: string, split: Share, count: number, seed: number): Example[] {
  const skill = SKILLS[taskId];
  if (skill === undefined) throw new RangeError(`general-mini has no task "${taskId}"; it has ${TASKS.join(', ')}`);
  return rowsOf(`general-mini/${taskId}`, split, count, seed, 3, skill);
}

/** Exercises with their answers, from the pretraining share. */
export function pretrainText(seed: number, documents: number): string[] {
  const random = createRandom(seed, 'general-mini', 'text');
  const texts: string[] = [];
  while (texts.length < documents) {
    const { prompt, options, answer } = SKILLS[pick(random, TASKS)]!(random, random.below(3));
    if (shareOf(prompt) === 'pretrain') texts.push(`${prompt}${options[answer]}`);
  }
  return texts;
}
