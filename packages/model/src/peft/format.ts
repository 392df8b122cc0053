import { layoutOf, sitesOf } from '../architectures/index.js';
import type { Part, WeightEntry } from '../layout.js';
import type { ModelConfig } from '../types.js';

export const CONFIG = 'adapter_config.json';
export const TENSORS = 'adapter_model.safetensors';

/** What the metadata of the tensors call the sha256 of the model that the adapter belongs to. PEFT passes it over. */
export const BASE = 'lethe_base_sha256';

const WEIGHT = '.weight';

/** The linear layer of transformers that a site is, or is a part of: query, key and value of some models are one layer. */
export interface Place {
  /** e.g. `model.layers.0.self_attn.q_proj` */
  readonly module: string;
  readonly part?: Part;
  /** Whether transformers holds the weight of the layer as (in, out). */
  readonly inputsFirst: boolean;
}

/** Where each site is, by its name. */
export function placesOf(config: ModelConfig): ReadonlyMap<string, Place> {
  const sites = new Set(sitesOf(config).map(({ name }) => name));
  return new Map(layoutOf(config).filter(({ name }) => sites.has(name))
    .map(({ name, stored, part, transposed }) =>
      [name, { module: stored.slice(0, -WEIGHT.length), ...(part ? { part } : {}), inputsFirst: !transposed }]));
}

/** What PEFT calls the two matrices of a layer: A is (rank, in) and B (out, rank) in its files. */
export const tensorNames = (module: string) => ({
  a: `base_model.model.${module}.lora_A${WEIGHT}`,
  b: `base_model.model.${module}.lora_B${WEIGHT}`,
});

/** How the file holds the matrices of a site's update of this rank: both transposed, and B as a part of the whole layer's. */
export function entriesOf({ module, part }: Place, input: number, rank: number, output: number): { a: WeightEntry; b: WeightEntry } {
  const { a, b } = tensorNames(module);
  return {
    a: { name: a, stored: a, shape: [input, rank], transposed: true },
    b: { name: b, stored: b, shape: [rank, output], transposed: true, ...(part ? { part } : {}) },
  };
}
