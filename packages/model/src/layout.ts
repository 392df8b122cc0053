import type { ModelConfig } from './types.js';
import { sitesOf } from './config.js';

/** A weight of the model: its name here, its name in the file, its shape here, and whether the file holds it transposed. */
export interface WeightEntry {
  readonly name: string;
  readonly stored: string;
  readonly shape: readonly number[];
  readonly transposed: boolean;
}

const MODULES = {
  q: 'self_attn.q_proj', k: 'self_attn.k_proj', v: 'self_attn.v_proj', o: 'self_attn.o_proj',
  gate: 'mlp.gate_proj', up: 'mlp.up_proj', down: 'mlp.down_proj',
} as const;

/** All weights of a model. Linear weights are (in, out) here and (out, in) in the file; embedding and head are (vocabulary, hidden). */
export function layoutOf(config: ModelConfig): WeightEntry[] {
  const { vocabSize, hiddenSize } = config;
  const plain = (name: string, stored: string, shape: number[]) => ({ name, stored, shape, transposed: false });
  const norms = Array.from({ length: config.layers }, (_, i) => [
    plain(`layers.${i}.norm1`, `model.layers.${i}.input_layernorm.weight`, [hiddenSize]),
    plain(`layers.${i}.norm2`, `model.layers.${i}.post_attention_layernorm.weight`, [hiddenSize]),
  ]).flat();
  return [
    plain('embed', 'model.embed_tokens.weight', [vocabSize, hiddenSize]),
    ...sitesOf(config).map((site) => ({
      name: site.name, stored: `model.layers.${site.layer}.${MODULES[site.kind]}.weight`, shape: [site.in, site.out], transposed: true,
    })),
    ...norms,
    plain('norm', 'model.norm.weight', [hiddenSize]),
    ...(config.tiedHead ? [] : [plain('head', 'lm_head.weight', [vocabSize, hiddenSize])]),
  ];
}

/** Side of the squares in which a matrix is transposed: the rows of one square, read and written, stay in the cache. */
const TILE = 16;

/** The transpose of a row-major (rows, columns) matrix. */
export function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(rows * columns);
  for (let top = 0; top < rows; top += TILE) {
    const bottom = Math.min(top + TILE, rows);
    for (let left = 0; left < columns; left += TILE) {
      const right = Math.min(left + TILE, columns);
      for (let c = left; c < right; c++) {
        let from = top * columns + c;
        for (let to = c * rows + top; to < c * rows + bottom; to++, from += columns) result[to] = data[from]!;
      }
    }
  }
  return result;
}
