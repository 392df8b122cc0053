import {
  type Arrays, type Capabilities, type Learner, type LearnerState, type Manifest, type Method, type MethodHost, type Scope, type Site,
  type Row, type TaskView, LETHE_VERSION, clone, zeros,
} from '@lethe/core';
import { loraArrays, loraDelta, loraNames } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';
import type { TestedMethod } from '../src/index.js';

/** A sound method: one adapter, held near its values at the end of the last task. Every fault differs from it in one thing. */
export class Sound implements Learner {
  trainable: Arrays;
  frozen: Arrays = {};
  stored: Arrays = {};
  json: unknown = { tasks: 0 };

  constructor(protected readonly host: MethodHost, protected readonly options: Record<string, unknown>) {
    this.trainable = loraArrays(host.sites, host.rank, host.random.fork('init'));
  }

  async begin(_task: TaskView): Promise<void> {}

  adapt(site: Site, x: tf.Tensor3D, { params }: Scope): tf.Tensor3D {
    const { a, b } = loraNames(site);
    return loraDelta(x, params[a]!, params[b]!, this.host.scale);
  }

  penalty({ params }: Scope): tf.Scalar | null {
    const anchored = Object.keys(this.trainable).filter((name) => `anchor.${name}` in this.frozen);
    if (anchored.length === 0) return null;
    const drifts = anchored.map((name) => params[name]!.sub(params[`anchor.${name}`]!).square().sum<tf.Scalar>());
    return tf.addN(drifts).mul(Number(this.options['strength']));
  }

  async end(task: TaskView): Promise<void> {
    this.frozen = Object.fromEntries(Object.entries(this.trainable).map(([name, array]) => [`anchor.${name}`, clone(array)]));
    this.json = { tasks: task.index };
  }

  save(): LearnerState {
    return { trainable: this.trainable, frozen: this.frozen, stored: this.stored, json: this.json };
  }

  restore({ trainable, frozen, stored, json }: LearnerState): void {
    Object.assign(this, { trainable, frozen, stored, json });
  }
}

/** Sound, and of no use. */
export class Idle extends Sound {
  override trainable: Arrays = {};
  override frozen: Arrays = {};

  override adapt(site: Site, x: tf.Tensor3D): tf.Tensor3D {
    return tf.zeros([x.shape[0], x.shape[1], site.out]);
  }
}

const adapterB = (learner: Learner) => Object.entries(learner.trainable).find(([name]) => name.endsWith('.B'))!;

/** Learners of a process so far: what a module must not remember. */
let created = 0;

class Throws extends Sound {
  override penalty(): null {
    throw new Error('no penalty today');
  }
}

/** Reads the task of a row. */
class AsksTask extends Sound {
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    return super.adapt(site, x, scope).mul(scope.task().greater(0).cast('float32').reshape([-1, 1, 1]));
  }
}

class KeepsTokens extends Sound {
  rows: readonly Row[] = [];

  override async end(task: TaskView): Promise<void> {
    await super.end(task);
    this.rows = [...this.rows, ...this.host.rows(task).slice(0, 2)];
  }

  override save(): LearnerState {
    return { ...super.save(), rows: this.rows };
  }

  override restore(state: LearnerState): void {
    super.restore(state);
    this.rows = state.rows ?? [];
  }
}

/** Does both, as its manifest may say. */
export class KeepsAndAsks extends KeepsTokens {
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    return super.adapt(site, x, scope).mul(scope.task().greater(0).cast('float32').reshape([-1, 1, 1]));
  }
}

class ChoosesRows extends Sound {
  batch(drawn: readonly Row[]): readonly Row[] {
    return drawn;
  }
}

class TakesFewerRows extends KeepsTokens {
  batch(drawn: readonly Row[]): readonly Row[] {
    return drawn.slice(1);
  }
}

class WritesTooMuch extends Sound {
  prompt(prompt: readonly number[], room: number): readonly number[] {
    return [...Array.from({ length: room }, () => 1), ...prompt];
  }
}

class WrongShape extends Sound {
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    return super.adapt(site, x, scope).mean(1, true) as tf.Tensor3D;
  }
}

class Silent extends Sound {
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    return super.adapt(site, x, scope).mul(0);
  }
}

class Remembers extends Sound {
  constructor(host: MethodHost, options: Record<string, unknown>) {
    super(host, options);
    created++;
    this.trainable = loraArrays(host.sites, host.rank, host.random.fork('init', created));
  }
}

class Forgets extends Sound {
  private strength = 0;

  override penalty(scope: Scope): tf.Scalar | null {
    return super.penalty(scope)?.mul(this.strength) ?? null;
  }

  override async end(task: TaskView): Promise<void> {
    await super.end(task);
    this.strength++; // neither saved nor restored
  }
}

/** Draws from the generator itself, which a restored learner has anew. */
class SharesGenerator extends Sound {
  override async begin(): Promise<void> {
    const [, { data }] = adapterB(this);
    data.forEach((_, i) => (data[i]! += 0.01 * this.host.random.normal()));
  }
}

class AsksTheClock extends Sound {
  override async begin(task: TaskView): Promise<void> {
    await Promise.resolve();
    if (Date.now() < task.index) throw new Error('before 1970');
  }
}

class RollsDice extends Sound {
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    const delta = super.adapt(site, x, scope);
    return Math.random() < 2 ? delta : delta.neg();
  }
}

class Leaks extends Sound {
  override async begin(): Promise<void> {
    tf.scalar(1);
  }
}

class Keeps extends Sound {
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    return tf.keep(super.adapt(site, x, scope));
  }
}

class ChangesOptions extends Sound {
  override async begin(task: TaskView): Promise<void> {
    if (task.index === 2) (this.options as { kept?: number }).kept = task.index;
  }
}

class ChangesTask extends Sound {
  override async end(task: TaskView): Promise<void> {
    await super.end(task);
    Object.assign(task, { rows: 0 });
  }
}

/** The mistake of every first EWC: the anchor is the array that trains. */
class FreezesNoCopy extends Sound {
  override async begin(): Promise<void> {
    const [, array] = adapterB(this);
    this.frozen = { ...this.frozen, snapshot: array };
  }
}

/** Holds the adapter back for the first batch that it is asked, the one of the task just learned, it hopes. */
class CountsQuestions extends Sound {
  private asked = 0;

  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    if (!scope.training) this.asked++;
    return super.adapt(site, x, scope).mul(!scope.training && this.asked <= this.host.sites.length ? 0.5 : 1);
  }

  override async begin(): Promise<void> {
    this.asked = Infinity;
  }

  override async end(task: TaskView): Promise<void> {
    await super.end(task);
    this.asked = 0;
  }
}

class NormalisesBatch extends Sound {
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    return super.adapt(site, x.sub(x.mean(0, true)), scope);
  }
}

/** Computes with its own arrays instead of those of the scope: constants of the graph, without a gradient. */
class ReadsItself extends Sound {
  override penalty(scope: Scope): tf.Scalar | null {
    if (super.penalty(scope) === null) return null;
    const own = Object.fromEntries(Object.entries({ ...this.frozen, ...this.trainable }).map(
      ([name, { shape, data }]) => [name, tf.tensor(data.slice(), [...shape])]));
    return super.penalty({ ...scope, params: own });
  }
}

const doubled = tf.customGrad((x) => ({ value: (x as tf.Tensor).clone(), gradFunc: (dy: tf.Tensor) => dy.mul(2) }));

class WrongGradient extends Sound {
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    return doubled(super.adapt(site, x, scope)) as tf.Tensor3D;
  }
}

class ReadsValues extends Sound {
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    const delta = super.adapt(site, x, scope);
    return delta.max().dataSync()[0]! > 1e6 ? delta.mul(0) : delta;
  }
}

class GrowsInSecret extends Sound {
  override async end(task: TaskView): Promise<void> {
    await super.end(task);
    this.stored = { ...this.stored, [`statistics.${task.index}`]: zeros([8]) };
  }
}

class GrowsTooFast extends Sound {
  override async end(task: TaskView): Promise<void> {
    await super.end(task);
    this.stored = { ...this.stored, [`pairs.${task.index}`]: zeros([1000 * task.index ** 2]) };
  }
}

class AddsAnAdapterEach extends Sound {
  override async end(task: TaskView): Promise<void> {
    await super.end(task);
    const size = 2 * Object.values(this.trainable).reduce((sum, { data }) => sum + data.length, 0);
    this.stored = { ...this.stored, [`adapter.${task.index}`]: zeros([task.index === 1 ? 0 : size]) };
  }
}

class KeepsRows extends Sound {
  override async begin(task: TaskView): Promise<void> {
    const { data } = await this.host.features(task, 2);
    this.stored = { ...this.stored, [`examples.${task.index}`]: { shape: [data.length], data } };
  }
}

class HidesBytes extends Sound {
  override async end(task: TaskView): Promise<void> {
    await super.end(task);
    this.json = { tasks: task.index, memory: [...adapterB(this)[1].data] };
  }
}

class SavesMap extends Sound {
  override async end(task: TaskView): Promise<void> {
    await super.end(task);
    this.json = new Map([['tasks', task.index]]);
  }
}

class ReportsNothing extends Sound {
  report(): unknown {
    return { overlap: 0 / 0 };
  }
}

type Made = new (host: MethodHost, options: Record<string, unknown>) => Learner;

/** A method of a learner, with a manifest that declares this much. */
export function tested(learner: Made, capabilities: Partial<Capabilities> = {}): TestedMethod {
  const manifest: Manifest = {
    name: learner.name, kind: 'method', version: '1.0.0', lethe: `^${LETHE_VERSION}`, description: 'For a test.', stream: 'continual',
    capabilities: { rehearsal: false, taskIdentity: false, growth: 'none', bound: false, ...capabilities },
    options: { properties: {} }, licence: 'Apache-2.0', dependencies: {},
  };
  const method: Method = { create: (host, options) => new learner(host, options) };
  return { manifest, method, options: { strength: 0.5 } };
}

/** A method that does not get through the first task: it breaks `runs`. */
export const THROWS = tested(Throws);

/** Rules, with the methods that break this rule and no other, and what must be seen in each. */
export const FAULTS: readonly (readonly [rule: string, fault: TestedMethod, seen: RegExp])[] = [
  ['capabilities', tested(AsksTask), /asked for the task of a row/],
  ['capabilities', tested(KeepsTokens), /asked for training rows to keep/],
  ['capabilities', tested(ChoosesRows), /chooses the rows of a step/],
  ['capabilities', tested(Sound, { rehearsal: true }), /declares rehearsal, but does without/],
  ['capabilities', tested(Sound, { taskIdentity: true, bound: true }), /declares taskIdentity, but does without/],
  ['runs', THROWS, /no penalty today/],
  ['runs', tested(WrongShape), /adapt gives \[16, 1, 6\] at layers\.0\.q instead of \[16, 3, 6\]/],
  ['runs', tested(TakesFewerRows, { rehearsal: true, growth: 'linear' }), /batch gives 15 rows instead of the 16/],
  ['runs', tested(WritesTooMuch), /prompt gives 4 tokens where there is room for 2/],
  ['learns', tested(Silent), /30 steps of descent take the loss from (\S+) to \1/],
  ['same-seed', tested(Remembers), /two streams of one seed differ after stage 1/],
  ['resumes', tested(Forgets), /restored after stage 1 learns stage 2 otherwise/],
  ['resumes', tested(SharesGenerator), /restored after stage 1 learns stage 2 otherwise/],
  ['no-ambient', tested(AsksTheClock), /reads Date .*faults\.js:\d+/],
  ['no-ambient', tested(RollsDice), /reads Math\.random .*faults\.js:\d+/],
  ['no-leak', tested(Leaks), /3 tensors are left after 3 stages, by begin/],
  ['no-leak', tested(Keeps), /by adapt or penalty/],
  ['inputs-untouched', tested(ChangesOptions), /begin changes options/],
  ['inputs-untouched', tested(ChangesTask), /end changes task/],
  ['frozen-stays', tested(FreezesNoCopy), /frozen array "snapshot" changes while stage 1 trains/],
  ['task-blind', tested(CountsQuestions), /answered otherwise in another order of questions/],
  ['batch-blind', tested(NormalisesBatch), /row 1 of task 1 is answered .* alone and .* among rows of all tasks/],
  ['gradients', tested(ReadsItself), /the slope of the penalty along "lora\.\S+" is 0 by its gradient/],
  ['gradients', tested(WrongGradient), /the slope of the task loss, through adapt/],
  ['compiles', tested(ReadsValues), /LETHE_ENGINE_READ/],
  ['growth', tested(GrowsInSecret), /declares growth none, but after tasks 1, 2 and 3 it saves/],
  ['growth', tested(Sound, { growth: 'linear' }), /declares growth linear/],
  ['growth', tested(GrowsTooFast, { growth: 'linear' }), /declares growth linear/],
  ['growth', tested(AddsAnAdapterEach, { growth: 'sublinear' }), /every task adds as much as the first/],
  ['rehearsal', tested(KeepsRows, { growth: 'linear' }), /array "examples\.1", saved after stage 1, holds the features of row 1 of task 1/],
  ['stored-bytes', tested(HidesBytes), /json holds \d+ fractions after stage 1/],
  ['json-state', tested(SavesMap), /json is a Map/],
  ['json-state', tested(ReportsNothing), /report\(\)\.overlap is NaN/],
];
