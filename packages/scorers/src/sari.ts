import type { Scorer } from '@lethe/core';
import { wordsOf } from './text.js';

/** N-grams of one to four tokens. */
const ORDERS = [1, 2, 3, 4];

/** Lower case and the tokenizer 13a of mteval and sacrebleu: punctuation apart, but for points and commas within numbers. */
export function tokens13a(text: string): string[] {
  const plain = text.toLowerCase().replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ')
    .replaceAll('&quot;', '"').replaceAll('&amp;', '&').replaceAll('&lt;', '<').replaceAll('&gt;', '>');
  const apart = ` ${plain} `
    .replace(/([{-~[-` -&(-+:-@/])/gu, ' $1 ')
    .replace(/([^0-9])([.,])/gu, '$1 $2 ')
    .replace(/([.,])([^0-9])/gu, ' $1 $2')
    .replace(/([0-9])(-)/gu, '$1 $2 ');
  const words = wordsOf(apart);
  // Python's split of an empty text at spaces gives one empty word, which the reference counts
  return words.length === 0 ? [''] : words;
}

/** How often each n-gram occurs. */
function countsOf(tokens: readonly string[], n: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + n <= tokens.length; i++) {
    const gram = tokens.slice(i, i + n).join(' ');
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

type Counts = ReadonlyMap<string, number>;
const at = (counts: Counts, gram: string): number => counts.get(gram) ?? 0;
const scaled = (counts: Counts, factor: number): Counts => new Map([...counts].map(([gram, count]) => [gram, count * factor]));
/** The grams of `a` with what `count` leaves of them, those with nothing left out. */
const kept = (a: Counts, count: (gram: string, own: number) => number): Counts =>
  new Map([...a].flatMap(([gram, own]) => {
    const left = count(gram, own);
    return left > 0 ? [[gram, left] as const] : [];
  }));
const shared = (a: Counts, b: Counts): Counts => kept(a, (gram, own) => Math.min(own, at(b, gram)));
const without = (a: Counts, b: Counts): Counts => kept(a, (gram, own) => own - at(b, gram));
const total = (counts: Counts): number => [...counts.values()].reduce((sum, count) => sum + count, 0);
/** Nothing of nothing is all of it: 0 / 0 is 1. */
const share = (part: number, whole: number): number => (whole === 0 ? 1 : part / whole);
const f1 = (precision: number, recall: number): number => (precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall));
/** The mean, over the grams of `whole`, of the share that `good` has of each. */
const meanShare = (good: Counts, whole: Counts): number =>
  share([...good].reduce((sum, [gram, count]) => sum + count / at(whole, gram), 0), whole.size);

/** Keep, delete and add for n-grams of one length; every list counts as often as there are references. */
function operations(source: Counts, prediction: Counts, references: Counts, count: number): number {
  const [before, after] = [scaled(source, count), scaled(prediction, count)];
  const keep = shared(before, after);
  const keepGood = shared(keep, references);
  const keepScore = f1(meanShare(keepGood, keep), share(total(keepGood), total(shared(before, references))));
  const drop = without(before, after);
  const dropScore = meanShare(without(drop, references), drop);
  const added = [...prediction.keys()].filter((gram) => !source.has(gram));
  const addedGood = added.filter((gram) => references.has(gram)).length;
  const wanted = [...references.keys()].filter((gram) => !source.has(gram)).length;
  return keepScore + dropScore + f1(share(addedGood, added.length), share(addedGood, wanted));
}

/**
 * SARI (Xu et al. 2016, "Optimizing statistical machine translation for text simplification"): how well a rewriting keeps, deletes and
 * adds what the references do. Sentence by sentence as `evaluate` has it, over 100: 0 / 0 is 1, recall of what is kept is over counts,
 * deletion is precision only. `corpus_sari` of EASSE counts over all sentences at once and gives other values.
 */
export const sari: Scorer = {
  id: 'sari',
  needs: 'text',
  needsSource: true,
  score: (prediction, references, source) => {
    if (source === undefined) throw new TypeError('SARI compares with the source: none was given');
    const [before, after] = [tokens13a(source), tokens13a(prediction)];
    const right = references.map(tokens13a);
    const sums = ORDERS.map((n) => {
      const all = new Map<string, number>();
      for (const tokens of right) for (const [gram, count] of countsOf(tokens, n)) all.set(gram, at(all, gram) + count);
      return operations(countsOf(before, n), countsOf(after, n), all, references.length);
    });
    return sums.reduce((sum, value) => sum + value, 0) / (3 * ORDERS.length);
  },
};
