const WORDS: Readonly<Record<string, string>> = {
  string: 'a text', integer: 'a whole number', number: 'a number', boolean: 'true or false', array: 'a list', object: 'an object', null: 'null',
};

/** A type of JSON Schema, or several, in words. */
export const typeWords = (type: unknown): string => [type].flat().map((word) => WORDS[String(word)] ?? String(word)).join(' or ');

const typesOf = (data: unknown): readonly string[] =>
  [data === null ? 'null' : Array.isArray(data) ? 'array' : typeof data, ...(Number.isInteger(data) ? ['integer'] : [])];

/** Whether a value is of a type, or of one of several; any is where none is asked for. */
export const hasType = (data: unknown, type: unknown): boolean => type === undefined || [type].flat().some((name) => typesOf(data).includes(name as string));
