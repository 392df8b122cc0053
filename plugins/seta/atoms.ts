import type { Arrays, NdArray, Site } from '@lethe/core';

/** A rank-1 piece of the update of one site: x -> (x . a) b. */
export interface Atom {
  expert: number;
  a: Float32Array;
  b: Float32Array;
  /** Diagonal Fisher information of `a` and `b`, summed over the tasks that trained them. */
  fisherA: Float32Array;
  fisherB: Float32Array;
  /** Later tasks that read it as it is, each with its weight (in units of {@link READING}). */
  readonly readers: Map<number, number>;
}

/** Weights by which a task reads old atoms move so many times as fast as adapters do: they begin at 0 and end in the order of 1. */
export const READING = 16;

/** An atom of an expert that starts as these two vectors and was not measured yet. */
export const newAtom = (expert: number, a: Float32Array, b: Float32Array): Atom =>
  ({ expert, a, b, fisherA: new Float32Array(a.length), fisherB: new Float32Array(b.length), readers: new Map() });

/** What is kept of atoms. */
export interface Kept {
  /** What predictions need: `atoms.SITE`, rows [expert, a, b], and `readers.SITE`, rows [place of an atom, task, weight], where any is read. */
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
    const readers = list.flatMap((atom, k) => [...atom.readers].map(([task, weight]) => Float32Array.of(k, task, weight)));
    if (readers.length > 0) packed.atoms[`readers.${site.name}`] = rows(readers);
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
    const read = atoms[`readers.${site.name}`];
    const readers = Array.from({ length: read?.shape[0] ?? 0 }, (_, n) => [...rowOf(read!, n)] as [atom: number, task: number, weight: number]);
    return Array.from({ length: packed.shape[0]! }, (_, k) => {
      const [expert, ...vectors] = rowOf(packed, k);
      const atom = newAtom(expert!, Float32Array.from(vectors.slice(0, site.in)), Float32Array.from(vectors.slice(site.in)));
      if (known) {
        atom.fisherA.set(rowOf(known, k).subarray(0, site.in));
        atom.fisherB.set(rowOf(known, k).subarray(site.in));
      }
      for (const [at, task, weight] of readers) if (at === k) atom.readers.set(task, weight);
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
