import type { Arrays, Learner, LearnerState, Method, MethodHost, NdArray, Scope, Site, TaskView } from '@lethe/core';
import { linear } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';
import { type Atom, packAtoms, unpackAtoms } from './atoms.js';

interface Options {
  readonly split: boolean;
  readonly threshold: number;
  readonly maxShared: number;
  readonly anchor: number;
  readonly routing: number;
  readonly pseudo: number;
  readonly rows: number;
}

/** Tasks that use an expert: one for a unique expert, several for a shared one. */
type Owners = readonly number[];

interface Json {
  readonly owners: readonly Owners[];
  readonly task: number;
}

/** Gate logit of an expert that has not been trained: sigmoid(-4) = 0.018, so a new expert starts silent. */
const SILENT = -4;
/** Decay of the running sensitivity and of its uncertainty (TaSL, AdaLoRA: 0.85). */
const DECAY = 0.85;

/**
 * SETA, a reconstruction (arXiv 2601.17616, 2606.07500: only the abstracts are public; README.md says what is chosen).
 * The model's update is a set of rank-1 atoms (a, b) for each site; every atom belongs to one expert; an expert is
 * unique (one owner task) or shared (several). One gate gives every expert a weight in (0, 1) from pooled prompt
 * features z, without a task identity:
 *   delta(x) = scale * sum_atoms gate(z)[expert(atom)] (x . a) b,      gate(z) = sigmoid(z W + c)
 * Before task t the sensitivity of all old atoms is calibrated on it. Atoms that matter to it too are split off their
 * expert into the expert of (owners + t); t gets fresh unique atoms for the rest of its rank only. While t is learned
 * its own atoms train, all others are frozen, and
 *   L = L_task + L_gate + anchor * sum_shared (|owners| - 1) mean F (theta - theta*)^2 + routing * L_gate(pseudo z of earlier tasks).
 */
class Seta implements Learner {
  trainable: Arrays = {};
  frozen: Arrays = {};
  /** Atoms of each site; those owned by the current task come last and are the ones that train. */
  private atoms: Atom[][];
  private owners: Owners[] = [];
  private task = 0;
  /** Per earlier task: mean and deviation of its features, (2, featureSize). No text, no rows. */
  private statistics: Float32Array[] = [];
  /** Standardises features: mean and reciprocal deviation over the first task's rows. */
  private centre: NdArray | null = null;
  private calibrating = false;

  constructor(
    private readonly host: MethodHost,
    private readonly options: Options,
  ) {
    this.atoms = host.sites.map(() => []);
  }

  async begin(task: TaskView): Promise<void> {
    this.task = task.index;
    await this.observeFeatures(task);
    if (task.index > 1 && this.options.split) await this.splitOnShare(task);
    this.growUnique(task);
    this.layOut();
  }

  adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    const { params } = scope;
    const name = (part: string) => params[`${part}.${site.name}`];
    const [keptA, keptB] = [name('kept.A'), name('kept.B')];
    // While a task is learned its own atoms answer alone; the gate is trained beside them, on the same rows.
    if (scope.training && !this.calibrating) {
      return linear(linear(x, name('own.A')!).mul(this.host.scale), name('own.B')!);
    }
    const a = this.calibrating || !keptA ? (keptA ?? name('own.A')!) : tf.concat([keptA, name('own.A')!], 1); // (in, atoms)
    const b = this.calibrating || !keptB ? (keptB ?? name('own.B')!) : tf.concat([keptB, name('own.B')!], 0); // (atoms, out)
    const projected = linear(x, a).mul(this.host.scale); // (batch, tokens, atoms)
    if (this.calibrating) return linear(projected.div(this.task - 1), b);
    const gate = scope.once('gate', () => tf.sigmoid(this.logits(scope.features(), params))); // (batch, experts)
    const perAtom = tf.gather(gate, this.expertOf(site), 1); // (batch, atoms)
    return linear(projected.mul(perAtom.expandDims(1)), b);
  }

  penalty(scope: Scope): tf.Scalar {
    const { params } = scope;
    // L_gate: the experts of this task should fire on its rows, all others stay silent.
    const target = tf.tensor2d([this.owners.map((o) => (o.includes(this.task) ? 1 : 0))]);
    const terms: tf.Scalar[] = [crossEntropy(this.logits(scope.features(), params), target)];
    const pseudo = params['route.z'];
    if (pseudo && this.options.routing > 0) {
      terms.push(crossEntropy(this.standardLogits(pseudo as tf.Tensor2D, params), params['route.target']!).mul(this.options.routing));
    }
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
    // Fisher information and sensitivity of this task's atoms, for anchoring and for later splits.
    const measured = await this.measure(task, 'own');
    this.host.sites.forEach((site, s) => {
      const own = this.atoms[s]!.filter((atom) => this.owns(atom));
      own.forEach((atom, k) => {
        const { score, fisherA, fisherB } = measured.get(site.name)![k]!;
        atom.sensitivity = Math.max(atom.sensitivity, score);
        atom.fisherA = atom.fisherA.map((f, i) => f + fisherA[i]!);
        atom.fisherB = atom.fisherB.map((f, i) => f + fisherB[i]!);
      });
    });
  }

  save(): LearnerState {
    const stored: Record<string, NdArray> = { ...packAtoms(this.host.sites, this.atoms) };
    this.statistics.forEach((data, t) => (stored[`statistics.${t + 1}`] = { shape: [2, this.host.featureSize], data }));
    if (this.centre) stored['centre'] = this.centre;
    const json: Json = { owners: this.owners, task: this.task };
    // The arrays of the traced functions are laid out again from the atoms: nothing is stored twice.
    const gate = { 'gate.W': this.trainable['gate.W']!, 'gate.c': this.trainable['gate.c']! };
    return { trainable: gate, frozen: {}, stored, json };
  }

  restore(state: LearnerState): void {
    const json = state.json as Json;
    this.owners = [...json.owners];
    this.task = json.task;
    this.trainable = state.trainable;
    this.atoms = unpackAtoms(this.host.sites, state.stored);
    this.centre = state.stored['centre'] ?? null;
    this.statistics = [];
    for (let t = 1; state.stored[`statistics.${t}`]; t++) this.statistics.push(state.stored[`statistics.${t}`]!.data);
    this.layOut();
  }

  /** Which experts there are, who owns them, and how many atoms each holds. */
  report(): unknown {
    const experts = this.owners.map((owners, e) => ({
      owners,
      kind: owners.length > 1 ? 'shared' : 'unique',
      atoms: this.atoms.flat().filter((atom) => atom.expert === e).length,
    }));
    return { experts: experts.filter((e) => e.atoms > 0), atoms: this.atoms.flat().length };
  }

  // --- split on share ------------------------------------------------------------------------------------------------

  /** Re-parents the atoms of earlier experts that the new task is sensitive to into the experts of (owners + task). */
  private async splitOnShare(task: TaskView): Promise<void> {
    this.layOut();
    const measured = await this.measure(task, 'kept');
    const limit = Math.floor(this.host.rank * this.options.maxShared);
    this.host.sites.forEach((site, s) => {
      const scores = measured.get(site.name)!;
      const overlapping = this.atoms[s]!.map((atom, k) => ({ atom, score: scores[k]!.score }))
        .filter(({ atom, score }) => score > 0 && score >= this.options.threshold * atom.sensitivity)
        .sort((p, q) => q.score - p.score)
        .slice(0, limit);
      for (const { atom } of overlapping) atom.expert = this.childOf(atom.expert, task.index);
    });
  }

  /** The expert of (owners of the parent + task), made if there is none; its gate row is a copy of the parent's. */
  private childOf(parent: number, task: number): number {
    const owners = [...this.owners[parent]!, task];
    const found = this.owners.findIndex((o) => o.length === owners.length && o.every((t, i) => t === owners[i]));
    return found >= 0 ? found : this.addExpert(owners, parent);
  }

  private growUnique(task: TaskView): void {
    const unique = this.addExpert([task.index], null);
    const random = this.host.random.fork('init', task.index);
    this.host.sites.forEach((site, s) => {
      const shared = this.atoms[s]!.filter((atom) => this.owns(atom)).length;
      for (let k = shared; k < this.host.rank; k++) {
        this.atoms[s]!.push({
          expert: unique,
          sensitivity: 0,
          a: random.fork(site.name, k).normals(site.in, 1 / Math.sqrt(site.in)),
          b: new Float32Array(site.out),
          fisherA: new Float32Array(site.in),
          fisherB: new Float32Array(site.out),
        });
      }
    });
  }

  private addExpert(owners: Owners, parent: number | null): number {
    const old = this.owners.length;
    const size = this.host.featureSize;
    const weights = new Float32Array(size * (old + 1));
    const bias = new Float32Array(old + 1).fill(SILENT);
    const [w, c] = [this.trainable['gate.W']?.data, this.trainable['gate.c']?.data];
    for (let i = 0; w && i < size; i++) {
      weights.set(w.subarray(i * old, (i + 1) * old), i * (old + 1));
      if (parent !== null) weights[i * (old + 1) + old] = w[i * old + parent]!;
    }
    if (c) bias.set(c);
    if (c && parent !== null) bias[old] = c[parent]!;
    this.owners.push(owners);
    this.trainable = {
      ...this.trainable,
      'gate.W': { shape: [size, old + 1], data: weights },
      'gate.c': { shape: [old + 1], data: bias },
    };
    return old;
  }

  private owns(atom: Atom): boolean {
    return this.owners[atom.expert]!.includes(this.task);
  }

  // --- arrays that the traced functions read ----------------------------------------------------------------------------

  /** Lays the atoms out as arrays: `own.*` trains, `kept.*` is frozen, `anchor.*` holds shared atoms elastically. */
  private layOut(): void {
    const trainable: Record<string, NdArray> = { 'gate.W': this.trainable['gate.W']!, 'gate.c': this.trainable['gate.c']! };
    const frozen: Record<string, NdArray> = { centre: this.centre! };
    this.host.sites.forEach((site, s) => {
      const [own, kept] = [this.atoms[s]!.filter((a) => this.owns(a)), this.atoms[s]!.filter((a) => !this.owns(a))];
      this.atoms[s] = [...kept, ...own];
      if (kept.length > 0) {
        frozen[`kept.A.${site.name}`] = columns(kept.map((atom) => atom.a));
        frozen[`kept.B.${site.name}`] = rows(kept.map((atom) => atom.b));
      }
      if (own.length === 0) return;
      trainable[`own.A.${site.name}`] = columns(own.map((atom) => atom.a));
      trainable[`own.B.${site.name}`] = rows(own.map((atom) => atom.b));
      if (!own.some((atom) => this.owners[atom.expert]!.length > 1)) return;
      // The Fisher information is normalised by its mean over the site, so that `anchor` means the same at every site.
      for (const [part, join] of [['A', columns], ['B', rows]] as const) {
        const mean = meanOf(own.map((atom) => (part === 'A' ? atom.fisherA : atom.fisherB)));
        const strength = own.map((atom) => {
          const earlier = this.owners[atom.expert]!.length - 1; // 0 for a unique atom: free
          return (part === 'A' ? atom.fisherA : atom.fisherB).map((f) => (mean > 0 ? (earlier * f) / mean : 0));
        });
        frozen[`anchor.${part}.${site.name}`] = join(own.map((atom) => (part === 'A' ? atom.a : atom.b).slice()));
        frozen[`anchor.weight.${part}.${site.name}`] = join(strength);
      }
    });
    this.trainable = trainable;
    this.frozen = { ...frozen, ...this.pseudoFeatures() };
  }

  /** Takes the trained values back into the atoms. */
  private readBack(): void {
    this.host.sites.forEach((site, s) => {
      const own = this.atoms[s]!.filter((atom) => this.owns(atom));
      const [a, b] = [this.trainable[`own.A.${site.name}`]!.data, this.trainable[`own.B.${site.name}`]!.data];
      own.forEach((atom, k) => {
        atom.a = Float32Array.from({ length: site.in }, (_, i) => a[i * own.length + k]!);
        atom.b = b.slice(k * site.out, (k + 1) * site.out);
      });
    });
  }

  // --- sensitivity ------------------------------------------------------------------------------------------------------

  /**
   * For every atom of a group, over calibration batches: sensitivity I = sum |theta g|, its running mean times its
   * running uncertainty (TaSL, section 3.2; AdaLoRA, equations 8 to 10), and the diagonal Fisher information.
   */
  private async measure(task: TaskView, group: 'own' | 'kept'): Promise<Map<string, Measured[]>> {
    this.calibrating = group === 'kept';
    const sites = this.host.sites.filter((site) => (this.trainable[`${group}.A.${site.name}`] ?? this.frozen[`${group}.A.${site.name}`]));
    const names = sites.flatMap((site) => [`${group}.A.${site.name}`, `${group}.B.${site.name}`]);
    const values = { ...this.frozen, ...this.trainable };
    const result = new Map<string, Measured[]>();
    for (const site of this.host.sites) {
      const count = values[`${group}.A.${site.name}`]?.shape[1] ?? 0;
      result.set(site.name, Array.from({ length: count }, () => new Measured(site)));
    }
    if (names.length > 0) {
      for await (const gradients of this.host.gradients(task, { names, rows: this.options.rows, batch: 8 })) {
        for (const site of sites) {
          const [nameA, nameB] = [`${group}.A.${site.name}`, `${group}.B.${site.name}`];
          const measured = result.get(site.name)!;
          measured.forEach((m, k) => m.add(k, measured.length, values[nameA]!.data, gradients[nameA]!.data, values[nameB]!.data, gradients[nameB]!.data));
        }
      }
    }
    this.calibrating = false;
    return result;
  }

  // --- the gate ----------------------------------------------------------------------------------------------------------

  /** Gate logits (batch, experts) of raw features (batch, featureSize). */
  private logits(features: tf.Tensor2D, params: Scope['params']): tf.Tensor2D {
    const [mean, reciprocal] = tf.unstack(params['centre'] as tf.Tensor2D);
    return this.standardLogits(features.sub(mean!).mul(reciprocal!), params);
  }

  private standardLogits(z: tf.Tensor2D, params: Scope['params']): tf.Tensor2D {
    return tf.matMul(z, params['gate.W'] as tf.Tensor2D).add(params['gate.c']!);
  }

  private expertOf(site: Site): tf.Tensor1D {
    return tf.tensor1d(this.atoms[site.index]!.map((atom) => atom.expert), 'int32');
  }

  private async observeFeatures(task: TaskView): Promise<void> {
    const { data } = await this.host.features(task, task.rows);
    const size = this.host.featureSize;
    const moments = momentsOf(data, size);
    if (!this.centre) {
      const centre = new Float32Array(2 * size);
      for (let i = 0; i < size; i++) [centre[i], centre[size + i]] = [moments[i]!, 1 / (moments[size + i]! + 1e-4)];
      this.centre = { shape: [2, size], data: centre };
    }
    const { data: centre } = this.centre;
    // Stored in standardised units, the units in which the gate reads them.
    this.statistics.push(
      Float32Array.from({ length: 2 * size }, (_, i) =>
        i < size ? (moments[i]! - centre[i]!) * centre[size + i]! : moments[i]! * centre[i]!,
      ),
    );
  }

  /** Draws features of every earlier task from its stored statistics, with the experts that it owns as the target. */
  private pseudoFeatures(): Arrays {
    const earlier = this.statistics.slice(0, this.task - 1);
    if (earlier.length === 0) return {};
    const [size, experts, n] = [this.host.featureSize, this.owners.length, this.options.pseudo];
    const z = new Float32Array(earlier.length * n * size);
    const target = new Float32Array(earlier.length * n * experts);
    earlier.forEach((moments, t) => {
      const random = this.host.random.fork('pseudo', this.task, t + 1);
      for (let row = t * n; row < (t + 1) * n; row++) {
        for (let i = 0; i < size; i++) z[row * size + i] = moments[i]! + random.normal() * moments[size + i]!;
        this.owners.forEach((owners, e) => (target[row * experts + e] = owners.includes(t + 1) ? 1 : 0));
      }
    });
    return {
      'route.z': { shape: [earlier.length * n, size], data: z },
      'route.target': { shape: [earlier.length * n, experts], data: target },
    };
  }
}

/** What calibration learns of one atom. */
class Measured {
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

/** Mean binary cross-entropy of logits against targets in [0, 1] (which broadcast), stable for large logits. */
function crossEntropy(logits: tf.Tensor2D, target: tf.Tensor): tf.Scalar {
  const loss = tf.relu(logits).sub(logits.mul(target)).add(tf.log1p(tf.exp(tf.neg(tf.abs(logits)))));
  return loss.mean();
}

/** Vectors as the columns of a matrix (length, count). */
function columns(vectors: readonly Float32Array[]): NdArray {
  const [n, count] = [vectors[0]!.length, vectors.length];
  const data = new Float32Array(n * count);
  vectors.forEach((v, k) => v.forEach((x, i) => (data[i * count + k] = x)));
  return { shape: [n, count], data };
}

/** Vectors as the rows of a matrix (count, length). */
function rows(vectors: readonly Float32Array[]): NdArray {
  const n = vectors[0]!.length;
  const data = new Float32Array(n * vectors.length);
  vectors.forEach((v, k) => data.set(v, k * n));
  return { shape: [vectors.length, n], data };
}

function meanOf(vectors: readonly Float32Array[]): number {
  let [sum, count] = [0, 0];
  for (const v of vectors) for (const x of v) [sum, count] = [sum + x, count + (x > 0 ? 1 : 0)];
  return count > 0 ? sum / count : 0;
}

/** Column means and standard deviations of a (rows, size) matrix: the first and second half of the result. */
function momentsOf(data: Float32Array, size: number): Float32Array {
  const n = data.length / size;
  const result = new Float32Array(2 * size);
  for (let i = 0; i < size; i++) {
    let [sum, square] = [0, 0];
    for (let row = 0; row < n; row++) {
      const x = data[row * size + i]!;
      sum += x;
      square += x * x;
    }
    result[i] = sum / n;
    result[size + i] = Math.sqrt(Math.max(0, square / n - (sum / n) ** 2));
  }
  return result;
}

const method: Method = { create: (host, options) => new Seta(host, options as unknown as Options) };
export default method;
