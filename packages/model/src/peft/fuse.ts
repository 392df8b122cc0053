import { type LowRankUpdate, type NdArray, beside, zeros } from '@lethe/core';
import type { Part } from '../layout.js';

/** The update of a site, and which part of a linear layer the site is; absent for all of it. */
export interface Piece {
  readonly update: LowRankUpdate;
  readonly part?: Part;
}

/** The column of a whole layer's outputs at which output `o` of a part, `size` outputs wide, stands. */
function columnOf(o: number, size: number, { groups, parts, index }: Part): number {
  const run = size / groups;
  return (Math.floor(o / run) * parts + index) * run + (o % run);
}

/**
 * One update of a whole linear layer that does what the updates of its parts do: their A side by side, their B each in its own
 * rows and columns, zeros elsewhere. Parts that share their A (the same array) share its columns.
 */
export function fuse(pieces: readonly Piece[]): LowRankUpdate {
  const [first] = pieces as readonly [Piece, ...Piece[]];
  if (!first.part) return first.update;
  const { scale, b: { shape: [, outputs] } } = first.update;
  const starts = new Map<NdArray, number>();
  let rank = 0;
  for (const { update: { a } } of pieces) {
    if (starts.has(a)) continue;
    starts.set(a, rank);
    rank += a.shape[1]!;
  }
  const width = outputs! * first.part.parts;
  const b = zeros([rank, width]);
  for (const { update, part } of pieces) {
    const [start, factor] = [starts.get(update.a)!, update.scale / scale];
    update.b.data.forEach((value, n) => {
      const [row, o] = [Math.floor(n / outputs!), n % outputs!];
      b.data[(start + row) * width + columnOf(o, outputs!, part!)] = value * factor;
    });
  }
  return { a: [...starts.keys()].reduce((left, right) => beside(left, right)), b, scale };
}
