import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Adapter, LetheError, type LowRankUpdate, type NdArray, didYouMean } from '@lethe/core';
import { type WeightEntry, arrange, storedShape } from '../layout.js';
import { type StoredTensor, readSafetensors } from '../safetensors.js';
import type { LanguageModel } from '../types.js';
import { readBaseName, readPeftConfig } from './config.js';
import { CONFIG, TENSORS, entriesOf, placesOf } from './format.js';

const REMEDY = 'Name a folder that PEFT saved with save_pretrained: adapter_config.json and adapter_model.safetensors.';

function present(directory: string, name: string): string {
  const file = join(directory, name);
  if (existsSync(file)) return file;
  throw new LetheError('LETHE_ADAPTER_MISSING', `There is no ${name} in the folder of the adapter.`, { where: file, remedy: REMEDY });
}

/** The matrices in a file, each checked when it is taken; what nobody takes is refused at the end. */
class Matrices {
  private readonly taken = new Map<string, NdArray>();
  private readonly used = new Set<string>();

  constructor(private readonly file: string, private readonly tensors: ReadonlyMap<string, StoredTensor>) {}

  private refuse(message: string, remedy = 'Use the configuration and the tensors of one and the same adapter, made for this model.'): never {
    throw new LetheError('LETHE_ADAPTER_INVALID', message, { where: this.file, remedy });
  }

  /**
   * A matrix, or the part of it that belongs to a site.
   *
   * @param meaning of its two sizes in the file, for messages
   */
  take(entry: WeightEntry, meaning: string): NdArray {
    const { stored: name, shape, part } = entry;
    const found = this.tensors.get(name);
    const wanted = storedShape(entry);
    if (!found) this.refuse(`Tensor "${name}" is missing.${didYouMean(name, [...this.tensors.keys()])}`);
    if (found.shape.join() !== wanted.join()) {
      this.refuse(`Tensor "${name}" has shape [${found.shape.join(', ')}]; configuration and model ask for [${wanted.join(', ')}] (${meaning}).`);
    }
    const at = found.data.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) this.refuse(`Tensor "${name}" holds ${found.data[at]} at place ${at}.`, 'Use an adapter whose training did not diverge.');
    this.used.add(name);
    const key = `${name} ${part?.index ?? ''}`;
    // sites that are parts of one layer share its A
    const matrix = this.taken.get(key) ?? { shape, data: arrange(found.data, entry) };
    this.taken.set(key, matrix);
    return matrix;
  }

  /** Refuses tensors that nothing took: passed over, they would make it another adapter. */
  end(): void {
    const name = [...this.tensors.keys()].find((each) => !this.used.has(each));
    if (name !== undefined) this.refuse(`Tensor "${name}" has no place: its layer is not among the targets of the configuration, or not in the model.`);
  }
}

/**
 * Reads a LoRA adapter that PEFT saved: `adapter_config.json` and `adapter_model.safetensors`. Scales by alpha / rank and by
 * alpha / sqrt(rank) (`use_rslora`), ranks and alphas by pattern, and adapters of some layers alone are understood.
 *
 * @param directory the folder of the two files
 * @param model the model that it was trained for
 * @throws LETHE_ADAPTER_MISSING for a file that is not there; LETHE_ADAPTER_INVALID, naming file and field or tensor, for another
 * kind of adapter (DoRA, trained biases, whole modules, …), for layers that the model lacks, and for tensors that are missing, left
 * over, of another shape or rank, or not finite; LETHE_MODEL_WEIGHTS for a damaged safetensors file
 */
export async function readAdapter(directory: string, model: Pick<LanguageModel, 'config' | 'sites'>): Promise<Adapter> {
  const places = placesOf(model.config);
  const config = readPeftConfig(present(directory, CONFIG), [...new Set([...places.values()].map(({ module }) => module))]);
  const file = present(directory, TENSORS);
  const matrices = new Matrices(file, await readSafetensors(file));
  const adapter = Object.fromEntries(model.sites.flatMap((site): [string, LowRankUpdate][] => {
    const place = places.get(site.name)!;
    if (!config.targets(place.module)) return [];
    const { a, b } = entriesOf(place, site.in, config.rank(place.module), site.out);
    const update = { a: matrices.take(a, 'rank, inputs'), b: matrices.take(b, 'outputs, rank'), scale: config.scale(place.module) };
    return [[site.name, update]];
  }));
  matrices.end();
  if (Object.keys(adapter).length > 0) return adapter;
  throw new LetheError('LETHE_ADAPTER_INVALID', 'The adapter has no part at any linear layer of the model.', { where: config.file, remedy: 'Use an adapter of this model.' });
}

/** {@link readBaseName} of the adapter in a folder. Throws LETHE_ADAPTER_MISSING besides. */
export const readBase = (directory: string): ReturnType<typeof readBaseName> => readBaseName(present(directory, CONFIG));
