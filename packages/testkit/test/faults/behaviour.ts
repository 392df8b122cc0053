import { type MethodHost, type Scope, type Site, type TaskView, clone } from '@lethe/core';
import { loraArrays, loraDelta, loraNames, startAdapter } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';
import { Sound, adapterB } from './sound.js';

/** Learners of a process so far: what a module must not remember. */
let created = 0;

export class Throws extends Sound {
  override penalty(): null {
    throw new Error('no penalty today');
  }
}

export class WrongShape extends Sound {
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    return super.adapt(site, x, scope).mean(1, true) as tf.Tensor3D;
  }
}

/** Its helper is given the adapter's sides in the wrong order. */
export class SwapsSides extends Sound {
  override adapt(site: Site, x: tf.Tensor3D, { params }: Scope): tf.Tensor3D {
    const { a, b } = loraNames(site);
    return loraDelta(x, params[b]!, params[a]!, this.host.scale);
  }
}

export class AsksForNoArray extends Sound {
  override async end(task: TaskView): Promise<void> {
    for await (const _ of this.host.gradients(task, { names: ['lora.layers.0.q.a'], rows: 4, batch: 4 })) await super.end(task);
  }
}

/** Makes a factor once and keeps the tensor, which is gone with its pass. */
export class KeepsAFactor extends Sound {
  private factor: tf.Tensor | undefined;
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    return super.adapt(site, x, scope).mul((this.factor ??= tf.scalar(0.5)));
  }
}

/** Reads an option by a name that its manifest does not have. */
export class MisspellsAnOption extends Sound {
  override penalty(scope: Scope): tf.Scalar | null {
    return this.options['strenght'] ? super.penalty(scope) : null;
  }
}

/** Starts where it does not wait for it, with arrays that come too late. */
export class BeginsTooEarly extends Sound {
  override async begin(task: TaskView): Promise<void> {
    void startAdapter(this.host, task, 'inputs', this.trainable).then((started) => { this.trainable = started; });
  }
}

/** Starts what it does not wait for, and what fails. */
export class WaitsForNothing extends Sound {
  override async begin(): Promise<void> {
    void Promise.resolve().then(() => { throw new Error('too late'); });
  }
}

/** Lets gradients past a threshold, through which there are none. */
export class StraightThrough extends Sound {
  readonly surrogateGradients = true;
  override adapt(site: Site, x: tf.Tensor3D, { params }: Scope): tf.Tensor3D {
    const { a, b } = loraNames(site);
    const through = tf.customGrad((t) => ({ value: tf.cast(tf.greater(t as tf.Tensor, 0), 'float32'), gradFunc: (dy: tf.Tensor) => dy }));
    return loraDelta(x, through(params[a]!).sub(0.5), params[b]!, this.host.scale);
  }
}

/** A root of 0, where the second task begins. */
export class RootOfNothing extends Sound {
  override penalty(scope: Scope): tf.Scalar | null {
    return super.penalty(scope)?.sqrt() ?? null;
  }
}

export class LogarithmOfNothing extends Sound {
  override penalty(scope: Scope): tf.Scalar | null {
    return super.penalty(scope)?.log() ?? null;
  }
}

/** Multiplies away what the first task trains; `gradients` sees the same in later ones. */
export class Silent extends Sound {
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    return super.adapt(site, x, scope).mul(Object.keys(this.frozen).length === 0 ? 0 : 1);
  }
}

export class Remembers extends Sound {
  constructor(host: MethodHost, options: Record<string, unknown>) {
    super(host, options);
    created++;
    this.trainable = loraArrays(host.sites, host.rank, host.random.fork('init', created));
  }
}

export class Forgets extends Sound {
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
export class SharesGenerator extends Sound {
  override async begin(): Promise<void> {
    const [, { data }] = adapterB(this);
    data.forEach((_, i) => (data[i]! += 0.01 * this.host.random.normal()));
  }
}

export class AsksTheClock extends Sound {
  override async begin(task: TaskView): Promise<void> {
    await Promise.resolve();
    if (Date.now() < task.index) throw new Error('before 1970');
  }
}

export class RollsDice extends Sound {
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    const delta = super.adapt(site, x, scope);
    return Math.random() < 2 ? delta : delta.neg();
  }
}

export class Leaks extends Sound {
  override async begin(): Promise<void> {
    tf.scalar(1);
  }
}

export class Keeps extends Sound {
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    return tf.keep(super.adapt(site, x, scope));
  }
}

export class ChangesOptions extends Sound {
  override async begin(task: TaskView): Promise<void> {
    if (task.index === 2) (this.options as { kept?: number }).kept = task.index;
  }
}

export class ChangesTask extends Sound {
  override async end(task: TaskView): Promise<void> {
    await super.end(task);
    Object.assign(task, { rows: 0 });
  }
}

/** The mistake of every first EWC: the anchor is the array that trains. */
export class FreezesNoCopy extends Sound {
  override async begin(): Promise<void> {
    const [, array] = adapterB(this);
    this.frozen = { ...this.frozen, snapshot: array };
  }
}

/** Holds the adapter back for the first batch that it is asked, the one of the task just learned, it hopes. */
export class CountsQuestions extends Sound {
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

export class NormalisesBatch extends Sound {
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    return super.adapt(site, x.sub(x.mean(0, true)), scope);
  }
}

/** Computes with its own arrays instead of those of the scope: constants of the graph, without a gradient. */
export class ReadsItself extends Sound {
  override penalty(scope: Scope): tf.Scalar | null {
    if (super.penalty(scope) === null) return null;
    const own = Object.fromEntries(Object.entries({ ...this.frozen, ...this.trainable }).map(
      ([name, { shape, data }]) => [name, tf.tensor(data.slice(), [...shape])]));
    return super.penalty({ ...scope, params: own });
  }
}

const doubled = tf.customGrad((x) => ({ value: (x as tf.Tensor).clone(), gradFunc: (dy: tf.Tensor) => dy.mul(2) }));

export class WrongGradient extends Sound {
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    return doubled(super.adapt(site, x, scope)) as tf.Tensor3D;
  }
}

export class ReadsValues extends Sound {
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    const delta = super.adapt(site, x, scope);
    return delta.max().dataSync()[0]! > 1e6 ? delta.mul(0) : delta;
  }
}

/** From its second task on it reads what it learned in the first one, and trains arrays that nothing reads. */
export class TrainsUnread extends Sound {
  override async begin({ index }: TaskView): Promise<void> {
    if (index !== 2) return;
    const kept = Object.entries(this.trainable).map(([name, array]) => [`kept.${name}`, clone(array)]);
    this.frozen = { ...this.frozen, ...Object.fromEntries(kept) };
  }

  override adapt(site: Site, x: tf.Tensor3D, { params }: Scope): tf.Tensor3D {
    const { a, b } = loraNames(site);
    return loraDelta(x, params[`kept.${a}`] ?? params[a]!, params[`kept.${b}`] ?? params[b]!, this.host.scale);
  }

  override async end(task: TaskView): Promise<void> {
    const kept = Object.entries(this.frozen).filter(([name]) => name.startsWith('kept.'));
    await super.end(task);
    this.frozen = { ...this.frozen, ...Object.fromEntries(kept) };
  }
}
