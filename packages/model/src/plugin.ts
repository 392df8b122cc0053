import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { LetheError, type Site, loadExport, pluginIn, readManifest } from '@lethe/core';
import type { Architecture } from './architecture.js';
import { registerArchitecture } from './architectures/index.js';
import type { Fields } from './fields.js';
import type { WeightEntry } from './layout.js';
import type { Pass } from './pass.js';
import type { ModelConfig } from './types.js';

/** A model that has a plugin.json beside its checkpoint. */
export interface ModelPlugin {
  readonly name: string;
  /** What its module brings; absent for a model of an architecture that is known here. */
  readonly code?: Brought;
}

interface Brought {
  readonly architecture: Architecture;
  /** Of the module. */
  readonly sha256: string;
}

const REMEDY = "Write `const architecture: Architecture = { types: ['…'], prefix: '', spare: /$^/, configure() {…}, blocks() {…}, "
  + 'layout() {…}, hidden() {…} }; export default architecture;` (packages/model/README.md, "An architecture of your own").';

const FUNCTIONS = ['configure', 'blocks', 'layout', 'hidden'] as const;

/** What keeps a default export from being an architecture. */
function faultOf(exported: Partial<Architecture> | undefined): string | undefined {
  const { types, prefix, spare, copies } = exported ?? {};
  if (!Array.isArray(types) || types.length === 0 || !types.every((type) => typeof type === 'string')) return 'no "types" that is a list of texts';
  if (typeof prefix !== 'string') return 'no "prefix" that is a text';
  if (!(spare instanceof RegExp)) return 'no "spare" that is a regular expression';
  if (copies !== undefined && !(copies instanceof RegExp)) return '"copies", which is no regular expression';
  const missing = FUNCTIONS.find((name) => typeof exported![name] !== 'function');
  return missing && `no function "${missing}"`;
}

const COUNTS = ['vocabSize', 'hiddenSize', 'intermediateSize', 'layers', 'heads', 'keyValueHeads', 'headSize'] as const;

/** What keeps a configuration that an architecture read from being one. */
function configFault(types: readonly string[], config: Partial<ModelConfig> | undefined): string | undefined {
  const given = (name: keyof ModelConfig) => `, not ${JSON.stringify(config?.[name])}`;
  if (!types.includes(config?.architecture as string)) return `"architecture" must be one of its types, ${types.join(', ')}${given('architecture')}`;
  const wrong = COUNTS.find((name) => !Number.isSafeInteger(config![name]) || config![name]! < 1);
  if (wrong) return `"${wrong}" must be a whole number above 0${given(wrong)}`;
  const unset = (['maxPositions', 'normEpsilon'] as const).find((name) => !(config![name]! > 0));
  if (unset) return `"${unset}" must be a number above 0${given(unset)}`;
  return typeof config!.tiedHead === 'boolean' ? undefined : `"tiedHead" must be true or false${given('tiedHead')}`;
}

/** The first weight that everything counts on and a layout leaves out. */
function missingWeight(entries: readonly WeightEntry[], config: ModelConfig, sites: readonly Site[]): string | undefined {
  const names = new Set(entries.map(({ name }) => name));
  return ['embed', ...(config.tiedHead ? [] : ['head']), ...sites.map(({ name }) => name)].find((name) => !names.has(name));
}

/** An architecture of a plugin, whose functions throw one clear error where they throw, or give what cannot be used. */
function guarded(own: Architecture, module: string): Architecture {
  const broken = (message: string, cause?: unknown) =>
    new LetheError('LETHE_MODEL_CODE', message, { where: module, remedy: 'Mend the architecture; lethe validate FOLDER checks it.', cause });
  const guard = <A extends unknown[], R>(name: string, call: (...given: A) => R, innocent: (cause: unknown, ...given: A) => boolean = () => false) => (...given: A): R => {
    try {
      return call(...given);
    } catch (cause) {
      if (cause instanceof LetheError || innocent(cause, ...given)) throw cause;
      throw broken(`"${name}" of the architecture threw: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
    }
  };
  const { types, prefix, spare, copies } = own;
  return {
    types, prefix, spare, ...(copies && { copies }),
    configure: guard('configure', (fields: Fields, type: string) => {
      const config = own.configure(fields, type);
      const fault = configFault(types, config);
      if (fault !== undefined) throw broken(`"configure" of the architecture gives a configuration that cannot be used: ${fault}.`);
      return config;
    }),
    blocks: guard('blocks', (config: ModelConfig) => own.blocks(config)),
    layout: guard('layout', (config: ModelConfig, sites: readonly Site[]) => {
      const entries = own.layout(config, sites);
      const missing = missingWeight(entries, config, sites);
      if (missing !== undefined) throw broken(`"layout" of the architecture has no weight "${missing}".`);
      return entries;
    }),
    hidden: guard('hidden', (pass: Pass<ModelConfig>) => own.hidden(pass), (cause, pass) => cause === pass.thrownByMethod),
  };
}

const sha256Of = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

async function load(module: string): Promise<Brought> {
  const exported = await loadExport<Architecture>(module, 'model', (given) => {
    const fault = faultOf(given);
    return fault === undefined ? null : { message: `it has ${fault}.`, remedy: REMEDY };
  });
  const architecture = guarded(exported, module);
  registerArchitecture(architecture, module);
  return { architecture, sha256: sha256Of(module) };
}

/** What plugins have brought to this thread, by the path of the module. */
const brought = new Map<string, Promise<Brought>>();

/** What a module brings, imported and made known to this thread once. */
async function bring(module: string): Promise<Brought> {
  const loaded = brought.get(module) ?? load(module);
  brought.set(module, loaded);
  // what could not be brought is tried again by the next that asks
  loaded.catch(() => brought.delete(module));
  const found = await loaded;
  if (found.sha256 === sha256Of(module)) return found;
  throw new LetheError('LETHE_RUN_CHANGED', 'The code of the model has changed since it was imported.', {
    where: module, remedy: 'Begin anew in another process.',
  });
}

/** Whether a folder has code to be run: its module, or one that is yet to be compiled. */
const hasCode = (folder: string, module: string) => existsSync(module) || existsSync(join(folder, 'index.ts'));

/**
 * Reads the manifest of a model that is a plugin, and imports the architecture that it brings, where it brings one.
 *
 * @param folder of a checkpoint
 * @returns undefined for a checkpoint without a plugin.json
 * @throws the errors of `readManifest`; LETHE_PLUGIN_UNKNOWN for a plugin of another kind; LETHE_PLUGIN_EXPORT where the module is not
 * built, cannot be imported or exports no architecture; LETHE_PLUGIN_DUPLICATE for types that are taken; LETHE_RUN_CHANGED for a module
 * that is no longer the one that was imported
 */
export async function openPlugin(folder: string): Promise<ModelPlugin | undefined> {
  const { file, codePath } = pluginIn(folder);
  if (!existsSync(file)) return undefined;
  const { kind, name } = readManifest(file);
  if (kind !== 'model') {
    throw new LetheError('LETHE_PLUGIN_UNKNOWN', `The plugin is a ${kind}, not a model.`, { where: file, remedy: 'Give the folder of a model.' });
  }
  if (!hasCode(folder, codePath)) return { name };
  return { name, code: await bring(existsSync(codePath) ? realpathSync(codePath) : codePath) };
}
