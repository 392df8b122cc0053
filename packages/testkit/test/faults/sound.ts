import {
  type Arrays, type Capabilities, type Learner, type LearnerState, type Manifest, type Method, type MethodHost, type Scope, type Site,
  type TaskView, LETHE_VERSION, clone,
} from '@lethe/core';
import { loraArrays, loraDelta, loraNames } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';
import type { TestedMethod } from '../../src/index.js';

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

export const adapterB = (learner: Learner) => Object.entries(learner.trainable).find(([name]) => name.endsWith('.B'))!;

type Made = new (host: MethodHost, options: Record<string, unknown>) => Learner;

/** A method of a learner, with a manifest that declares this much. */
export function tested(learner: Made, capabilities: Partial<Capabilities> = {}): TestedMethod {
  const manifest: Manifest = {
    name: learner.name, kind: 'method', version: '1.0.0', lethe: `^${LETHE_VERSION}`, description: 'For a test.', stream: 'continual',
    capabilities: { rehearsal: false, taskIdentity: false, growth: 'none', bound: false, ...capabilities },
    capabilitiesWith: {}, options: { properties: {} }, search: {}, licence: 'Apache-2.0', dependencies: {},
  };
  const method: Method = { create: (host, options) => new learner(host, options) };
  return { manifest, method, options: { strength: 0.5 } };
}
