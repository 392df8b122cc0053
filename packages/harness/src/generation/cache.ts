import type { Values } from '@lethe/engine';
import type { LanguageModel } from '@lethe/model';
import { floats } from '../batch.js';
import { memoryNames } from './programs.js';

type Outputs = Readonly<Record<string, Values>>;

/** Keys and values of all layers for a batch of rows: place p of a row holds what the token at position p left. */
export class KeyValueCache {
  private arrays: Record<string, Float32Array> = {};
  private places = 0;
  /** Rows times heads: each has its places in a line. */
  private readonly lines: number;
  private readonly size: number;
  private readonly names: readonly string[];

  constructor({ config }: LanguageModel, rows: number) {
    this.lines = rows * config.keyValueHeads;
    this.size = config.headSize;
    this.names = Array.from({ length: config.layers }, (_, layer) => Object.values(memoryNames(layer))).flat();
  }

  /** Takes what a prompt program left of `tokens` tokens from position 0 on, and gives back its other outputs. */
  fill(outputs: Outputs, tokens: number): Outputs {
    this.arrays = Object.fromEntries(this.names.map((name) => [name, floats(outputs[name])]));
    this.places = tokens;
    return Object.fromEntries(Object.entries(outputs).filter(([name]) => !(name in this.arrays)));
  }

  /** The values of all layers with this many places, no fewer than before, as inputs of a step. */
  feeds(places: number): Readonly<Record<string, Float32Array>> {
    if (places > this.places) {
      const [from, to] = [this.places * this.size, places * this.size];
      this.arrays = Object.fromEntries(Object.entries(this.arrays).map(([name, old]) => {
        const grown = new Float32Array(this.lines * to);
        for (let line = 0; line < this.lines; line++) grown.set(old.subarray(line * from, (line + 1) * from), line * to);
        return [name, grown];
      }));
      this.places = places;
    }
    return this.arrays;
  }

  /** Writes what a step left of one token a row, each to its position. */
  add(outputs: Outputs, positions: Int32Array): void {
    const heads = this.lines / positions.length;
    for (const name of this.names) {
      const [own, all] = [floats(outputs[name]), this.arrays[name]!];
      for (let line = 0; line < this.lines; line++) {
        const place = line * this.places + positions[Math.floor(line / heads)]!;
        all.set(own.subarray(line * this.size, (line + 1) * this.size), place * this.size);
      }
    }
  }
}
