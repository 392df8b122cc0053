import type { NdArray } from './arrays.js';

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
