import {
  type Arrays, columnOf, type Gates, type Learner, type LearnerState, leadingDirections, type Method, type MethodHost, type NdArray, type ReportTable,
  type Scope, siteInputs, type Site, type TaskView,
} from '@lethe/core';
import { linear } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';
import { type Atom, READING, newAtom, packAtoms, unpackAtoms } from './atoms.js';
import { Gate, type GateOptions } from './gate.js';
import { GROUPS, type Group, type Grouped, inOrder, laidOut, openings, ownersMatrix } from './layout.js';
import { type Owners, expertName, reportOf } from './report.js';
import { Measured, type Sensitivity, mostSensitive } from './sensitivity.js';

interface Options extends GateOptions {
  readonly budget: number;
  readonly split: boolean;
  readonly start: 'inputs' | 'random';
  readonly sensitivity: Sensitivity;
  readonly agreement: number;
  readonly maxShared: number;
  readonly reuse: number;
  readonly anchor: number;
  readonly rows: number;
}

interface Json {
  readonly owners: readonly Owners[];
  readonly task: number;
}

/**
 * SETA, a reconstruction (arXiv 2601.17616, 2606.07500: only the abstracts are public; README.md says what is chosen).
 * The model's update is a set of rank-1 atoms (a, b) for each site; every atom belongs to one expert; an expert is unique (one
 * owner task) or shared (several). One gate (gate.ts) gives every task's route a probability from pooled prompt features z, without
 * a task identity, and an expert opens as far as its owners' routes do:
 *   delta(x) = scale * sum_atoms g[atom](z) (x . a) b,      g[atom](z) = sum_{t in owners(expert(atom))} p_t(z) + sum_{t reads atom} w[t, atom] p_t(z)
 * Before task t the sensitivity of all old atoms is calibrated on it. The atoms that matter most to it, of experts that it wants as they are,
 * are split off their expert into the expert of (owners + t); t gets fresh unique atoms for the rest of its rank only, whose a are the
 * leading eigenvectors of the second moment of the task's inputs at the site. Of the old atoms that are left it reads those that it is most sensitive
 * to as they are. While t is learned its own atoms train, and the weights w by which it reads others, from 0; all else is frozen, and
 *   L = L_task + anchor * sum_shared (|owners| - 1) F / mean F (theta - theta*)^2 + L_gate + routing * L_gate(pseudo z of earlier tasks).
 */
class Seta implements Learner {
  trainable: Arrays = {};
  frozen: Arrays = {};
  /** Atoms of each site; those owned by the current task come last and are the ones that train. */
  private atoms: Atom[][];
  private owners: Owners[] = [];
  private task = 0;
  private calibrating = false;
  private readonly gate: Gate;
  /** Atoms that a task has at each site. */
  private readonly rank: number;

  constructor(
    private readonly host: MethodHost,
    private readonly options: Options,
  ) {
    this.atoms = host.sites.map(() => []);
    this.gate = new Gate(host, options);
    this.rank = Math.max(1, Math.round(host.rank * options.budget));
  }

  async begin(task: TaskView): Promise<void> {
    this.task = task.index;
    await this.gate.expand(task);
    if (task.index > 1 && (this.options.split || this.options.reuse > 0)) await this.calibrate(task);
    this.growUnique(task);
    this.layOut();
    if (this.options.start === 'inputs') await this.startOnInputs(task);
  }

  adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    const { params } = scope;
    const name = (part: string) => params[`${part}.${site.name}`];
    if (this.calibrating) return linear(linear(x, name('kept.A')!).mul(this.host.scale / (this.task - 1)), name('kept.B')!);
    const weights = name('weights'); // by which the task at hand reads old atoms
    // While a task is learned it answers alone, with its own atoms and those that it reads; the gate is trained beside them, on the same rows.
    if (scope.training) {
      const own = linear(linear(x, name('own.A')!).mul(this.host.scale), name('own.B')!);
      return weights ? own.add(linear(linear(x, name('read.A')!).mul(weights.mul(READING * this.host.scale)), name('read.B')!)) as tf.Tensor3D : own;
    }
    const groups = GROUPS.filter((group) => name(`${group}.A`));
    const a = tf.concat(groups.map((group) => name(`${group}.A`)!), 1); // (in, atoms)
    const b = tf.concat(groups.map((group) => name(`${group}.B`)!), 0); // (atoms, out)
    const opened = openings(this.groupsOf(site.index), this.task, this.ownersOf, name('earlier'), weights); // (tasks, atoms)
    const perAtom = tf.matMul(this.gate.routes(scope), opened); // (batch, atoms)
    return linear(linear(x, a).mul(this.host.scale).mul(perAtom.expandDims(1)), b);
  }

  penalty(scope: Scope): tf.Scalar {
    const { params } = scope;
    const terms: tf.Scalar[] = [this.gate.loss(scope)];
    if (this.options.anchor > 0) {
      for (const site of this.host.sites) {
        for (const part of ['A', 'B']) {
          const strength = params[`anchor.weight.${part}.${site.name}`];
          if (!strength) continue;
          const drift = params[`own.${part}.${site.name}`]!.sub(params[`anchor.${part}.${site.name}`]!);
          terms.push(strength.mul(drift.square()).sum<tf.Scalar>().mul(this.options.anchor));
        }
      }
    }
    return tf.addN(terms);
  }

  async end(task: TaskView): Promise<void> {
    this.readBack();
    if (!this.anchors) return;
    // Fisher information of this task's atoms, for when a later task takes them over.
    const measured = await this.measure(task, 'own');
    this.host.sites.forEach((site, s) => {
      const own = this.atoms[s]!.filter((atom) => this.owns(atom));
      own.forEach((atom, k) => {
        const { fisherA, fisherB } = measured.get(site.name)![k]!;
        atom.fisherA = atom.fisherA.map((f, i) => f + fisherA[i]!);
        atom.fisherB = atom.fisherB.map((f, i) => f + fisherB[i]!);
      });
    });
  }

  save(): LearnerState {
    const json: Json = { owners: this.owners, task: this.task };
    // The arrays of the traced functions are laid out again from the atoms: nothing is stored twice.
    const { atoms, fisher } = packAtoms(this.host.sites, this.atoms);
    return {
      trainable: this.gate.trainable, frozen: { ...atoms, ...this.gate.fixed() },
      stored: { ...(this.anchors ? fisher : {}), ...this.gate.statistics() }, json,
    };
  }

  restore(state: LearnerState): void {
    const json = state.json as Json;
    this.owners = [...json.owners];
    this.task = json.task;
    this.atoms = unpackAtoms(this.host.sites, { atoms: state.frozen, fisher: state.stored });
    this.gate.restore(state);
    this.layOut();
  }

  /** How far every expert opens, and the model without any: the null route. */
  gates(scope: Scope): Gates {
    const used = this.owners.map((_, e) => e).filter((e) => this.atoms.some((list) => list.some((atom) => atom.expert === e)));
    const routes = this.gate.routes(scope); // (batch, tasks)
    const experts = tf.matMul(routes, ownersMatrix(used.map((e) => this.owners[e]!), this.task)); // (batch, experts)
    return {
      parts: [...used.map((e) => expertName(this.owners[e]!)), 'the model alone'],
      open: tf.concat([experts, tf.sub(1, routes.sum(1, true))], 1) as tf.Tensor2D,
    };
  }

  report(): readonly ReportTable[] {
    return reportOf({
      sites: this.host.sites, atoms: this.atoms, owners: this.owners, tasks: this.task, modelParameters: this.host.modelParameters,
      gateValues: (tasks) => this.gate.values(tasks), atomLater: (site) => (this.anchors ? site.in + site.out : 0),
    });
  }

  /** Whether atoms may be taken over, and are held then. */
  private get anchors(): boolean {
    return this.options.split && this.options.anchor > 0;
  }

  // --- what a new task has of earlier ones ----------------------------------------------------------------------------

  /** Measures all old atoms on the new task; then it shares some, and reads others. */
  private async calibrate(task: TaskView): Promise<void> {
    this.layOut();
    const measured = await this.measure(task, 'kept');
    if (this.options.split) this.splitOnShare(task, measured);
    const limit = Math.round(this.rank * this.options.reuse);
    this.host.sites.forEach((site, s) => {
      for (const atom of mostSensitive(this.atoms[s]!, measured.get(site.name)!, limit, (old) => !this.owns(old))) atom.readers.set(task.index, 0);
    });
  }

  /** Re-parents atoms of the earlier experts that the new task agrees with, those it is most sensitive to, into the experts of (owners + task). */
  private splitOnShare(task: TaskView, measured: ReadonlyMap<string, readonly Measured[]>): void {
    const { agreement, maxShared } = this.options;
    const limit = Math.floor(this.rank * maxShared);
    const ofExpert = (e: number) => this.host.sites.flatMap((site, s) => measured.get(site.name)!.filter((_, k) => this.atoms[s]![k]!.expert === e));
    const wanted = this.owners.map((_, e) => Measured.agreement(ofExpert(e)) >= agreement);
    this.host.sites.forEach((site, s) => {
      const overlapping = mostSensitive(this.atoms[s]!, measured.get(site.name)!, limit, ({ expert }) => wanted[expert]!);
      for (const atom of overlapping) atom.expert = this.childOf(atom.expert, task.index);
    });
  }

  /** The expert of (owners of the parent + task), made if there is none. */
  private childOf(parent: number, task: number): number {
    const owners = [...this.owners[parent]!, task];
    const found = this.owners.findIndex((o) => o.length === owners.length && o.every((t, i) => t === owners[i]));
    return found >= 0 ? found : this.addExpert(owners);
  }

  private growUnique(task: TaskView): void {
    const unique = this.addExpert([task.index]);
    const random = this.host.random.fork('init', task.index);
    this.host.sites.forEach((site, s) => {
      const shared = this.atoms[s]!.filter((atom) => this.owns(atom)).length;
      for (let k = shared; k < this.rank; k++) {
        const a = random.fork(site.name, k).normals(site.in, 1 / Math.sqrt(site.in));
        this.atoms[s]!.push(newAtom(unique, a, new Float32Array(site.out)));
      }
    });
  }

  /** Lets fresh atoms, which answer nothing yet, read what the task's inputs hold most of: they learn sooner than from random directions. */
  private async startOnInputs(task: TaskView): Promise<void> {
    for await (const { readers, moment } of siteInputs(this.host, task, task.rows)) {
      const found = leadingDirections(moment, this.rank); // (in, at most the rank)
      for (const site of readers) {
        const fresh = this.atoms[site.index]!.filter(({ expert }) => this.owners[expert]!.length === 1 && this.owns({ expert }));
        fresh.slice(0, found.shape[1]).forEach((atom, k) => { atom.a = columnOf(found, k); });
      }
    }
    this.layOut();
  }

  private addExpert(owners: Owners): number {
    this.owners.push(owners);
    return this.owners.length - 1;
  }

  private owns(atom: Pick<Atom, 'expert'>): boolean {
    return this.owners[atom.expert]!.includes(this.task);
  }

  private readonly ownersOf = (expert: number): Owners => this.owners[expert]!;

  /** What the atoms of a site are to the task at hand. */
  private groupsOf(site: number): Grouped {
    const groups: Record<Group, Atom[]> = { kept: [], read: [], own: [] };
    for (const atom of this.atoms[site]!) groups[this.owns(atom) ? 'own' : atom.readers.has(this.task) ? 'read' : 'kept'].push(atom);
    return groups;
  }

  // --- arrays that the traced functions read ----------------------------------------------------------------------------

  private layOut(): void {
    const trainable: Record<string, NdArray> = { ...this.gate.trainable };
    const frozen: Record<string, NdArray> = { ...this.gate.frozen() };
    this.host.sites.forEach((site, s) => {
      const groups = this.groupsOf(s);
      this.atoms[s] = inOrder(groups);
      const arrays = laidOut(site, groups, this.task, this.ownersOf);
      Object.assign(trainable, arrays.trainable);
      Object.assign(frozen, arrays.frozen);
    });
    this.trainable = trainable;
    this.frozen = frozen;
  }

  /** Takes the trained values back into the atoms. */
  private readBack(): void {
    this.host.sites.forEach((site, s) => {
      const { read, own } = this.groupsOf(s);
      read.forEach(({ readers }, k) => readers.set(this.task, this.trainable[`weights.${site.name}`]!.data[k]!));
      const [a, b] = [this.trainable[`own.A.${site.name}`]!, this.trainable[`own.B.${site.name}`]!.data];
      own.forEach((atom, k) => {
        atom.a = columnOf(a, k);
        atom.b = b.slice(k * site.out, (k + 1) * site.out);
      });
    });
  }

  // --- sensitivity ------------------------------------------------------------------------------------------------------

  /** What calibration batches of the task tell of every atom of a group, by site. */
  private async measure(task: TaskView, group: 'own' | 'kept'): Promise<Map<string, Measured[]>> {
    this.calibrating = group === 'kept';
    const values = { ...this.frozen, ...this.trainable };
    const sites = this.host.sites.filter((site) => values[`${group}.A.${site.name}`]);
    const names = sites.flatMap((site) => [`${group}.A.${site.name}`, `${group}.B.${site.name}`]);
    const random = this.host.random.fork('sensitivity', task.index, group);
    const result = new Map<string, Measured[]>();
    for (const site of this.host.sites) {
      const count = values[`${group}.A.${site.name}`]?.shape[1] ?? 0;
      result.set(site.name, Array.from({ length: count }, (_, k) => new Measured(site, this.options.sensitivity, random.fork(site.name, k))));
    }
    if (names.length > 0) {
      for await (const gradients of this.host.gradients(task, { names, rows: this.options.rows, batch: 8 })) {
        for (const site of sites) {
          const [nameA, nameB] = [`${group}.A.${site.name}`, `${group}.B.${site.name}`];
          const measured = result.get(site.name)!;
          const seen = {
            count: measured.length, a: values[nameA]!.data, gradA: gradients[nameA]!.data, b: values[nameB]!.data, gradB: gradients[nameB]!.data,
          };
          measured.forEach((m, k) => m.add(k, seen));
        }
      }
    }
    this.calibrating = false;
    return result;
  }
}

const method: Method = { create: (host, options) => new Seta(host, options as unknown as Options) };
export default method;
