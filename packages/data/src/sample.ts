import { sha256 } from '@lethe/core';
import type { Count } from './definition.js';
import type { Placed } from './rows.js';

/** The part of the training rows that is held out for validation where a task brings no validation file. */
const HELD_OUT = 0.1;

/** Rows by the hash of their ids: an order that the order of a file has no part in. */
function hashed(rows: readonly Placed[], seed: number, purpose: string): Placed[] {
  return rows.map((row) => ({ row, key: sha256([seed, purpose, row.example.id]) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ row }) => row);
}

/**
 * Holds out a tenth of the training rows, by the hash of their ids: the same tenth for every size. A held-out row whose
 * prompt stands in another training row too is used for neither.
 */
export function holdOut(train: readonly Placed[], seed: number): { train: Placed[]; validation: Placed[] } {
  const held = new Set(hashed(train, seed, 'validation').slice(0, Math.floor(train.length * HELD_OUT)));
  const kept = train.filter((row) => !held.has(row));
  const prompts = new Set(kept.map(({ example }) => example.prompt));
  return { train: kept, validation: train.filter((row) => held.has(row) && !prompts.has(row.example.prompt)) };
}

/**
 * `count` of the rows, or all where there are no more, in the order given. Every answer keeps its share (largest
 * remainder), and a row's place in the sample is decided by the hash of its id alone.
 */
export function sample(rows: readonly Placed[], count: Count, seed: number): Placed[] {
  if (count === 'all' || count >= rows.length) return [...rows];
  const byAnswer = new Map<number, Placed[]>();
  for (const row of hashed(rows, seed, 'sample')) {
    const members = byAnswer.get(row.example.answer);
    if (members) members.push(row);
    else byAnswer.set(row.example.answer, [row]);
  }
  const strata = [...byAnswer.values()].map((members) => ({ members, quota: (count * members.length) / rows.length }))
    .sort((a, b) => (b.quota % 1) - (a.quota % 1) || a.members[0]!.example.answer - b.members[0]!.example.answer);
  const left = count - strata.reduce((sum, { quota }) => sum + Math.floor(quota), 0);
  const chosen = new Set(strata.flatMap(({ members, quota }, i) => members.slice(0, Math.floor(quota) + (i < left ? 1 : 0))));
  return rows.filter((row) => chosen.has(row));
}
