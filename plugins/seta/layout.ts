import { columns, type NdArray, type Site } from '@lethe/core';
import * as tf from '@tensorflow/tfjs';
import { type Atom, READING, meanOf, rows } from './atoms.js';
import type { Owners } from './report.js';

/** What atoms are to the task that is learned, in the order in which they are laid out: neither, read as they are, or its own. */
export const GROUPS = ['kept', 'read', 'own'] as const;
export type Group = (typeof GROUPS)[number];

/** Some of the atoms of a site. */
export type Grouped = Readonly<Record<Group, readonly Atom[]>>;

/** All atoms of a site in the order in which they are laid out. */
export const inOrder = (groups: Grouped): Atom[] => GROUPS.flatMap((group) => groups[group]);

/** The weights by which a task reads atoms; 0 of those that it does not. */
const weightsOf = (atoms: readonly Atom[], task: number) => Float32Array.from(atoms, ({ readers }) => readers.get(task) ?? 0);

/**
 * The atoms of a site as the arrays that traced functions read. `own.*` trains, as do the `weights` of `read.*`, which is frozen like `kept.*` and the
 * weights of `earlier` tasks, (tasks, atoms); `anchor.*` holds shared atoms elastically.
 *
 * @param task that is learned, from 1
 * @param ownersOf an expert
 */
export function laidOut(
  site: Site, groups: Grouped, task: number, ownersOf: (expert: number) => Owners,
): { readonly trainable: Record<string, NdArray>; readonly frozen: Record<string, NdArray> } {
  const trainable: Record<string, NdArray> = {};
  const frozen: Record<string, NdArray> = {};
  const { kept, read, own } = groups;
  const all = inOrder(groups);
  for (const [group, atoms] of [['kept', kept], ['read', read]] as const) {
    if (atoms.length === 0) continue;
    frozen[`${group}.A.${site.name}`] = columns(atoms.map((atom) => atom.a));
    frozen[`${group}.B.${site.name}`] = rows(atoms.map((atom) => atom.b));
  }
  if (read.length > 0) trainable[`weights.${site.name}`] = { shape: [read.length], data: weightsOf(read, task) };
  if (all.some(({ readers }) => [...readers.keys()].some((reader) => reader < task))) {
    frozen[`earlier.${site.name}`] = rows(Array.from({ length: task }, (_, t) => (t + 1 < task ? weightsOf(all, t + 1) : new Float32Array(all.length))));
  }
  if (own.length > 0) {
    trainable[`own.A.${site.name}`] = columns(own.map((atom) => atom.a));
    trainable[`own.B.${site.name}`] = rows(own.map((atom) => atom.b));
  }
  return { trainable, frozen: { ...frozen, ...anchorsOf(site, own, ownersOf) } };
}

/** Where shared atoms began, and how strongly each value of theirs is held there; nothing where none is shared. */
function anchorsOf(site: Site, own: readonly Atom[], ownersOf: (expert: number) => Owners): Record<string, NdArray> {
  const anchors: Record<string, NdArray> = {};
  if (!own.some(({ expert }) => ownersOf(expert).length > 1)) return anchors;
  // The Fisher information is normalised by its mean over the site, so that `anchor` means the same at every site.
  for (const [part, join] of [['A', columns], ['B', rows]] as const) {
    const fisherOf = (atom: Atom) => (part === 'A' ? atom.fisherA : atom.fisherB);
    const mean = meanOf(own.map(fisherOf));
    anchors[`anchor.${part}.${site.name}`] = join(own.map((atom) => (part === 'A' ? atom.a : atom.b).slice()));
    anchors[`anchor.weight.${part}.${site.name}`] = join(own.map((atom) => {
      const earlier = ownersOf(atom.expert).length - 1; // 0 for a unique atom: free
      return fisherOf(atom).map((f) => (mean > 0 ? (earlier * f) / mean : 0));
    }));
  }
  return anchors;
}

/** Which tasks own what: 1 or 0, (tasks, owned). */
export function ownersMatrix(owned: readonly Owners[], tasks: number): tf.Tensor2D {
  return tf.tensor2d(Array.from({ length: tasks }, (_, i) => owned.map((owners) => (owners.includes(i + 1) ? 1 : 0))));
}

/**
 * Traced. How far the route of every task opens the atoms of a site, (tasks, atoms): 1 for its own, and the weights by which it reads others.
 *
 * @param earlier what {@link laidOut} has of earlier tasks, where it has
 * @param weights of the task at hand, where it reads any
 */
export function openings(
  groups: Grouped, task: number, ownersOf: (expert: number) => Owners, earlier: tf.Tensor | undefined, weights: tf.Tensor | undefined,
): tf.Tensor2D {
  const owned = ownersMatrix(inOrder(groups).map(({ expert }) => ownersOf(expert)), task);
  const before = (earlier ? owned.add(earlier.mul(READING)) : owned) as tf.Tensor2D;
  if (!weights) return before;
  const row = weights.mul(READING).pad([[groups.kept.length, groups.own.length]]).expandDims(0);
  return before.add(row.pad([[task - 1, 0], [0, 0]])) as tf.Tensor2D;
}
