import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { type LowRankUpdate, LetheError, product } from '@lethe/core';
import type { Constant } from '@lethe/engine';
import { loadModel } from './load.js';
import { BASE, CONFIG, TENSORS } from './peft/format.js';
import { readAdapter } from './peft/read.js';
import { readMetadata } from './safetensors.js';
import type { LanguageModel } from './types.js';

/** W + scale A B, added up in float64 and held in memory. */
function merged(weight: Constant, { a, b, scale }: LowRankUpdate): Constant {
  const before = weight.data as Float32Array;
  const update = product(a, b).data;
  return { shape: weight.shape, dtype: 'float32', data: update.map((value, i) => before[i]! + scale * value) };
}

/**
 * The model with an adapter of PEFT in its weights: a new base to start from. Only the weights of the adapted sites are held in
 * memory anew.
 *
 * @param directory the folder of the adapter
 * @throws LETHE_ADAPTER_INVALID for one that names another model by its sha256, and the errors of `readAdapter`
 */
export async function mergeAdapter(model: LanguageModel, directory: string): Promise<LanguageModel> {
  const update = await readAdapter(directory, model);
  const file = join(directory, TENSORS);
  const base = (await readMetadata(file))[BASE];
  if (base !== undefined && base !== model.sha256) {
    throw new LetheError('LETHE_ADAPTER_INVALID', `The adapter was trained on another model (sha256 ${base}) than ${model.id} (${model.sha256}).`, {
      where: file, remedy: 'Name its own model with --model; adapter_config.json says what it was called.',
    });
  }
  const hash = createHash('sha256');
  for (const name of [CONFIG, TENSORS]) hash.update(createHash('sha256').update(await readFile(join(directory, name))).digest());
  const adapter = { id: basename(resolve(directory)), sha256: hash.digest('hex') };
  return {
    ...model,
    id: `${model.id}+${adapter.id}`,
    sha256: createHash('sha256').update(model.sha256).update(adapter.sha256).digest('hex'),
    weights: { ...model.weights, ...Object.fromEntries(Object.entries(update).map(([site, part]) => [site, merged(model.weights[site]!, part)])) },
    merged: { ...adapter, base: { id: model.id, sha256: model.sha256 }, update },
  };
}

/** How a model is opened. */
export interface OpenOptions {
  /** The folder of an adapter to merge; absent for none. */
  readonly adapter?: string | undefined;
  /** Whether prompts are put into the model's chat template; absent for no. */
  readonly chat?: boolean | undefined;
}

/**
 * {@link loadModel}, with an adapter merged where there is one.
 *
 * @throws the errors of `loadModel` and of {@link mergeAdapter}
 */
export async function openModel(directory: string, { adapter, chat = false }: OpenOptions = {}): Promise<LanguageModel> {
  const model = await loadModel(directory, { chat });
  return adapter === undefined ? model : mergeAdapter(model, adapter);
}
