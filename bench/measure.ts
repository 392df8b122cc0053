export interface Spread {
  /** Milliseconds. */
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly runs: number;
}

/** A thing to time, and how often in each round. */
export interface Contender {
  readonly run: () => Promise<unknown>;
  readonly repeats: number;
}

/** Median and quartiles of durations. */
export function spreadOf(times: readonly number[]): Spread {
  const sorted = times.toSorted((a, b) => a - b);
  const quantile = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
  return { median: quantile(0.5), low: quantile(0.25), high: quantile(0.75), runs: sorted.length };
}

/** Times the contenders in turns, so that a slow spell of the machine meets all of them. */
export async function race(contenders: readonly Contender[], rounds: number): Promise<Spread[]> {
  const times = contenders.map((): number[] => []);
  for (const { run } of contenders) await run();
  for (let round = 0; round < rounds; round++) {
    for (const [i, { run, repeats }] of contenders.entries()) {
      for (let n = 0; n < repeats; n++) {
        const start = performance.now();
        await run();
        times[i]!.push(performance.now() - start);
      }
    }
  }
  return times.map(spreadOf);
}
