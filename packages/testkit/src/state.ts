import { type Arrays, type LearnerState, clone } from '@lethe/core';

/** An independent copy of named arrays. */
export function copyArrays(arrays: Arrays): Arrays {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, clone(array)]));
}

/** An independent copy of a value; the value itself where it cannot be copied, such as a function. */
export function copyOf<T>(value: T): T {
  try {
    return structuredClone(value);
  } catch {
    return value;
  }
}

/** An independent copy of a state. */
export function copyState({ trainable, frozen, stored, json, rows }: LearnerState): LearnerState {
  return {
    trainable: copyArrays(trainable), frozen: copyArrays(frozen), stored: copyArrays(stored), json: copyOf(json),
    ...(rows ? { rows: copyOf(rows) } : {}),
  };
}

/** Where two lists of numbers differ first, bit by bit; null where they do not. */
export function differingValue(a: ArrayLike<number>, b: ArrayLike<number>): string | null {
  if (a.length !== b.length) return `${a.length} values instead of ${b.length}`;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return `value ${i} is ${a[i]} instead of ${b[i]}`;
  return null;
}

/** Where named arrays differ first; null where they do not. */
export function differingArray(a: Arrays, b: Arrays): string | null {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  for (const name of names) {
    const [p, q] = [a[name], b[name]];
    if (!p || !q) return `array "${name}" is ${p ? 'there' : 'not there'} instead of ${q ? 'there' : 'not there'}`;
    if (p.shape.join() !== q.shape.join()) return `array "${name}" has shape [${p.shape.join(', ')}] instead of [${q.shape.join(', ')}]`;
    const value = differingValue(p.data, q.data);
    if (value) return `array "${name}": ${value}`;
  }
  return null;
}

/** Where two states differ first; null where they do not. */
export function differingState(a: LearnerState, b: LearnerState): string | null {
  for (const group of ['trainable', 'frozen', 'stored'] as const) {
    const array = differingArray(a[group], b[group]);
    if (array) return `${group} ${array}`;
  }
  for (const part of ['json', 'rows'] as const) {
    const [p, q] = [JSON.stringify(a[part]), JSON.stringify(b[part])];
    if (p !== q) return `${part} is ${shortened(p)} instead of ${shortened(q)}`;
  }
  return null;
}

/** Where two lists of prompts differ first; null where they do not. */
export function differingPrompt(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): string | null {
  const at = Array.from({ length: Math.max(a.length, b.length) }, (_, i) => i).find((i) => a[i]?.join(' ') !== b[i]?.join(' '));
  return at === undefined ? null : `the prompt of row ${at + 1} is [${shortened(a[at]?.join(' '))}] instead of [${shortened(b[at]?.join(' '))}]`;
}

const shortened = (text: string | undefined) => (text !== undefined && text.length > 80 ? `${text.slice(0, 80)}…` : String(text));
