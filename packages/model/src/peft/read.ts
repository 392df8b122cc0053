import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Adapter, LetheError, type LowRankUpdate, didYouMean } from '@lethe/core';
import { type StoredTensor, readSafetensors } from '../safetensors.js';
import type { LanguageModel } from '../types.js';
import { type PeftConfig, readPeftConfig } from './config.js';
import { CONFIG, TENSORS, moduleNames, tensorNames, turned } from './format.js';

const REMEDY = 'Name a folder that PEFT saved with save_pretrained: adapter_config.json and adapter_model.safetensors.';

function present(directory: string, name: string): string {
  const file = join(directory, name);
  if (existsSync(file)) return file;
  throw new LetheError('LETHE_ADAPTER_MISSING', `There is no ${name} in the folder of the adapter.`, { where: file, remedy: REMEDY });
}

/** Takes tensors out of a file, each checked. */
class Tensors {
  private readonly left: Map<string, StoredTensor>;

  constructor(private readonly file: string, tensors: ReadonlyMap<string, StoredTensor>) {
    this.left = new Map(tensors);
  }

  private refuse(message: string, remedy = 'Use the configuration and the tensors of one and the same adapter, made for this model.'): never {
    throw new LetheError('LETHE_ADAPTER_INVALID', message, { where: this.file, remedy });
  }

  /** @param meaning of the two sizes, for messages */
  take(name: string, shape: readonly [number, number], meaning: string): StoredTensor {
    const found = this.left.get(name);
    if (!found) this.refuse(`Tensor "${name}" is missing.${didYouMean(name, [...this.left.keys()])}`);
    if (found.shape.join() !== shape.join()) {
      this.refuse(`Tensor "${name}" has shape [${found.shape.join(', ')}]; configuration and model ask for [${shape.join(', ')}] (${meaning}).`);
    }
    const at = found.data.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) this.refuse(`Tensor "${name}" holds ${found.data[at]} at place ${at}.`, 'Use an adapter whose training did not diverge.');
    this.left.delete(name);
    return found;
  }

  /** Refuses tensors that nothing took: passed over, they would make it another adapter. */
  end(): void {
    const [name] = this.left.keys();
    if (name !== undefined) this.refuse(`Tensor "${name}" has no place: its layer is not among the targets of the configuration, or not in the model.`);
  }
}

function updateOf(config: PeftConfig, tensors: Tensors, module: string, [input, output]: readonly [number, number]): LowRankUpdate {
  const rank = config.rank(module);
  const { a, b } = tensorNames(module);
  return {
    a: turned(tensors.take(a, [rank, input], 'rank, inputs')),
    b: turned(tensors.take(b, [output, rank], 'outputs, rank')),
    scale: config.scale(module),
  };
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
  const modules = moduleNames(model.config);
  const config = readPeftConfig(present(directory, CONFIG), [...modules.values()]);
  const file = present(directory, TENSORS);
  const tensors = new Tensors(file, await readSafetensors(file));
  const adapter = Object.fromEntries(model.sites.flatMap((site): [string, LowRankUpdate][] => {
    const module = modules.get(site.name)!;
    return config.targets(module, site) ? [[site.name, updateOf(config, tensors, module, [site.in, site.out])]] : [];
  }));
  tensors.end();
  if (Object.keys(adapter).length > 0) return adapter;
  throw new LetheError('LETHE_ADAPTER_INVALID', 'The adapter has no part at any linear layer of the model.', { where: config.file, remedy: 'Use an adapter of this model.' });
}
