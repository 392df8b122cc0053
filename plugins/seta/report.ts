import type { ReportTable, Site } from '@lethe/core';
import { type Atom, READING } from './atoms.js';

/** Tasks that use an expert: one for a unique expert, several for a shared one. */
export type Owners = readonly number[];

/** What an expert is called: `unique 1`, `shared 1 2`. */
export const expertName = (owners: Owners): string => `${owners.length > 1 ? 'shared' : 'unique'} ${owners.join(' ')}`;

/** What a report is about. */
export interface Learned {
  readonly sites: readonly Site[];
  /** Atoms of every site. */
  readonly atoms: readonly (readonly Atom[])[];
  /** By expert. */
  readonly owners: readonly Owners[];
  /** Tasks learned so far. */
  readonly tasks: number;
  /** Parameters of the frozen model. */
  readonly modelParameters: number;
  /** Values that the gate has after so many tasks: for predictions, and beside them for later tasks. */
  readonly gateValues: (tasks: number) => { readonly predicting: number; readonly later: number };
  /** Values that are kept of an atom for later tasks, beside those that predictions need. */
  readonly atomLater: (site: Site) => number;
}

/** Experts with their atoms at every site, the atoms that tasks have in common, what tasks read of others, and how the update grew. */
export function reportOf({ sites, atoms, owners, tasks, modelParameters, gateValues, atomLater }: Learned): readonly ReportTable[] {
  const all = atoms.flatMap((list, s) => list.map(({ expert, readers }) => ({ expert, readers, site: sites[s]!, owners: owners[expert]! })));
  const experts = owners.map((_, e) => e).filter((e) => all.some(({ expert }) => expert === e));
  const indices = Array.from({ length: tasks }, (_, i) => i + 1);
  const taskAxis = { title: 'task', names: indices.map(String) };
  const count = (of: (atom: (typeof all)[number]) => boolean) => all.filter(of).length;
  const share = (t: number, u: number) => {
    const own = count((atom) => atom.owners.includes(t));
    return own === 0 ? null : count((atom) => atom.owners.includes(t) && atom.owners.includes(u)) / own;
  };
  /** The mean of the weights, signs aside, by which a task reads atoms of an expert as they are; null where it reads none. */
  const weight = (t: number, e: number) => {
    const read = all.flatMap(({ expert, readers }) => (expert === e ? readers.get(t) ?? [] : []));
    return read.length === 0 ? null : (READING * read.reduce((sum, w) => sum + Math.abs(w), 0)) / read.length;
  };
  const most = Math.max(1, ...sites.flatMap((site) => experts.map((e) => count((atom) => atom.site === site && atom.expert === e))));
  return [
    {
      title: 'Atoms of every expert', unit: 'rank-1 atoms at each site', rows: { title: 'expert', names: experts.map((e) => expertName(owners[e]!)) },
      columns: { title: 'site', names: sites.map(({ name }) => name) }, scale: [0, most],
      cells: experts.map((e) => sites.map((site) => count((atom) => atom.site === site && atom.expert === e))),
    },
    {
      title: 'Overlap between tasks', unit: 'share of the atoms of the task on the left that the other one has too', rows: taskAxis, columns: taskAxis,
      cells: indices.map((t) => indices.map((u) => share(t, u))), scale: [0, 1],
    },
    {
      title: 'Growth', rows: taskAxis, columns: { title: 'after it', names: ['new atoms', 'atoms taken over', 'parameters in all', '% of the model', 'bytes stored'] },
      cells: indices.map((t) => {
        const there = all.filter((atom) => atom.owners[0]! <= t);
        const gate = gateValues(t);
        const read = (readers: ReadonlyMap<number, number>) => [...readers.keys()].filter((reader) => reader <= t).length;
        const parameters = there.reduce((sum, { site, readers }) => sum + 1 + site.in + site.out + 3 * read(readers), gate.predicting);
        const later = there.reduce((sum, { site }) => sum + atomLater(site), gate.later);
        return [
          count((atom) => atom.owners[0] === t), count((atom) => atom.owners[0]! < t && atom.owners.includes(t)), parameters,
          Number(((100 * parameters) / modelParameters).toFixed(3)), 4 * (parameters + later),
        ];
      }),
    },
    {
      title: 'Reading of old experts', unit: 'mean weight, signs aside, of the atoms of an expert that the task reads as they are',
      rows: taskAxis, columns: { title: 'expert', names: experts.map((e) => expertName(owners[e]!)) },
      cells: indices.map((t) => experts.map((e) => weight(t, e))),
    },
  ];
}
