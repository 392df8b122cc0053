import { LetheError, didYouMean } from '@lethe/core';

/** More layers than any model has: a damaged number is refused before lists of that length are made. */
const MOST_LAYERS = 1000;

/** Reads numbers out of a configuration; every refusal names the file and the field. */
export class Fields {
  private constructor(private readonly json: Readonly<Record<string, unknown>>, private readonly file: string) {}

  static parse(text: string, file: string): Fields {
    const refuse = (message: string, cause?: unknown) =>
      new LetheError('LETHE_MODEL_CONFIG', message, { where: file, remedy: 'Copy or download the file again.', cause });
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (cause) {
      throw refuse('The configuration is not JSON.', cause);
    }
    if (typeof json !== 'object' || json === null || Array.isArray(json)) throw refuse('The configuration is not a JSON object.');
    return new Fields(json as Record<string, unknown>, file);
  }

  fail(field: string, message: string): never {
    throw new LetheError('LETHE_MODEL_CONFIG', message, { where: `${this.file}: ${field}`, remedy: `Correct "${field}" in ${this.file}.` });
  }

  get(field: string): unknown {
    return this.json[field] ?? undefined;
  }

  /** A field that is an object; empty where it is missing. */
  record(field: string): Readonly<Record<string, unknown>> {
    const value = this.get(field) ?? {};
    return typeof value === 'object' && !Array.isArray(value) ? value as Record<string, unknown> : this.fail(field, `"${field}" must be an object.`);
  }

  number(field: string, fallback?: unknown): number {
    const value = this.get(field) ?? fallback;
    if (value === undefined) this.fail(field, `"${field}" is missing.${didYouMean(field, Object.keys(this.json))}`);
    return typeof value === 'number' && value > 0 ? value : this.fail(field, `"${field}" must be a number above 0, not ${JSON.stringify(value)}.`);
  }

  integer(field: string, fallback?: number): number {
    const value = this.number(field, fallback);
    return Number.isSafeInteger(value) ? value : this.fail(field, `"${field}" must be an integer, not ${value}.`);
  }

  /** The number of layers. */
  layers(field: string): number {
    const value = this.integer(field);
    return value <= MOST_LAYERS ? value : this.fail(field, `"${field}" is ${value}; at most ${MOST_LAYERS} are supported.`);
  }
}
