import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import semver from 'semver';
import { type Document, readDocument } from './document.js';
import { type ErrorCode, LetheError, didYouMean } from './errors.js';
import { schemaFault } from './fault.js';
import { LETHE_VERSION } from './version.js';

export const PLUGIN_KINDS = ['method', 'suite', 'scorer', 'model'] as const;
export type PluginKind = (typeof PLUGIN_KINDS)[number];

/** What a method declares of itself; results repeat it, so that a table can tell competitors from bounds. */
export interface Capabilities {
  /** Keeps rows of earlier tasks. */
  readonly rehearsal: boolean;
  /** Needs to know the task when it predicts; such a method is a bound. */
  readonly taskIdentity: boolean;
  /** Trains on rows that it makes itself, of texts that the model writes; absent for no. */
  readonly pseudoRehearsal?: true;
  /** How its size grows with the number of tasks. */
  readonly growth: 'none' | 'linear' | 'sublinear';
  /** A bound of the comparison, not a competitor. */
  readonly bound: boolean;
}

/** The values among which tuning chooses one: some of a list, or any between two ends, evenly or by equal factors (`log`). */
export type SearchRange = readonly unknown[] | { readonly low: number; readonly high: number; readonly scale: 'linear' | 'log' };

/** `plugin.json`, with defaults filled in. Its JSON Schema is `schemas/plugin.schema.json`. */
export interface Manifest {
  readonly name: string;
  readonly kind: PluginKind;
  readonly version: string;
  /** Semver range of the versions of Lethe that it works with. */
  readonly lethe: string;
  readonly description: string;
  readonly stream: 'continual' | 'joint';
  readonly capabilities: Capabilities;
  /** By the name of an option that is true or false: the capabilities that the method has in the place of those, where it is true. */
  readonly capabilitiesWith: Readonly<Record<string, Partial<Capabilities>>>;
  /** JSON Schema of the options. */
  readonly options: { readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
  /** Where values of options are looked for when the method is tuned, by option. */
  readonly search: Readonly<Record<string, SearchRange>>;
  readonly paper?: string;
  readonly licence: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/**
 * The option that every method has: the budget of a suite fixes the learning rate for all, and a method may depart from it by a factor,
 * as far as tuning with an equal number of trials finds one.
 */
export const RATE = {
  type: 'number', minimum: 0.001, maximum: 1000, default: 1, description: "Factor of the suite's learning rate.",
} as const;

const schema = JSON.parse(readFileSync(new URL('../../schemas/plugin.schema.json', import.meta.url), 'utf8')) as object;
const validate = new Ajv({ allErrors: true, verbose: true, useDefaults: true, strict: false }).compile<Manifest>(schema);
/** One for all: an instance of its own compiles the schema of schemas, which takes longer than all options of a method. */
const ofOptions = new Ajv({ allErrors: true, verbose: true, useDefaults: true, allowUnionTypes: true });

/** What checks options of a method and fills in defaults. Throws Ajv's error where the schema is none. */
export const optionsCheck = ({ options }: Pick<Manifest, 'options'>): ValidateFunction<Record<string, unknown>> => ofOptions.compile(options);

/** The version of an installed package as Node would find it from `folder`, or null. */
function installedVersion(name: string, folder: string): string | null {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, 'node_modules', name, 'package.json');
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
    if (dirname(at) === at) return null;
  }
}

function fail(code: ErrorCode, message: string, where: string, remedy: string): never {
  throw new LetheError(code, message, { where, remedy });
}

/** The capabilities of a method with these options. */
export function capabilitiesOf({ capabilities, capabilitiesWith }: Manifest, options: Readonly<Record<string, unknown>>): Capabilities {
  const raised = Object.entries(capabilitiesWith).filter(([option]) => options[option] === true);
  return Object.assign({ ...capabilities }, ...raised.map(([, others]) => others)) as Capabilities;
}

/** What is told the task or learns all of them at once is a bound, with any option; options that change capabilities are there, and are true or false. */
function checkCapabilities(manifest: Manifest, locate: Document['locate']): void {
  const { name, stream, capabilities, capabilitiesWith, options } = manifest;
  for (const [at, { taskIdentity, bound }] of [
    ['/capabilities', capabilities] as const,
    ...Object.keys(capabilitiesWith).map((option) => [`/capabilitiesWith/${option}`, capabilitiesOf(manifest, { [option]: true })] as const),
  ]) {
    if (bound || (!taskIdentity && stream !== 'joint')) continue;
    fail('LETHE_PLUGIN_MANIFEST', `"${name}" ${taskIdentity ? 'is told the task when it predicts, which no competitor is' : 'learns all tasks at once, which no competitor does'}`,
      locate(taskIdentity ? `${at}/taskIdentity` : '/stream'), 'declare "bound": true among its capabilities: bounds are shown apart and never ranked');
  }
  const known = Object.entries(options.properties).filter(([, { type }]) => type === 'boolean').map(([option]) => option);
  const stray = Object.keys(capabilitiesWith).find((option) => !known.includes(option));
  if (stray === undefined) return;
  fail('LETHE_PLUGIN_MANIFEST', `"${name}" has no option "${stray}" that is true or false.${didYouMean(stray, known)}`,
    locate(`/capabilitiesWith/${stray}`), 'name an option of type boolean');
}

function checkDependencies(manifest: Manifest, folder: string, locate: Document['locate']): void {
  for (const [name, range] of Object.entries(manifest.dependencies)) {
    const found = installedVersion(name, folder);
    if (found !== null && semver.satisfies(found, range, { includePrerelease: true })) continue;
    fail('LETHE_PLUGIN_DEPENDENCY',
      `plugin "${manifest.name}" needs ${name}@${range}, ${found === null ? 'which is not installed' : `but ${found} is installed`}`,
      locate(`/dependencies/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`), `npm install ${name}@"${range}"`);
  }
}

/** The options schema must compile, its own defaults must satisfy it, and no option may stand in for the one that all have. */
function checkOptions(manifest: Manifest, locate: Document['locate']): void {
  if (manifest.kind === 'method' && 'rate' in manifest.options.properties) {
    fail('LETHE_PLUGIN_OPTIONS', `"${manifest.name}" declares the option "rate", which every method has already: ${RATE.description}`,
      locate('/options/properties/rate'), 'give the option another name');
  }
  const remedy = 'mend the options schema: every default lies within its own bounds';
  let check;
  try {
    check = optionsCheck(manifest);
  } catch (cause) {
    return fail('LETHE_PLUGIN_OPTIONS', `the options schema of "${manifest.name}" is not a JSON Schema: ${String(cause)}`,
      locate('/options'), remedy);
  }
  if (check({})) return;
  const { pointer, message } = schemaFault(check.errors!, 'the options');
  fail('LETHE_PLUGIN_OPTIONS', `a default of "${manifest.name}" breaks its own schema: ${message}`,
    locate(`/options/properties${pointer}`), remedy);
}

/** Every range that is searched is of an option, and its ends are values that the option may have. */
function checkSearch(manifest: Manifest, locate: Document['locate']): void {
  const { name, options, search } = manifest;
  const known = Object.keys(options.properties);
  for (const [option, range] of Object.entries(search)) {
    const refuse = (message: string, remedy: string) => fail('LETHE_PLUGIN_OPTIONS', `"${name}": ${message}`, locate(`/search/${option}`), remedy);
    if (!known.includes(option)) return refuse(`there is no option "${option}" to search.${didYouMean(option, known)}`, `the options are: ${known.join(', ') || 'none'}`);
    const values = 'low' in range ? [range.low, range.high] : range;
    const wrong = values.find((value) => !optionsCheck(manifest)({ [option]: value }));
    if (wrong !== undefined) refuse(`option "${option}" cannot be ${JSON.stringify(wrong)}`, 'search within the bounds of the option');
    if (!('low' in range)) continue;
    if (range.low >= range.high) refuse(`the search of "${option}" ends before it begins`, 'make "low" less than "high"');
    if (range.scale === 'log' && range.low <= 0) refuse(`no factors lead from ${range.low} to ${range.high}`, 'begin above 0, or use the scale "linear"');
  }
}

/**
 * Reads and checks a manifest, without touching the plugin's code: shape, then version range, then dependencies, then options.
 * A method has the option `rate` ({@link RATE}) besides its own.
 *
 * @param file path of a plugin.json
 * @throws LetheError LETHE_PLUGIN_MANIFEST, LETHE_PLUGIN_VERSION, LETHE_PLUGIN_DEPENDENCY or LETHE_PLUGIN_OPTIONS, with file:line
 */
export function readManifest(file: string): Manifest {
  const { value, locate } = readDocument(file, 'JSON', 'LETHE_PLUGIN_MANIFEST');
  if (!validate(value)) {
    const { pointer, message, remedy = 'see packages/core/schemas/plugin.schema.json' } = schemaFault(validate.errors!, 'the manifest', 'JSON');
    fail('LETHE_PLUGIN_MANIFEST', message, locate(pointer), remedy);
  }
  checkCapabilities(value, locate);
  if (semver.validRange(value.lethe) === null) {
    fail('LETHE_PLUGIN_VERSION', `"${value.lethe}" is not a version range`, locate('/lethe'), `write a range such as "^${LETHE_VERSION}"`);
  }
  if (!semver.satisfies(LETHE_VERSION, value.lethe, { includePrerelease: true })) {
    fail('LETHE_PLUGIN_VERSION', `plugin "${value.name}" works with Lethe ${value.lethe}, this is ${LETHE_VERSION}`,
      locate('/lethe'), 'install a version of the plugin made for this Lethe, or widen its range after testing it');
  }
  checkDependencies(value, dirname(file), locate);
  checkOptions(value, locate);
  checkSearch(value, locate);
  return value.kind === 'method' ? { ...value, options: { ...value.options, properties: { ...value.options.properties, rate: RATE } } } : value;
}

/** The kind and name that a manifest says, sound or not, as far as it can be read. */
export function saidOf(file: string): { readonly kind?: PluginKind; readonly name?: string } {
  try {
    const { kind, name } = readDocument(file, 'JSON', 'LETHE_PLUGIN_MANIFEST').value as Readonly<Record<string, unknown>>;
    const known = PLUGIN_KINDS.find((one) => one === kind);
    return { ...(known && { kind: known }), ...(typeof name === 'string' && { name }) };
  } catch {
    return {};
  }
}
