import { hasType, typeWords } from './json-types.js';

type Schema = Readonly<Record<string, unknown>>;

/** Longer values are not written out. */
const LONGEST = 60;

const TRUTH: Readonly<Record<string, boolean>> = { true: true, yes: true, on: true, false: false, no: false, off: false };

/** Whether a schema lets a value be, by itself: what another one says that it names is not known here. */
function fits(value: unknown, schema: Schema): boolean {
  const { type, enum: values, pattern, minimum = -Infinity, maximum = Infinity } = schema;
  if (['$ref', 'anyOf', 'oneOf', 'allOf'].some((elsewhere) => elsewhere in schema) || !hasType(value, type)) return false;
  if (Array.isArray(values) && !values.includes(value)) return false;
  if (typeof value === 'number') return Number.isFinite(value) && value >= Number(minimum) && value <= Number(maximum);
  return typeof value !== 'string' || typeof pattern !== 'string' || new RegExp(pattern, 'u').test(value);
}

/** A value as a schema lets it be, where what was written may stand for one; undefined where it does not. */
function asOne(given: unknown, schema: Schema): unknown {
  const read = typeof given === 'string' && given !== '' ? [Number(given), TRUTH[given.toLowerCase()]] : [];
  const text = typeof given === 'number' || typeof given === 'boolean' ? [String(given)] : [];
  return [given, ...read, ...text].find((value) => value !== undefined && fits(value, schema));
}

/** The list that one value, or several with commas between them, was to be; undefined where a schema lets none of that be. */
function asList(given: unknown, { items = {}, minItems = 1 }: Schema): readonly unknown[] | undefined {
  const parts: readonly unknown[] = typeof given === 'string' ? given.split(',').map((part) => part.trim()) : [given];
  const values = parts.map((part) => asOne(part, items as Schema));
  return values.includes(undefined) || values.length < Number(minItems) ? undefined : values;
}

/** How documents are written that are mended. */
export type Notation = 'YAML' | 'JSON';

/** A text that YAML reads as one without quotes. */
const PLAIN = /^(?!(?:true|false|null)$)(?:\.{1,2}\/)?[a-z_][\w./-]*$/i;

/** A value as it is written in a document. */
function written(value: unknown, notation: Notation): string {
  if (Array.isArray(value)) return `[${value.map((item) => written(item, notation)).join(', ')}]`;
  return notation === 'YAML' && typeof value === 'string' && PLAIN.test(value) ? value : JSON.stringify(value);
}

/**
 * What to write in the place of a value of the wrong type.
 *
 * @param name of the field; undefined for an item of a list
 * @param schema of the value
 */
export function typeRemedy(given: unknown, type: unknown, schema: Schema, name: string | undefined, notation: Notation): string {
  const place = (value: unknown) => (name === undefined ? `${written(value, notation)} there` : `${written(name, notation)}: ${written(value, notation)}`);
  const short = (value: unknown) => JSON.stringify(value).length <= LONGEST;
  const one = asOne(Array.isArray(given) ? given[0] : given, schema);
  const value = one ?? (type === 'array' && given !== null ? asList(given, schema) : undefined);
  if (value !== undefined && short(value)) return `${Array.isArray(given) && given.length > 1 ? 'write one alone, such as' : 'write'} ${place(value)}`;
  return `give ${name ?? 'it'} ${typeWords(type)}`;
}
