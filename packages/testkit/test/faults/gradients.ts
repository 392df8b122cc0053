import type { Scope, StepGradients, Tensors } from '@lethe/core';
import * as tf from '@tensorflow/tfjs';
import { Sound } from './sound.js';

/** Sound, with gradients that were shortened where an array's are long, and weighed by how the rows of the batch are. */
export class SoundGradients extends Sound {
  transformGradients({ loss, of, kept }: StepGradients, scope: Scope): Tensors {
    const rows = of(tf.sub(1, kept()).div(scope.batch));
    return Object.fromEntries(Object.entries(loss).map(([name, g]) => [name, g.add(rows[name]!).div(tf.maximum(1, tf.norm(g)))]));
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
