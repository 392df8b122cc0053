import { hash } from 'node:crypto';
import type { Count } from './definition.js';
import type { Placed } from './rows.js';
import { Seen } from './seen.js';

/** The part of the training rows that is held out for validation where a task brings no validation file. */
const HELD_OUT = 0.1;

/** What decides a row's place, whatever the order of its file. One call without a Hash object: there are several for each row. */
const keyOf = (seed: number, purpose: string, id: string): string => hash('sha256', JSON.stringify([seed, purpose, id]));

/** A row that may be in a sample. */
interface Candidate {
  readonly key: string;
  readonly at: number;
  readonly row: Placed;
}

/** Rows of one answer: the `count` with the smallest keys of all that were seen. */
class Stratum {
  seen = 0;
  private kept: Candidate[] = [];
  private limit: string | undefined;

  constructor(private readonly count: number) {}

  offer(candidate: Candidate): void {
    this.seen++;
    if (this.limit !== undefined && candidate.key >= this.limit) return;
    this.kept.push(candidate);
    if (this.kept.length >= 2 * this.count + 64) this.limit = this.smallest(this.count).at(-1)!.key;
  }

  smallest(count: number): readonly Candidate[] {
    this.kept = this.kept.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, this.count);
    return this.kept.slice(0, count);
  }
}

/**
 * Takes a sample of rows while they stream by, with no more than twice the sample of each answer in memory. Every answer keeps its share
 * (largest remainder), and a row's place in the sample is decided by the hash of its id alone: the order of a file has no part in it.
 */
export class Sampler {
  private readonly all: Placed[] = [];
  private readonly strata = new Map<number, Stratum>();
  private total = 0;

  /** @param count rows wanted; all there are, in their order, where there are no more */
  constructor(private readonly count: Count, private readonly seed: number) {}

  offer(row: Placed): void {
    const at = this.total++;
    if (this.count === 'all') this.all.push(row);
    if (this.count === 'all' || this.count === 0) return;
    const { answer, id } = row.example;
    let stratum = this.strata.get(answer);
    if (!stratum) this.strata.set(answer, (stratum = new Stratum(this.count)));
    stratum.offer({ key: keyOf(this.seed, 'sample', id), at, row });
  }

  /** The sample, in the order in which its rows were offered. */
  rows(): Placed[] {
    if (this.count === 'all' || this.count === 0) return this.all;
    const share = Math.min(this.count, this.total);
    const strata = [...this.strata].map(([answer, stratum]) => ({ answer, stratum, quota: (share * stratum.seen) / this.total }))
      .sort((a, b) => (b.quota % 1) - (a.quota % 1) || a.answer - b.answer);
    const left = share - strata.reduce((sum, { quota }) => sum + Math.floor(quota), 0);
    return strata.flatMap(({ stratum, quota }, i) => stratum.smallest(Math.floor(quota) + (i < left ? 1 : 0)))
      .sort((a, b) => a.at - b.at).map(({ row }) => row);
  }
}

/**
 * Holds out a tenth of the training rows, by the hash of their ids: the same tenth for every size. All rows are shown to it once before
 * it is asked about any.
 */
export class HoldOut {
  private keys: number[] = [];
  private readonly latest = new Seen();
  private limit: number | undefined;

  constructor(private readonly seed: number) {}

  show({ example: { id, prompt } }: Placed): void {
    const key = this.keyOf(id);
    this.keys.push(key);
    this.latest.raise(prompt, key);
  }

  /** Training or validation, or null for a held-out row whose prompt stands in a training row too: it is used for neither. */
  splitOf({ example: { id, prompt } }: Placed): 'train' | 'validation' | null {
    this.limit ??= this.limitOf();
    if (this.keyOf(id) >= this.limit) return 'train';
    return this.latest.get(prompt)! >= this.limit ? null : 'validation';
  }

  /** 52 bits of the hash: a number without loss. */
  private keyOf(id: string): number {
    return Number.parseInt(keyOf(this.seed, 'validation', id).slice(0, 13), 16);
  }

  private limitOf(): number {
    const sorted = Float64Array.from(this.keys).sort();
    this.keys = [];
    return sorted[Math.floor(sorted.length * HELD_OUT)] ?? 0;
  }
}
