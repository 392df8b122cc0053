import type { ErrorObject } from 'ajv';
import { didYouMean } from './errors.js';
import { hasType, typeWords } from './json-types.js';
import { type Notation, typeRemedy } from './remedy.js';

type Schema = Readonly<Record<string, unknown>>;
type Fields = Readonly<Record<string, unknown>>;

const isFields = (data: unknown): data is Fields => typeof data === 'object' && data !== null && !Array.isArray(data);

/** The values that a schema lets something have, in words; undefined where it says it in another way. */
export function valueWords({ enum: values, type, minimum, maximum }: Readonly<Record<string, unknown>> = {}): string | undefined {
  if (Array.isArray(values)) return `one of ${values.map(String).join(', ')}`;
  if (type === undefined) return undefined;
  return `${typeWords(type)}${minimum === undefined ? '' : ` from ${String(minimum)} to ${String(maximum)}`}`;
}

const LONGEST = 60;

/** A value as an error shows it. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** What is wrong with a value that is none of a list. */
export function listFault(values: readonly unknown[], given: unknown): string {
  const allowed = values.map(String);
  return `must be one of ${allowed.join(', ')}, not ${shown(given)}.${typeof given === 'string' ? didYouMean(given, allowed) : ''}`;
}

/** The values that a branch allows a field, where it lists them: by these an object says which of several branches it means. */
function listed({ properties = {} }: { readonly properties?: Readonly<Record<string, Schema>> }): [field: string, values: readonly unknown[]][] {
  return Object.entries(properties).flatMap(([field, schema]): [string, readonly unknown[]][] =>
    (Array.isArray(schema['enum']) ? [[field, schema['enum']]] : 'const' in schema ? [[field, [schema['const']]]] : []));
}

/** Whether errors are of the value, or of what is in it, that another error is of. */
const within = ({ instancePath: outer }: ErrorObject, { instancePath }: ErrorObject) => instancePath === outer || instancePath.startsWith(`${outer}/`);

/**
 * Of a value that fits none of several branches: the errors of the branch that it seems to mean, by its type, then by the fields whose values a
 * branch lists, then by how few errors there are; or one error of its own where it says in no branch's words which it means.
 */
function meant(choice: ErrorObject, errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const data: unknown = choice.data;
  const branches = (choice.schema as readonly Schema[]).map((schema, i) =>
    ({ schema, own: errors.filter((error) => error.schemaPath.startsWith(`${choice.schemaPath}/${i}/`) && within(choice, error)) }));
  const typed = branches.filter(({ schema }) => hasType(data, schema['type']));
  if (typed.length === 0) {
    return [{ ...choice, keyword: 'type', params: { type: branches.flatMap(({ schema }) => schema['type'] ?? []) } }];
  }
  if (isFields(data)) {
    const lists = typed.flatMap(({ schema }) => listed(schema)).filter(([field]) => Object.hasOwn(data, field));
    const unknown = lists.find(([field]) => lists.every(([other, values]) => other !== field || !values.includes(data[field])));
    if (unknown) {
      const [field] = unknown;
      const allowedValues = lists.filter(([other]) => other === field).flatMap(([, values]) => values);
      return [{ ...choice, keyword: 'enum', instancePath: `${choice.instancePath}/${field}`, params: { allowedValues }, data: data[field] }];
    }
  }
  const matches = ({ schema }: { readonly schema: Schema }) =>
    (isFields(data) ? listed(schema).filter(([field, values]) => Object.hasOwn(data, field) && values.includes(data[field])).length : 0);
  const [best] = typed.filter(({ own }) => own.length > 0).sort((a, b) => matches(b) - matches(a) || a.own.length - b.own.length);
  return best?.own ?? [choice];
}

/** Errors of which every value that fits none of several branches has those of one branch alone. */
function settled(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const choice = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf').sort((a, b) => a.schemaPath.length - b.schemaPath.length)[0];
  if (!choice) return errors;
  const others = errors.filter((error) => error !== choice && !(error.schemaPath.startsWith(`${choice.schemaPath}/`) && within(choice, error)));
  const own = meant(choice, errors);
  return own.includes(choice) ? [choice] : settled([...others, ...own]);
}

/** Of several errors the most telling: an unknown field explains the others that it causes, and a name what is said of names. */
const mostTelling = (errors: readonly ErrorObject[]): ErrorObject =>
  errors.find(({ keyword }) => keyword === 'additionalProperties') ?? errors.find(({ propertyName }) => propertyName !== undefined) ?? errors[0]!;

/** What a schema says that its pattern asks for. */
const asked = (schema: object | undefined) => (schema as { readonly patternErrorMessage?: string } | undefined)?.patternErrorMessage;

const FAULTS: Readonly<Record<string, (params: Fields, error: ErrorObject) => string>> = {
  type: ({ type }, { data, parentSchema }) => `${asked(parentSchema) ?? `must be ${typeWords(type)}`}, not ${shown(data)}`,
  const: ({ allowedValue }, { data }) => `must be ${shown(allowedValue)}, not ${shown(data)}`,
  enum: ({ allowedValues }, { data }) => listFault(allowedValues as unknown[], data),
  required: ({ missingProperty }) => `has no field "${String(missingProperty)}"`,
  minimum: ({ limit }, { data }) => `must be at least ${String(limit)}, not ${shown(data)}`,
  maximum: ({ limit }, { data }) => `must be at most ${String(limit)}, not ${shown(data)}`,
  exclusiveMinimum: ({ limit }, { data }) => `must be above ${String(limit)}, not ${shown(data)}`,
  exclusiveMaximum: ({ limit }, { data }) => `must be below ${String(limit)}, not ${shown(data)}`,
  minLength: ({ limit }) => (limit === 1 ? 'must not be empty' : `must have ${String(limit)} characters or more`),
  maxLength: ({ limit }, { data }) => `must have at most ${String(limit)} characters, not ${String(data).length}`,
  minItems: ({ limit }, { data }) => (limit === 1 ? 'must not be empty' : `must have ${String(limit)} items or more, not ${(data as unknown[]).length}`),
  minProperties: ({ limit }, { data }) =>
    (limit === 1 ? 'must not be empty' : `must have ${String(limit)} fields or more, not ${Object.keys(data as object).length}`),
  maxProperties: ({ limit }, { data }) => `must have at most ${String(limit)} fields, not ${Object.keys(data as object).length}`,
  uniqueItems: ({ i }, { data }) => `has ${shown((data as unknown[])[i as number])} twice`,
  dependencies: ({ property, missingProperty }) => `has "${String(property)}", and no field "${String(missingProperty)}" beside it`,
  pattern: ({ pattern }, { data, parentSchema }) => `${asked(parentSchema) ?? `must match the pattern ${String(pattern)}`}, not ${shown(data)}`,
};

/** What is wrong with a document, and where. */
export interface SchemaFault {
  /** A JSON pointer. */
  readonly pointer: string;
  readonly message: string;
  /** The fields that there are, where one is unknown. */
  readonly fields?: readonly string[];
  /** What to write instead, where that can be said by the schema of the value alone. */
  readonly remedy?: string;
}

/** What to write instead of what an error is of, where the error alone says so: a value of the right type, and each value of a list once. */
function remedyOf({ keyword, instancePath, params, data, parentSchema = {} }: ErrorObject, notation: Notation): string | undefined {
  if (keyword === 'uniqueItems') return 'name each once';
  // what a pattern asks for says more than the type
  if (keyword !== 'type' || instancePath === '' || asked(parentSchema) !== undefined) return undefined;
  const name = unescaped(instancePath.slice(instancePath.lastIndexOf('/') + 1));
  return typeRemedy(data, (params as Fields)['type'], parentSchema as Schema, /^\d+$/.test(name) ? undefined : name, notation);
}

/**
 * What is wrong with a document, in words, from the errors of a schema that was compiled with `allErrors` and `verbose`. Of a pattern the schema
 * says itself what it asks for: `patternErrorMessage`, as editors show it ("must be …").
 *
 * @param name what to call the whole document
 * @param notation how the document is written
 */
export function schemaFault(errors: readonly ErrorObject[], name: string, notation: Notation = 'YAML'): SchemaFault {
  const error = mostTelling(settled(errors));
  const { instancePath: at, keyword, propertyName } = error;
  const params = error.params as Fields;
  if (keyword === 'additionalProperties') {
    const field = String(params['additionalProperty']);
    const known = Object.keys((error.parentSchema as { properties?: object } | undefined)?.properties ?? {});
    return { pointer: `${at}/${escaped(field)}`, message: `unknown field "${field}".${didYouMean(field, known)}`, fields: known };
  }
  const subject = at === '' ? name : `"${at.slice(1).split('/').map(unescaped).join('.')}"`;
  const fault = FAULTS[keyword]?.(params, error) ?? (error.message ?? 'is invalid');
  const remedy = remedyOf(error, notation);
  if (propertyName === undefined) return { pointer: at, message: `${subject} ${fault}`, ...(remedy !== undefined && { remedy }) };
  return { pointer: `${at}/${escaped(propertyName)}`, message: `a name in ${subject} ${fault}` };
}

/** A name as a part of a JSON pointer. */
export const escaped = (part: string) => part.replaceAll('~', '~0').replaceAll('/', '~1');
const unescaped = (part: string) => part.replaceAll('~1', '/').replaceAll('~0', '~');
