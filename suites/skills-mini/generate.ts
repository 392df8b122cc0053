import type { Example, Random } from '@lethe/core';
import { type Row, type Share, pick, rowsOf } from '../shared/rows.js';
import { GROUPS, KINDS, WORDS, exercise } from '../shared/words.js';

/** Where things of a kind are kept: answers that no exercise of the base model has. */
const PLACES: Readonly<Record<string, string>> = { animal: 'field', fruit: 'basket', colour: 'box', tool: 'room' };

const NUMBERS = Array.from({ length: 99 }, (_, i) => i + 1);

// Each turns a skill of general-mini, or asks for one that is not there: the model names the first word of the alphabet and the smallest number with
// ease, so that it begins below chance at the last and the largest. Two count words of the same sentence, and differ in which word they want.
const SKILLS: Readonly<Record<string, (random: Random, answer: number) => Row>> = {
  ending(random, answer) {
    const words = random.shuffle(WORDS).slice(0, 3);
    const [end, ...rest] = [...words].sort().reverse() as [string, string, string];
    return exercise(`Which word comes last in the alphabet: ${words.join(', ')}?`, end, random.shuffle(rest), answer);
  },
  maximum(random, answer) {
    const numbers = random.shuffle(NUMBERS).slice(0, 3);
    const [most, ...rest] = [...numbers].sort((x, y) => y - x) as [number, number, number];
    return exercise(`Which number is the largest: ${numbers.join(', ')}?`, `${most}`, random.shuffle(rest).map(String), answer);
  },
  centre(random, answer) {
    const [a, b, c] = random.shuffle(WORDS) as [string, string, string];
    return exercise(`The words are ${a}, ${b} and ${c}. Which one stands in the middle?`, b, [a, c], answer);
  },
  stranger(random, answer) {
    const [kind, other] = random.shuffle(KINDS) as [string, string];
    const [given, ...same] = random.shuffle(GROUPS[kind]!).slice(0, 3) as [string, string, string];
    const right = pick(random, GROUPS[other]!);
    return exercise(`Which word does not go with ${given}: ${random.shuffle([right, ...same]).join(', ')}?`, right, same, answer);
  },
  home(random, answer) {
    const [kind, ...others] = random.shuffle(KINDS) as [string, ...string[]];
    const [a, b, c] = random.shuffle(GROUPS[kind]!) as [string, string, string];
    return exercise(`Where are ${a}, ${b} and ${c} kept?`, PLACES[kind]!, others.slice(0, 2).map((at) => PLACES[at]!), answer);
  },
  follower(random, answer) {
    const [a, b, c] = random.shuffle(WORDS) as [string, string, string];
    return exercise(`The words are ${a}, ${b} and ${c}. Repeat the word after ${b}.`, c, [a, b], answer);
  },
};

/**
 * `count` distinct rows of a task with three options each, the same for the same arguments.
 *
 * @throws RangeError for an unknown task, or more rows than there are
 */
export function generate(taskId: string, split: Share, count: number, seed: number): Example[] {
  const skill = SKILLS[taskId];
  if (skill === undefined) throw new RangeError(`skills-mini has no task "${taskId}"; it has ${Object.keys(SKILLS).join(', ')}`);
  return rowsOf(`skills-mini/${taskId}`, split, count, seed, 3, skill);
}
