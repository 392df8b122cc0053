import { createHash } from 'node:crypto';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A seeded source of randomness. The same seed and path give the same values on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** A uniform integer in [0, n). */
  below(n: number): number;
  /** A new array with the elements of `items` in random order (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[];
  /** `n` standard normal values times `std`. */
  normals(n: number, std: number): Float32Array;
  /** An independent generator for a named purpose: `random.fork('init')` does not disturb `random`. */
  fork(...path: (string | number)[]): Random;
}

/**
 * A generator for each of several texts, by its tokens and how often it stood there before: what is drawn depends on nothing else, and whoever asks twice
 * for the same text gets two draws.
 */
export function randomOfTexts(seed: number, texts: readonly (readonly number[])[]): Random[] {
  const seen = new Map<string, number>();
  return texts.map((tokens) => {
    const text = tokens.join();
    const earlier = seen.get(text) ?? 0;
    seen.set(text, earlier + 1);
    return createRandom(seed, 'generate', ...tokens, ...(earlier > 0 ? ['again', earlier] : []));
  });
}

/** A generator for a seed and a path of names, e.g. `createRandom(1, 'task', 3, 'shuffle')`. */
export function createRandom(seed: number, ...path: (string | number)[]): Random {
  const digest = createHash('sha256').update(JSON.stringify([seed, ...path])).digest();
  const generator = xoroshiro128plus(digest.readInt32LE(0));
  const uniform = () => {
    const high = generator.next() >>> 6; // 26 bits
    const low = generator.next() >>> 5; // 27 bits
    return (high * 2 ** 27 + low) / 2 ** 53;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()); // Box-Muller
  const below = (n: number) => Math.floor(uniform() * n);
  return {
    uniform,
    normal,
    below,
    shuffle(items) {
      const result = [...items];
      for (let i = result.length - 1; i > 0; i--) {
        const j = below(i + 1);
        [result[i], result[j]] = [result[j]!, result[i]!];
      }
      return result;
    },
    normals: (n, std) => Float32Array.from({ length: n }, () => normal() * std),
    fork: (...more) => createRandom(seed, ...path, ...more),
  };
}
