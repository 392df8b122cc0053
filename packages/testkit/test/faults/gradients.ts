import { type Arrays, type Scope, type StepGradients, type Tensors, zeros } from '@lethe/core';
import * as tf from '@tensorflow/tfjs';
import { Sound } from './sound.js';

/** Sound, with gradients that are shortened where an array's are long, by more, the longer they were in earlier steps. */
export class SoundGradients extends Sound {
  running: Arrays = { lengths: zeros([]) };

  override async begin(): Promise<void> {
    this.running = { lengths: zeros([]) };
  }

  track({ loss }: StepGradients, { params }: Scope): Tensors {
    return { lengths: params['lengths']!.mul(0.9).add(tf.addN(Object.values(loss).map((g) => tf.norm(g)))) };
  }

  transformGradients({ loss, of, kept }: StepGradients, { batch, params }: Scope): Tensors {
    const rows = of(tf.sub(1, kept()).div(batch));
    return Object.fromEntries(Object.entries(loss).map(([name, g]) => [name, g.add(rows[name]!).div(params['lengths']!.add(tf.maximum(1, tf.norm(g))))]));
  }
}

export class SumsGradients extends Sound {
  transformGradients({ loss }: StepGradients): Tensors {
    return Object.fromEntries(Object.entries(loss).map(([name, g]) => [name, g.sum()]));
  }
}

export class LeavesGradientsOut extends Sound {
  transformGradients({ loss }: StepGradients): Tensors {
    return Object.fromEntries(Object.entries(loss).slice(1));
  }
}

export class RenamesGradients extends Sound {
  transformGradients({ loss }: StepGradients): Tensors {
    return Object.fromEntries(Object.entries(loss).map(([name, g]) => [name.toLowerCase(), g]));
  }
}

/** Looks at what the gradients are. */
export class BranchesOnGradients extends Sound {
  transformGradients({ loss }: StepGradients): Tensors {
    return Object.fromEntries(Object.entries(loss).map(([name, g]) => [name, g.max().dataSync()[0]! > 1 ? tf.zerosLike(g) : g]));
  }
}

/** Divides by how many rows are kept, where none are. */
export class DividesByNone extends Sound {
  transformGradients({ loss, kept }: StepGradients): Tensors {
    return Object.fromEntries(Object.entries(loss).map(([name, g]) => [name, g.div(kept().sum())]));
  }
}

/** Keeps what it has summed up for the next task, and does not save it. */
export class GoesOnRunning extends SoundGradients {
  override async begin(): Promise<void> {}
}

export class RunsAway extends SoundGradients {
  override track({ loss }: StepGradients, { params }: Scope): Tensors {
    return { lengths: params['lengths']!.add(1).mul(1e30).mul(tf.norm(Object.values(loss)[0]!).add(1)) };
  }
}

export class TracksNothing extends SoundGradients {
  override track(): Tensors {
    return {};
  }
}

/** Has a running array of the name of one that trains. */
export class RunsWhatTrains extends SoundGradients {
  override async begin(): Promise<void> {
    const [name, { shape }] = Object.entries(this.trainable)[0]!;
    this.running = { lengths: zeros([]), [name]: zeros(shape) };
  }

  override track(gradients: StepGradients, scope: Scope): Tensors {
    const [name] = Object.keys(this.trainable);
    return { ...super.track(gradients, scope), [name!]: gradients.loss[name!]! };
  }

  override transformGradients({ loss }: StepGradients): Tensors {
    return loss;
  }
}
