import { bytesOf, sizeOf } from './arrays.js';
import type { LearnerState } from './method.js';

/** Bytes of all that a learner keeps: its arrays as float32, and four bytes for every token id of its rows. */
export function bytesOfState({ trainable, frozen, stored, rows = [] }: LearnerState): number {
  const tokens = rows.reduce((sum, { prompt, answer }) => sum + prompt.length + answer.length, 0);
  return bytesOf(trainable) + bytesOf(frozen) + bytesOf(stored) + 4 * tokens;
}

/** Whether a value is an object of no class: what keeps its values elsewhere, as a Map does, would be kept as an empty one. */
const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null);

/** A value in a few words. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'number') return String(value);
  return `a ${typeof value === 'object' ? (value.constructor as { name?: string } | undefined)?.name ?? 'object' : typeof value}`;
}

/** What is wrong with named arrays, each a Float32Array of its shape; null where nothing is. `group` is what the message calls them. */
export function arraysFault(group: string, arrays: unknown): string | null {
  if (!isPlain(arrays)) return `${group} is ${kindOf(arrays)}, not arrays by name`;
  for (const [name, array] of Object.entries(arrays)) {
    const { shape, data } = (array ?? {}) as { shape?: unknown; data?: unknown };
    if (!Array.isArray(shape)) return `the array "${name}" in ${group} has no shape`;
    if (!(data instanceof Float32Array)) return `the array "${name}" in ${group} holds ${kindOf(data)}, not a Float32Array`;
    if (data.length !== sizeOf(shape as number[])) return `the array "${name}" in ${group} has ${data.length} values, but the shape [${shape.join(', ')}]`;
  }
  return null;
}

/** Where a value holds what JSON would drop or change, and what that is; null where it comes back as it was. */
function jsonFault(value: unknown, at: string, holders: readonly unknown[] = []): string | null {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return null;
  if (!Array.isArray(value) && !isPlain(value)) return `${at} is ${kindOf(value)}`;
  if (holders.includes(value)) return `${at} holds itself`;
  // a property that is undefined reads the same as one that is not there; in a list it would come back as null
  const entries = Object.entries(value).filter(([, held]) => held !== undefined || Array.isArray(value));
  for (const [key, held] of entries) {
    const fault = jsonFault(held, Array.isArray(value) ? `${at}[${key}]` : `${at}.${key}`, [...holders, value]);
    if (fault) return fault;
  }
  return null;
}

const ofTokens = (list: unknown): boolean => Array.isArray(list) && list.every((token) => Number.isInteger(token) && (token as number) >= 0);

/**
 * What is wrong with what a learner's `save` gave; null where it comes back from a file as it was: arrays that are Float32Arrays of their
 * shapes, json that is plain JSON (or not there), rows of token ids.
 */
export function stateFault(state: unknown): string | null {
  if (!isPlain(state)) return `it is ${kindOf(state)}, not a state of trainable, frozen, stored and json`;
  for (const group of ['trainable', 'frozen', 'stored'] as const) {
    const fault = arraysFault(group, state[group]);
    if (fault) return fault;
  }
  const lost = state['json'] === undefined ? null : jsonFault(state['json'], 'json');
  if (lost) return `${lost}, which is no plain JSON and would not come back`;
  const rows = state['rows'] ?? [];
  if (Array.isArray(rows) && rows.every((row) => isPlain(row) && ofTokens(row['prompt']) && ofTokens(row['answer']))) return null;
  return 'rows is not a list of rows, with the token ids of prompt and answer';
}
