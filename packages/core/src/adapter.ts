import { type NdArray, below, beside } from './arrays.js';

/** A low-rank update of one linear layer (LoRA, Hu et al. 2021, arXiv 2106.09685): what it adds to the output is scale (x A) B. */
export interface LowRankUpdate {
  /** (in, rank) */
  readonly a: NdArray;
  /** (rank, out) */
  readonly b: NdArray;
  readonly scale: number;
}

/** Low-rank updates by the names of their sites. */
export type Adapter = Readonly<Record<string, LowRankUpdate>>;

/** What two adapters add together, as one: at a site of both, their A side by side, and their B one below the other at one scale. */
export function sumAdapters(first: Adapter, second: Adapter): Adapter {
  return {
    ...first,
    ...Object.fromEntries(Object.entries(second).map(([site, own]): [string, LowRankUpdate] => {
      const before = first[site];
      if (!before) return [site, own];
      const { a, b, scale } = before;
      const factor = own.scale / scale;
      return [site, { a: beside(a, own.a), b: below(b, { shape: own.b.shape, data: own.b.data.map((v) => factor * v) }), scale }];
    })),
  };
}
