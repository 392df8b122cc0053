import type { FileKind } from './definition.js';
import type { Placed } from './rows.js';

type Row = Pick<Placed, 'where' | 'text' | 'group'>;

/** Rows of one part of a suite, as they are used. */
export interface UsedRows {
  readonly owner: string;
  readonly probe: boolean;
  readonly split: FileKind;
  readonly rows: readonly Row[];
}

/** Test rows that stand, nearly the same, in another part of the suite. */
export interface Overlap {
  /** Such as `test rows of probe "boolq"`. */
  readonly rows: string;
  /** Such as `train rows of task "rte"`. */
  readonly within: string;
  /** How many of the test rows, of all that are used. */
  readonly count: number;
  readonly of: number;
  /** The first pair. */
  readonly example: readonly [string, string];
}

/** Words of a piece, and the share of a row's pieces that another row must hold for the two to overlap. */
const WORDS = 8;
const SHARE = 0.8;
/** A piece that more rows of a part hold than this share of them, and than so many, belongs to none of them. */
const FRAME = 0.05;
const FRAME_ROWS = 3;

interface Target {
  readonly part: UsedRows;
  readonly row: Row;
  readonly pieces: number;
}

/** The words of a text without case, punctuation and white space; every Han character is one. */
export function wordsOf(text: string): string[] {
  return text.normalize('NFKC').toLowerCase().replace(/\p{Script=Han}/gu, ' $& ').match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Fingerprints (53 bits) of the runs of 8 words of a text; the whole text is one where it has no more. */
function piecesOf(text: string): Set<number> {
  const words = wordsOf(text);
  if (words.length === 0) return new Set();
  const hashes = words.map(hashOf);
  const pieces = new Set<number>();
  const last = Math.max(0, words.length - WORDS);
  for (let i = 0; i <= last; i++) {
    let [high, low] = [0, 0];
    for (let word = i; word < Math.min(i + WORDS, words.length); word++) {
      high = (Math.imul(high, 0x01000193) ^ hashes[word]!) >>> 0;
      low = (Math.imul(low, 0x5bd1e995) + hashes[word]!) >>> 0;
    }
    pieces.add((high & 0x1fffff) * 2 ** 32 + low);
  }
  return pieces;
}

/** Pieces that so many rows of a part hold that they are no text of theirs, but a question that is put to all. */
function frameOf(rows: readonly ReadonlySet<number>[]): ReadonlySet<number> {
  const counts = new Map<number, number>();
  for (const pieces of rows) for (const piece of pieces) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  const many = Math.max(FRAME_ROWS, FRAME * rows.length);
  return new Set([...counts].filter(([, count]) => count > many).map(([piece]) => piece));
}

/** 32 bits of a word (FNV-1a). */
function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/**
 * Rows of text that are nearly the same in two places: test rows of a task in training rows of any, and rows of probes in training
 * or test rows of the stream, and test rows in the few-shot rows that stand before them. A row overlaps another that holds four fifths of its runs of eight words, whatever stands around
 * them, after Unicode normalisation and without case and punctuation; runs that very many test rows hold, such as a question put
 * to all, do not count. Generated rows are disjoint by construction and not compared.
 */
export function overlapsOf(parts: readonly UsedRows[]): Overlap[] {
  const targets = new Map<number, Target[]>();
  for (const part of parts.filter(({ split }) => split === 'test')) {
    const rows = part.rows.filter(({ text }) => text !== '').map((row) => ({ row, pieces: piecesOf(row.text) }));
    const frame = frameOf(rows.map(({ pieces }) => pieces));
    for (const { row, pieces } of rows) {
      const own = [...pieces].filter((piece) => !frame.has(piece));
      const target = { part, row, pieces: own.length };
      for (const piece of own) {
        const same = targets.get(piece);
        if (same) same.push(target);
        else targets.set(piece, [target]);
      }
    }
  }
  const found = new Map<string, { rows: Set<Target>; part: UsedRows; within: UsedRows; example: readonly [string, string] }>();
  for (const within of parts.filter(({ probe, split }) => split === 'fewshot' || (!probe && split !== 'validation'))) {
    for (const row of within.rows.filter(({ text }) => text !== '')) {
      for (const target of holding(row, within, targets)) {
        const key = `${target.part.owner} ${within.owner} ${within.split}`;
        const pair = found.get(key) ?? { rows: new Set(), part: target.part, within, example: [target.row.where, row.where] as const };
        pair.rows.add(target);
        found.set(key, pair);
      }
    }
  }
  return [...found.values()].map(({ rows, part, within, example }) => ({
    rows: `test rows of ${part.owner}`, within: `${within.split === 'fewshot' ? 'few-shot' : within.split} rows of ${within.owner}`, count: rows.size, of: part.rows.length, example,
  }));
}

/** Whether a test row is compared with a row: of the stream's own test rows probes alone are, and of few-shot rows those that stand before them. */
function isCompared({ part, row: { group } }: Target, within: UsedRows, row: Row): boolean {
  if (within.split === 'fewshot') return part.owner === within.owner && group === row.group;
  return within.split === 'train' || part.probe;
}

/** The targets that a row holds nearly all of. */
function holding(row: Row, within: UsedRows, targets: ReadonlyMap<number, readonly Target[]>): Target[] {
  const hits = new Map<Target, number>();
  for (const piece of piecesOf(row.text)) {
    for (const target of targets.get(piece) ?? []) {
      if (isCompared(target, within, row)) hits.set(target, (hits.get(target) ?? 0) + 1);
    }
  }
  return [...hits].filter(([target, count]) => count >= SHARE * target.pieces).map(([target]) => target);
}

/** One line for people. */
export function overlapLine({ rows, within, count, of, example }: Overlap): string {
  return `${count} of ${of} ${rows} stand, nearly the same, in ${within} (${example.join(' and ')})`;
}
