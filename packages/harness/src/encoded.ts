import type { Example, RunEvent, TaskData } from '@lethe/core';
import type { Tokenizer } from '@lethe/model';
import { type EncodedExample, encodeRow } from './packing.js';

type Rows = readonly Example[];

const known = new WeakMap<Tokenizer, WeakMap<Rows, Map<string, readonly EncodedExample[]>>>();

/** What a map has of a key, made where it is missing. */
function made<K, V>(map: { get(key: K): V | undefined; set(key: K, value: V): unknown }, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const value = make();
  map.set(key, value);
  return value;
}

/**
 * The tokens of rows by {@link encodeRow}, made once for all runs of a process that share model and suite, and kept as long as these are.
 *
 * @throws LETHE_DATA_ROW
 */
export function encodeRows(tokenizer: Tokenizer, rows: Rows, maxTokens: number, answer?: number): readonly EncodedExample[] {
  const byRows = made(known, tokenizer, () => new WeakMap<Rows, Map<string, readonly EncodedExample[]>>());
  const bySettings = made(byRows, rows, () => new Map<string, readonly EncodedExample[]>());
  return made(bySettings, `${maxTokens} ${answer}`, () => rows.map((row) => encodeRow(tokenizer, row, maxTokens, answer)));
}

/** How many rows of a task are not read whole, as an event tells it; null where all are. */
export function cutOf(
  { id, written }: TaskData, split: 'train' | 'test', rows: readonly EncodedExample[],
): Omit<Extract<RunEvent, { type: 'rows-cut' }>, 'type' | 'run' | 'maxTokens' | 'virtualTokens'> | null {
  const prompts = rows.filter(({ cutPrompt }) => cutPrompt).length;
  const answers = split === 'train' ? rows.filter(({ cutAnswer }) => cutAnswer).length : 0;
  return prompts + answers === 0 ? null : { task: id, split, of: rows.length, prompts, answers, ...(written && { answerTokens: written.maxTokens }) };
}
