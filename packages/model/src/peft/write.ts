import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Adapter, LetheError, type LowRankUpdate, didYouMean, makeFolder, transposed, writeWhole } from '@lethe/core';
import { writeSafetensors } from '../safetensors.js';
import type { LanguageModel, ModelConfig } from '../types.js';
import { BASE, CONFIG, type Place, TENSORS, placesOf, tensorNames } from './format.js';
import { type Piece, fuse } from './fuse.js';

/** The model of an adapter: what to find it by, which is a folder, or the name of a hub's model and its commit, and its hash. */
export interface BaseModel {
  readonly name: string;
  readonly revision?: string;
  /** {@link LanguageModel.sha256} */
  readonly sha256?: string;
}

const rankOf = ({ a }: LowRankUpdate) => a.shape[1]!;

/** alpha = scale * rank. Runs are given alpha, so that a whole number is written as one in spite of rounding. */
function alphaOf(update: LowRankUpdate): number {
  const alpha = update.scale * rankOf(update);
  const whole = Math.round(alpha);
  return Math.abs(alpha - whole) <= 1e-12 * Math.abs(alpha) ? whole : alpha;
}

/** The numbers that differ from the first one, by module, as PEFT's patterns have them. */
function pattern(values: ReadonlyMap<string, number>, otherwise: number): Record<string, number> {
  return Object.fromEntries([...values].filter(([, value]) => value !== otherwise));
}

const last = (module: string) => module.split('.').at(-1)!;

/** Names that PEFT finds the adapted modules by: their last parts, or all of each where not every layer of a kind is adapted. */
function targetsOf(adapted: readonly string[], modules: readonly string[]): string[] {
  const kinds = new Set(adapted.map(last));
  return modules.filter((module) => kinds.has(last(module))).length === adapted.length ? [...kinds].sort() : adapted.toSorted();
}

/** `adapter_config.json` for updates by module; `places` are all linear layers of the model. */
function configOf(
  updates: ReadonlyMap<string, LowRankUpdate>, places: readonly Place[], { decoderStart }: ModelConfig, base: BaseModel,
): Record<string, unknown> {
  const by = (of: (update: LowRankUpdate) => number) => new Map([...updates].map(([module, update]) => [module, of(update)]));
  const [ranks, alphas] = [by(rankOf), by(alphaOf)];
  const [r, alpha] = [[...ranks.values()][0]!, [...alphas.values()][0]!];
  return {
    peft_type: 'LORA', task_type: decoderStart === undefined ? 'CAUSAL_LM' : 'SEQ_2_SEQ_LM',
    base_model_name_or_path: base.name, ...(base.revision === undefined ? {} : { revision: base.revision }), inference_mode: true,
    r, lora_alpha: alpha, rank_pattern: pattern(ranks, r), alpha_pattern: pattern(alphas, alpha), use_rslora: false,
    target_modules: targetsOf([...updates.keys()], [...new Set(places.map(({ module }) => module))]),
    lora_dropout: 0, bias: 'none', fan_in_fan_out: places.some(({ inputsFirst }) => inputsFirst),
  };
}

/**
 * Writes an adapter as PEFT saves it, so that `PeftModel.from_pretrained(model, directory)` gives the same model in Python:
 * `adapter_model.safetensors` (float32), then `adapter_config.json`, each whole or not at all. The same adapter gives the same bytes.
 *
 * @param directory is made where it is not there
 * @param model the model that the adapter belongs to
 * @param base what the configuration calls that model
 * @throws LETHE_ADAPTER_EXISTS where the folder holds an adapter, LETHE_ADAPTER_NONE for an adapter without a site,
 * LETHE_ADAPTER_INVALID for one at a site that the model lacks
 */
export async function writeAdapter(directory: string, adapter: Adapter, model: Pick<LanguageModel, 'config'>, base: BaseModel): Promise<void> {
  const places = placesOf(model.config);
  const layers = new Map<string, Piece[]>();
  for (const [site, update] of Object.entries(adapter)) {
    const place = places.get(site);
    if (!place) {
      throw new LetheError('LETHE_ADAPTER_INVALID', `The model has no site "${site}".${didYouMean(site, [...places.keys()])}`, { where: directory });
    }
    layers.set(place.module, [...(layers.get(place.module) ?? []), { update, ...(place.part ? { part: place.part } : {}) }]);
  }
  const updates = new Map([...layers].map(([module, pieces]) => [module, fuse(pieces)]));
  if (updates.size === 0) throw new LetheError('LETHE_ADAPTER_NONE', 'The adapter has no site.', { where: directory });
  const there = [CONFIG, TENSORS].map((name) => join(directory, name)).find((file) => existsSync(file));
  if (there !== undefined) {
    throw new LetheError('LETHE_ADAPTER_EXISTS', 'The folder already holds an adapter.', { where: there, remedy: 'Choose another folder, or delete this one.' });
  }
  const tensors = new Map([...updates].flatMap(([module, { a, b }]) => {
    const names = tensorNames(module);
    // PEFT stores both matrices as (outputs, inputs)
    return [[names.a, transposed(a)], [names.b, transposed(b)]] as const;
  }));
  makeFolder(directory);
  await writeSafetensors(join(directory, TENSORS), tensors, 'F32', base.sha256 === undefined ? undefined : { [BASE]: base.sha256 });
  await writeWhole(join(directory, CONFIG), `${JSON.stringify(configOf(updates, [...places.values()], model.config, base), null, 2)}\n`);
}
