/** What one run took, in milliseconds. */
export interface Taken {
  readonly elapsed: number;
  /** Of all processors together. */
  readonly processor: number;
}

export interface Spread {
  /** Milliseconds elapsed. */
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /** Median milliseconds of processor: what is left of a time when others have the processors too. */
  readonly processor: number;
  readonly runs: number;
  /** Processor time over elapsed time: below the number of threads that were at work, others had the processor. */
  readonly processors: number;
}

/** A thing to time, and how often in each round. */
export interface Contender {
  readonly run: () => Promise<Taken>;
  readonly repeats: number;
}

/** A piece of work of this process, timed. */
export function timed(work: () => Promise<unknown>): () => Promise<Taken> {
  return async () => {
    const [start, before] = [performance.now(), process.cpuUsage()];
    await work();
    const elapsed = performance.now() - start;
    const { user, system } = process.cpuUsage(before);
    return { elapsed, processor: (user + system) / 1000 };
  };
}

const quantile = (values: readonly number[], q: number) => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
};

/** The middle value; of an even number the upper one of both. */
export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Median and quartiles. */
export function spreadOf(all: readonly Taken[]): Spread {
  const [elapsed, processor] = [all.map((taken) => taken.elapsed), all.map((taken) => taken.processor)];
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  return {
    median: quantile(elapsed, 0.5),
    low: quantile(elapsed, 0.25),
    high: quantile(elapsed, 0.75),
    processor: quantile(processor, 0.5),
    runs: all.length,
    processors: sum(processor) / sum(elapsed),
  };
}

/** Times the contenders in turns, so that a slow spell of the machine meets all of them. The first run of each does not count. */
export async function race(contenders: readonly Contender[], rounds: number): Promise<Spread[]> {
  const taken = contenders.map((): Taken[] => []);
  for (const { run } of contenders) await run();
  for (let round = 0; round < rounds; round++) {
    for (const [i, { run, repeats }] of contenders.entries()) {
      for (let n = 0; n < repeats; n++) taken[i]!.push(await run());
    }
  }
  return taken.map(spreadOf);
}
