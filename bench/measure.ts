export interface Spread {
  /** Milliseconds. */
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly runs: number;
  /** Processor time over elapsed time: below the number of threads that were at work, others had the processor. */
  readonly processors: number;
}

/** A thing to time, and how often in each round. */
export interface Contender {
  readonly run: () => Promise<unknown>;
  readonly repeats: number;
}

/** Median and quartiles of durations in milliseconds. */
export function spreadOf(times: readonly number[], processorTime: number): Spread {
  const sorted = times.toSorted((a, b) => a - b);
  const quantile = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
  return {
    median: quantile(0.5),
    low: quantile(0.25),
    high: quantile(0.75),
    runs: sorted.length,
    processors: processorTime / times.reduce((a, b) => a + b, 0),
  };
}

/** Times the contenders in turns, so that a slow spell of the machine meets all of them. */
export async function race(contenders: readonly Contender[], rounds: number): Promise<Spread[]> {
  const times = contenders.map((): number[] => []);
  const used = contenders.map(() => 0);
  for (const { run } of contenders) await run();
  for (let round = 0; round < rounds; round++) {
    for (const [i, { run, repeats }] of contenders.entries()) {
      for (let n = 0; n < repeats; n++) {
        const [start, before] = [performance.now(), process.cpuUsage()];
        await run();
        times[i]!.push(performance.now() - start);
        const { user, system } = process.cpuUsage(before);
        used[i]! += (user + system) / 1000;
      }
    }
  }
  return times.map((all, i) => spreadOf(all, used[i]!));
}
