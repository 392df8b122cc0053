import type { NdArray } from '@lethe/core';
import { layoutOf, transpose } from '../layout.js';
import type { ModelConfig } from '../types.js';

export const CONFIG = 'adapter_config.json';
export const TENSORS = 'adapter_model.safetensors';

const WEIGHT = '.weight';

/** What transformers calls the linear layer of each site, e.g. `model.layers.0.self_attn.q_proj` for `layers.0.q`. */
export function moduleNames(config: ModelConfig): ReadonlyMap<string, string> {
  return new Map(layoutOf(config).filter(({ transposed }) => transposed)
    .map(({ name, stored }) => [name, stored.slice(0, -WEIGHT.length)]));
}

/** What PEFT calls the two matrices of a layer: A is (rank, in) and B (out, rank) in its files. */
export const tensorNames = (module: string) => ({
  a: `base_model.model.${module}.lora_A${WEIGHT}`,
  b: `base_model.model.${module}.lora_B${WEIGHT}`,
});

/** A matrix (rows, columns) as its transpose: PEFT stores both matrices as (outputs, inputs). */
export function turned({ shape, data }: NdArray): NdArray {
  const [rows, columns] = shape as [number, number];
  return { shape: [columns, rows], data: transpose(data, rows, columns) };
}
