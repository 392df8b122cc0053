import type { Row } from './rows.js';

/** Words that the base model has met in exercises, by kind. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = {
  animal: ['cat', 'dog', 'horse', 'cow', 'sheep', 'lion', 'bear', 'fox', 'wolf', 'duck', 'goat', 'mouse'],
  fruit: ['apple', 'pear', 'plum', 'grape', 'lemon', 'peach', 'cherry', 'melon', 'orange', 'mango', 'fig', 'lime'],
  colour: ['red', 'blue', 'green', 'black', 'white', 'brown', 'pink', 'grey', 'yellow', 'purple', 'gold', 'silver'],
  tool: ['hammer', 'saw', 'drill', 'spade', 'axe', 'rake', 'chisel', 'wrench', 'knife', 'file', 'clamp', 'plane'],
};
export const KINDS = Object.keys(GROUPS);
export const WORDS = Object.values(GROUPS).flat();

/** A question with three options, the right one at the wanted index among the wrong ones. */
export function exercise(question: string, right: string, wrong: readonly string[], answer: number): Row {
  const options = [...wrong.slice(0, answer), right, ...wrong.slice(answer)].map((word) => ` ${word}`);
  return { prompt: `${question}\nAnswer:`, options, answer };
}
