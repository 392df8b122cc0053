import { createHash } from 'node:crypto';

/** JSON with sorted keys and no white space: equal values give equal text. `undefined` properties are left out. */
export function canonicalJson(value: unknown): string {
  // lists of numbers are what results are made of: thousands of predictions
  if (Array.isArray(value) && value.every((item) => typeof item === 'number')) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((v) => canonicalJson(v ?? null)).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** sha256 in hexadecimal of text, bytes, or the canonical JSON of anything else. */
export function sha256(value: unknown): string {
  const bytes = typeof value === 'string' || value instanceof Uint8Array ? value : canonicalJson(value);
  return createHash('sha256').update(bytes).digest('hex');
}

/** Puts what has the same key together: by the canonical JSON of the key, in the order of appearance. */
export function grouped<T>(items: readonly T[], key: (item: T) => unknown): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = canonicalJson(key(item));
    const known = groups.get(name);
    if (known) known.push(item);
    else groups.set(name, [item]);
  }
  return [...groups.values()];
}
