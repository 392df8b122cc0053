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
  private keys = new Int32Array(FIRST_CAPACITY * WORDS);
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
    while (!Number.isNaN(this.values[slot]!) && !this.isAt(slot * WORDS, key)) slot = (slot + 1) & mask;
    return slot;
  }

  private isAt(first: number, key: readonly number[]): boolean {
    return this.keys[first] === key[0] && this.keys[first + 1] === key[1] && this.keys[first + 2] === key[2];
  }

  private grow(): void {
    const { keys, values } = this;
    this.keys = new Int32Array(keys.length * 2);
    this.values = new Float64Array(values.length * 2).fill(NaN);
    values.forEach((value, old) => {
      if (Number.isNaN(value)) return;
      const key = [keys[old * WORDS]!, keys[old * WORDS + 1]!, keys[old * WORDS + 2]!];
      const slot = this.slotOf(key);
      this.keys.set(key, slot * WORDS);
      this.values[slot] = value;
    });
  }
}

/** 96 bits of the sha256 of a text, as three words. */
function fingerprint(text: string): readonly number[] {
  // a string of one character a byte costs a third of what a Buffer does, and there are two fingerprints for each row
  const digest = hash('sha256', text, 'binary');
  return [wordAt(digest, 0), wordAt(digest, 4), wordAt(digest, 8)];
}

/** The four bytes of a binary string from a place on, as a signed number. */
const wordAt = (bytes: string, at: number): number =>
  bytes.charCodeAt(at) | (bytes.charCodeAt(at + 1) << 8) | (bytes.charCodeAt(at + 2) << 16) | (bytes.charCodeAt(at + 3) << 24);

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
