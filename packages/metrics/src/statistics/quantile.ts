/** Sorted values' quantile with linear interpolation between order statistics (type 7 of Hyndman and Fan 1996). */
export function quantileOf(sorted: ArrayLike<number>, probability: number): number {
  const at = (sorted.length - 1) * probability;
  const below = sorted[Math.floor(at)]!;
  return below + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - below);
}

/** The middle `1 - 2 tail` of draws. Sorts them. */
export function middleOf(draws: Float64Array, tail: number): readonly [low: number, high: number] {
  draws.sort();
  return [quantileOf(draws, tail), quantileOf(draws, 1 - tail)];
}
