import type { Arrays, NdArray, Site } from '@lethe/core';

/** Decay of the running sensitivity and of its uncertainty (TaSL, AdaLoRA: 0.85). */
const DECAY = 0.85;

/** A rank-1 piece of the update of one site: x -> (x . a) b. */
export interface Atom {
  expert: number;
  /** Largest sensitivity that any of its owners had for it. */
  sensitivity: number;
  a: Float32Array;
  b: Float32Array;
  /** Diagonal Fisher information of `a` and `b`, summed over the tasks that trained them. */
  fisherA: Float32Array;
  fisherB: Float32Array;
}

/** The atoms of every site as rows [expert, sensitivity, a, b], and what is kept to anchor them as rows [fisherA, fisherB]. */
interface PackedAtoms {
  readonly atoms: Arrays;
  readonly fisher: Arrays;
}

/** Packs atoms into arrays `atoms.SITE` and `fisher.SITE`. */
export function packAtoms(sites: readonly Site[], atoms: readonly (readonly Atom[])[]): PackedAtoms {
  const packed: { atoms: Record<string, NdArray>; fisher: Record<string, NdArray> } = { atoms: {}, fisher: {} };
  sites.forEach((site, s) => {
    const list = atoms[s]!;
    if (list.length === 0) return;
    const [width, fisherWidth] = [2 + site.in + site.out, site.in + site.out];
    const data = new Float32Array(list.length * width);
    const fisher = new Float32Array(list.length * fisherWidth);
    list.forEach((atom, k) => {
      data.set([atom.expert, atom.sensitivity], k * width);
      data.set(atom.a, k * width + 2);
      data.set(atom.b, k * width + 2 + site.in);
      fisher.set(atom.fisherA, k * fisherWidth);
      fisher.set(atom.fisherB, k * fisherWidth + site.in);
    });
    packed.atoms[`atoms.${site.name}`] = { shape: [list.length, width], data };
    packed.fisher[`fisher.${site.name}`] = { shape: [list.length, fisherWidth], data: fisher };
  });
  return packed;
}

/** The inverse of {@link packAtoms}. */
export function unpackAtoms(sites: readonly Site[], { atoms, fisher }: PackedAtoms): Atom[][] {
  return sites.map((site) => {
    const [packed, squares] = [atoms[`atoms.${site.name}`], fisher[`fisher.${site.name}`]];
    if (!packed || !squares) return [];
    const [count, width] = packed.shape as [number, number];
    const fisherWidth = site.in + site.out;
    return Array.from({ length: count }, (_, k) => {
      const row = packed.data.subarray(k * width, (k + 1) * width);
      const fisherRow = squares.data.subarray(k * fisherWidth, (k + 1) * fisherWidth);
      return {
        expert: row[0]!,
        sensitivity: row[1]!,
        a: row.slice(2, 2 + site.in),
        b: row.slice(2 + site.in),
        fisherA: fisherRow.slice(0, site.in),
        fisherB: fisherRow.slice(site.in),
      };
    });
  });
}

/** What calibration learns of one atom. */
export class Measured {
  readonly fisherA: Float32Array;
  readonly fisherB: Float32Array;
  private mean = 0;
  private uncertainty = 0;
  private batches = 0;

  constructor(site: Site) {
    this.fisherA = new Float32Array(site.in);
    this.fisherB = new Float32Array(site.out);
  }

  get score(): number {
    return this.mean * this.uncertainty;
  }

  /** A is (in, count), B is (count, out); atom k is a column of A and a row of B. */
  add(k: number, count: number, a: Float32Array, gradA: Float32Array, b: Float32Array, gradB: Float32Array): void {
    let sensitivity = 0;
    for (let i = 0; i < this.fisherA.length; i++) {
      const g = gradA[i * count + k]!;
      sensitivity += Math.abs(a[i * count + k]! * g);
      this.fisherA[i]! += g * g;
    }
    const offset = k * this.fisherB.length;
    for (let i = 0; i < this.fisherB.length; i++) {
      const g = gradB[offset + i]!;
      sensitivity += Math.abs(b[offset + i]! * g);
      this.fisherB[i]! += g * g;
    }
    this.mean = this.batches === 0 ? sensitivity : DECAY * this.mean + (1 - DECAY) * sensitivity;
    const deviation = Math.abs(sensitivity - this.mean);
    this.uncertainty = this.batches < 2 ? Math.max(this.uncertainty, deviation) : DECAY * this.uncertainty + (1 - DECAY) * deviation;
    this.batches++;
  }
}
