import { type Example, type Random, type Split, createRandom, sha256 } from '@lethe/core';

/** A split of a generated suite; `pretrain` is the share that only the base model's corpus may use. */
export type Share = Split | 'pretrain';

/** A row before it has an id. */
export type Row = Pick<Example, 'prompt' | 'options' | 'answer'>;

/** The share a text belongs to: it follows from the text alone, so that no two shares can hold the same text. */
export function shareOf(text: string): Share {
  const bucket = Number.parseInt(sha256(text).slice(0, 8), 16) % 10;
  if (bucket < 4) return 'pretrain';
  return bucket < 7 ? 'train' : bucket < 8 ? 'validation' : 'test';
}

/**
 * `count` distinct rows of one share, with each answer index equally often (within one).
 *
 * @param draw makes a row whose right answer has the given index among `ways`
 * @throws RangeError where the generator has fewer distinct rows than were asked for
 */
export function rowsOf(
  path: string, share: Share, count: number, seed: number, ways: number, draw: (random: Random, answer: number) => Row,
): Example[] {
  const random = createRandom(seed, path, share);
  const seen = new Set<string>();
  const rows: Example[] = [];
  for (let tries = 0; rows.length < count; tries++) {
    if (tries > 200 * count + 10_000) throw new RangeError(`${path} has fewer than ${count} distinct ${share} rows`);
    const row = draw(random, rows.length % ways);
    if (shareOf(row.prompt) !== share || seen.has(row.prompt)) continue;
    seen.add(row.prompt);
    rows.push({ id: `${share}-${rows.length}`, ...row });
  }
  return random.shuffle(rows);
}

/** One element of a non-empty list. */
export function pick<T>(random: Random, items: readonly T[]): T {
  return items[random.below(items.length)]!;
}
