import type { Site } from '@lethe/core';
import type { Dimensions } from './types.js';

type Kind = Site['kind'];

/** Linear layers that stand together; their names begin with that of the block. */
export interface Block {
  readonly name: string;
  readonly layer: number;
  /** In the order of computation. */
  readonly kinds: readonly Kind[];
  /** Those of them that read what an encoder makes of the prompt; absent for none. */
  readonly source?: readonly Kind[];
}

/** One block for each layer of a model whose layers are alike. */
export function layerBlocks({ layers }: Dimensions, kinds: readonly Kind[]): Block[] {
  return Array.from({ length: layers }, (_, layer) => ({ name: `layers.${layer}`, layer, kinds }));
}

/** The linear layers of blocks, in order. */
export function blockSites({ hiddenSize, intermediateSize, headSize, heads, keyValueHeads }: Dimensions, blocks: readonly Block[]): Site[] {
  const [queries, keys] = [heads * headSize, keyValueHeads * headSize];
  const sizes: Readonly<Record<Kind, readonly [number, number]>> = {
    q: [hiddenSize, queries], k: [hiddenSize, keys], v: [hiddenSize, keys], o: [queries, hiddenSize],
    gate: [hiddenSize, intermediateSize], up: [hiddenSize, intermediateSize], down: [intermediateSize, hiddenSize],
  };
  return blocks.flatMap(({ name, layer, kinds, source }) => kinds.map((kind) => ({
    name: `${name}.${kind}`, layer, ...(source?.includes(kind) ? { source: true as const } : {}), kind, in: sizes[kind][0], out: sizes[kind][1],
  }))).map((site, index) => ({ ...site, index }));
}
