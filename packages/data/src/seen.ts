import { hash } from 'node:crypto';

const FIRST_CAPACITY = 1 << 10;
const FULLEST = 0.6;
/** 32-bit words of a key: 96 bits of a hash, of which no two texts of any file are the same. */
const WORDS = 3;

/**
 * A map from texts to numbers that keeps a fingerprint of each text instead of the text: about 35 bytes an entry, however long
 * texts are, and without the limit of 16.7 million entries of a Map.
 */
export class Seen {
  private keys = new Uint32Array(FIRST_CAPACITY * WORDS);
  private values = new Float64Array(FIRST_CAPACITY).fill(NaN);
  private size = 0;

  get(text: string): number | undefined {
    const value = this.values[this.slotOf(fingerprint(text))]!;
    return Number.isNaN(value) ? undefined : value;
  }

  /** Notes a number for a text that has none yet; returns the one it has then. */
  claim(text: string, value: number): number {
    const key = fingerprint(text);
    const slot = this.slotOf(key);
    if (!Number.isNaN(this.values[slot]!)) return this.values[slot]!;
    this.put(slot, key, value);
    return value;
  }

  /** Notes a number for a text where it is greater than the one noted. */
  raise(text: string, value: number): void {
    const key = fingerprint(text);
    const slot = this.slotOf(key);
    if (Number.isNaN(this.values[slot]!)) this.put(slot, key, value);
    else if (value > this.values[slot]!) this.values[slot] = value;
  }

  private put(slot: number, key: readonly number[], value: number): void {
    this.keys.set(key, slot * WORDS);
    this.values[slot] = value;
    if (++this.size > this.values.length * FULLEST) this.grow();
  }

  /** The slot of a key, or the free one where it belongs (linear probing). */
  private slotOf(key: readonly number[]): number {
    const mask = this.values.length - 1;
    let slot = key[0]! & mask;
    while (!Number.isNaN(this.values[slot]!) && key.some((word, i) => word !== this.keys[slot * WORDS + i])) slot = (slot + 1) & mask;
    return slot;
  }

  private grow(): void {
    const { keys, values } = this;
    this.keys = new Uint32Array(keys.length * 2);
    this.values = new Float64Array(values.length * 2).fill(NaN);
    values.forEach((value, old) => {
      if (Number.isNaN(value)) return;
      const key = keys.subarray(old * WORDS, (old + 1) * WORDS);
      const slot = this.slotOf([...key]);
      this.keys.set(key, slot * WORDS);
      this.values[slot] = value;
    });
  }
}

function fingerprint(text: string): readonly number[] {
  const digest = hash('sha256', text, 'buffer');
  return [digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8)];
}

/** How many lines a file may have for a place in it to fit a number. */
const LINES = 2 ** 32;

/** Numbers for places in files, so that {@link Seen} can say where a text was. */
export class Places {
  private readonly names: ((at: number) => string)[] = [];

  /** @param name the place at a line, or at the index of a row */
  part(name: (at: number) => string): (at: number) => number {
    const part = this.names.push(name) - 1;
    return (at) => part * LINES + at;
  }

  name(place: number): string {
    return this.names[Places.partOf(place)]!(place % LINES);
  }

  /** Which part a place belongs to, counted from 0. */
  static partOf(place: number): number {
    return Math.floor(place / LINES);
  }
}
