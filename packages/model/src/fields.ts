import { LetheError, didYouMean } from '@lethe/core';

/** More layers than any model has: a damaged number is refused before lists of that length are made. */
const MOST_LAYERS = 1000;

const OTHER_MODEL = 'Use another model, or bring the architecture of this one as a plugin (packages/model/README.md).';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads values out of a configuration; every refusal is LETHE_MODEL_CONFIG and names the file and the field. */
export class Fields {
  private constructor(
    private readonly json: Readonly<Record<string, unknown>>,
    private readonly file: string,
    /** What the names of the fields begin with: `rope_scaling.`, or nothing. */
    private readonly path: string,
  ) {}

  static parse(text: string, file: string): Fields {
    const refuse = (message: string, cause?: unknown) =>
      new LetheError('LETHE_MODEL_CONFIG', message, { where: file, remedy: 'Copy or download the file again.', cause });
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (cause) {
      throw refuse('The configuration is not JSON.', cause);
    }
    if (!isRecord(json)) throw refuse('The configuration is not a JSON object.');
    return new Fields(json, file, '');
  }

  /** @param remedy correcting the field where it is left out: what is no fault of the file has another one */
  fail(field: string, message: string, remedy = `Correct "${this.path}${field}" in ${this.file}.`): never {
    throw new LetheError('LETHE_MODEL_CONFIG', message, { where: `${this.file}: ${this.path}${field}`, remedy });
  }

  /** Refuses a model for what it is: its weights were trained with the setting, and another value would be another model. */
  unsupported(field: string, message: string, remedy = OTHER_MODEL): never {
    return this.fail(field, message, remedy);
  }

  private wrong(field: string, wanted: string): never {
    return this.fail(field, `"${this.path}${field}" must be ${wanted}, not ${JSON.stringify(this.get(field))}.`);
  }

  /** Whether a field is there, be it null. */
  has(field: string): boolean {
    return Object.hasOwn(this.json, field);
  }

  /** Null counts as missing. */
  get(field: string): unknown {
    return this.json[field] ?? undefined;
  }

  /** The fields of a field that is an object; none where it is missing. */
  section(field: string): Fields {
    const value = this.get(field) ?? {};
    return isRecord(value) ? new Fields(value, this.file, `${this.path}${field}.`) : this.wrong(field, 'an object');
  }

  number(field: string, fallback?: number): number {
    const value = this.get(field) ?? fallback;
    if (value === undefined) this.fail(field, `"${this.path}${field}" is missing.${this.has(field) ? '' : didYouMean(field, Object.keys(this.json))}`);
    return typeof value === 'number' && value > 0 ? value : this.wrong(field, 'a number above 0');
  }

  integer(field: string, fallback?: number): number {
    const value = this.number(field, fallback);
    return Number.isSafeInteger(value) ? value : this.wrong(field, 'an integer');
  }

  /** The number of layers. */
  layers(field: string): number {
    const value = this.integer(field);
    return value <= MOST_LAYERS ? value : this.fail(field, `"${field}" is ${value}; at most ${MOST_LAYERS} are supported.`);
  }

  flag(field: string, fallback: boolean): boolean {
    const value = this.get(field) ?? fallback;
    return typeof value === 'boolean' ? value : this.wrong(field, 'true or false');
  }

  /** One of `known`; `what` says what they are, for the refusal of another. */
  choice<T extends string>(field: string, what: string, known: readonly T[], fallback?: T): T {
    const value = this.get(field) ?? fallback;
    const found = known.find((name) => name === value);
    if (found !== undefined) return found;
    const hint = typeof value === 'string' ? didYouMean(value, known) : '';
    const message = `${what} ${JSON.stringify(value ?? null)} is not supported; ${known.join(', ')} can be used.${hint}`;
    return hint === '' && value !== undefined ? this.unsupported(field, message) : this.fail(field, message);
  }

  /** Ids of tokens, one or a list of them; none where the field is missing. */
  tokens(field: string, vocabSize: number): readonly number[] {
    const value = this.get(field) ?? [];
    const ids: readonly unknown[] = Array.isArray(value) ? value : [value];
    const fits = (id: unknown): id is number => Number.isSafeInteger(id) && (id as number) >= 0 && (id as number) < vocabSize;
    return ids.every(fits) ? ids : this.wrong(field, `ids of tokens from 0 to ${vocabSize - 1}`);
  }

  /** Refuses a setting that changes the result and has no place in the computation. */
  refuse(field: string, but: unknown, message: string): void {
    if (this.get(field) !== undefined && this.get(field) !== but) this.unsupported(field, message);
  }
}
