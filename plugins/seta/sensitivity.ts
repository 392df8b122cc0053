import type { Random, Site } from '@lethe/core';

/** Decay of the running sensitivity and of its uncertainty (TaSL, AdaLoRA: 0.85). */
const DECAY = 0.85;

/** By what an atom is judged to matter to a task; `random` is the control. */
export type Sensitivity = 'uncertain' | 'product' | 'gradient' | 'fisher' | 'random';

/** The rows of gradients and values of one atom: `a` is column k of A (in, count), `b` row k of B (count, out). */
export interface Group {
  readonly count: number;
  readonly a: Float32Array;
  readonly gradA: Float32Array;
  readonly b: Float32Array;
  readonly gradB: Float32Array;
}

/**
 * What calibration batches tell of one atom. With I = sum |theta g| over its entries in a batch (`gradient`: sum |g|; `fisher`: sum
 * g^2), the score is the running mean of I, for `uncertain` times the running mean of |I - mean| (TaSL, section 3.2; AdaLoRA,
 * equations 8 to 10).
 */
export class Measured {
  /** Diagonal Fisher information of `a` and `b`: the sum of squared gradients. */
  readonly fisherA: Float32Array;
  readonly fisherB: Float32Array;
  private mean = 0;
  private uncertainty = 0;
  private batches = 0;
  /** sum theta g and sum |theta g|. */
  private signed = 0;
  private absolute = 0;
  private readonly drawn: number;

  /** @param random of the atom and the task; decides `random` alone */
  constructor(site: Site, private readonly kind: Sensitivity, random: Random) {
    this.fisherA = new Float32Array(site.in);
    this.fisherB = new Float32Array(site.out);
    this.drawn = kind === 'random' ? random.uniform() : 0;
  }

  /** How much the task depends on the atom, 0 or more. */
  get score(): number {
    if (this.kind === 'random') return this.drawn;
    return this.kind === 'uncertain' ? this.mean * this.uncertainty : this.mean;
  }

  /**
   * Whether the task wants these atoms as they are: -sum theta g over sum |theta g|, in [-1, 1]. To first order, taking them away changes the loss by
   * -sum theta g: 1 says that all of their entries help, -1 that all do harm, 0 that they are settled, or help and harm alike.
   */
  static agreement(atoms: readonly Measured[]): number {
    const absolute = atoms.reduce((sum, atom) => sum + atom.absolute, 0);
    return absolute > 0 ? -atoms.reduce((sum, atom) => sum + atom.signed, 0) / absolute : 0;
  }

  /** Adds a batch. */
  add(k: number, { count, a, gradA, b, gradB }: Group): void {
    let sensitivity = 0;
    const look = (value: number, g: number): void => {
      const product = value * g;
      this.signed += product;
      this.absolute += Math.abs(product);
      sensitivity += this.kind === 'gradient' ? Math.abs(g) : this.kind === 'fisher' ? g * g : Math.abs(product);
    };
    for (let i = 0; i < this.fisherA.length; i++) {
      const g = gradA[i * count + k]!;
      look(a[i * count + k]!, g);
      this.fisherA[i]! += g * g;
    }
    const offset = k * this.fisherB.length;
    for (let i = 0; i < this.fisherB.length; i++) {
      const g = gradB[offset + i]!;
      look(b[offset + i]!, g);
      this.fisherB[i]! += g * g;
    }
    this.mean = this.batches === 0 ? sensitivity : DECAY * this.mean + (1 - DECAY) * sensitivity;
    const deviation = Math.abs(sensitivity - this.mean);
    this.uncertainty = this.batches < 2 ? Math.max(this.uncertainty, deviation) : DECAY * this.uncertainty + (1 - DECAY) * deviation;
    this.batches++;
  }
}

/** The atoms that a task is most sensitive to, at most so many of those that may be chosen; `measured` stands beside them. */
export function mostSensitive<A>(atoms: readonly A[], measured: readonly Measured[], limit: number, may: (atom: A) => boolean): A[] {
  return atoms.map((atom, k) => ({ atom, score: measured[k]!.score }))
    .filter(({ atom, score }) => may(atom) && score > 0)
    .sort((p, q) => q.score - p.score)
    .slice(0, limit)
    .map(({ atom }) => atom);
}
