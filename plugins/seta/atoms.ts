import type { Arrays, NdArray, Site } from '@lethe/core';

/** A rank-1 piece of the update of one site: x -> (x . a) b. */
export interface Atom {
  expert: number;
  a: Float32Array;
  b: Float32Array;
  /** Diagonal Fisher information of `a` and `b`, summed over the tasks that trained them. */
  fisherA: Float32Array;
  fisherB: Float32Array;
}

/** An atom of an expert that starts as these two vectors and was not measured yet. */
export const newAtom = (expert: number, a: Float32Array, b: Float32Array): Atom =>
  ({ expert, a, b, fisherA: new Float32Array(a.length), fisherB: new Float32Array(b.length) });

/** What is kept of atoms. */
export interface Kept {
  /** What predictions need: `atoms.SITE`, rows [expert, a, b]. */
  readonly atoms: Arrays;
  /** What later tasks need: `fisher.SITE`, rows [fisherA, fisherB]. */
  readonly fisher: Arrays;
}

/** Packs the atoms of every site. */
export function packAtoms(sites: readonly Site[], atoms: readonly (readonly Atom[])[]): Kept {
  const packed: { atoms: Record<string, NdArray>; fisher: Record<string, NdArray> } = { atoms: {}, fisher: {} };
  sites.forEach((site, s) => {
    const list = atoms[s]!;
    if (list.length === 0) return;
    packed.atoms[`atoms.${site.name}`] = rows(list.map(({ expert, a, b }) => Float32Array.from([expert, ...a, ...b])));
    packed.fisher[`fisher.${site.name}`] = rows(list.map(({ fisherA, fisherB }) => Float32Array.from([...fisherA, ...fisherB])));
  });
  return packed;
}

/** The inverse of {@link packAtoms}; what was not kept is zero. */
export function unpackAtoms(sites: readonly Site[], { atoms, fisher }: Kept): Atom[][] {
  return sites.map((site) => {
    const packed = atoms[`atoms.${site.name}`];
    if (!packed) return [];
    const known = fisher[`fisher.${site.name}`];
    return Array.from({ length: packed.shape[0]! }, (_, k) => {
      const [expert, ...vectors] = rowOf(packed, k);
      const atom = newAtom(expert!, Float32Array.from(vectors.slice(0, site.in)), Float32Array.from(vectors.slice(site.in)));
      if (known) {
        atom.fisherA.set(rowOf(known, k).subarray(0, site.in));
        atom.fisherB.set(rowOf(known, k).subarray(site.in));
      }
      return atom;
    });
  });
}

const rowOf = ({ shape, data }: NdArray, k: number): Float32Array => data.subarray(k * shape[1]!, (k + 1) * shape[1]!);

/** Vectors as the rows of a matrix (count, length). */
export function rows(vectors: readonly Float32Array[]): NdArray {
  const n = vectors[0]!.length;
  const data = new Float32Array(n * vectors.length);
  vectors.forEach((v, k) => data.set(v, k * n));
  return { shape: [vectors.length, n], data };
}

/** Mean of the entries above zero of several vectors; 0 where there is none. */
export function meanOf(vectors: readonly Float32Array[]): number {
  let [sum, count] = [0, 0];
  for (const v of vectors) for (const x of v) [sum, count] = [sum + x, count + (x > 0 ? 1 : 0)];
  return count > 0 ? sum / count : 0;
}
