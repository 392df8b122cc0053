import type { Adapter, Gates, Scope } from '@lethe/core';
import { loraAdapter } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';
import { Sound } from './sound.js';

/** Sound, and all that a method may show of itself: a gate, here one that decides nothing, and its adapter. */
export class Shows extends Sound {
  gates(scope: Scope): Gates {
    return { parts: ['half'], open: tf.sigmoid(scope.features().mean(1, true)) };
  }

  adapter(): Adapter {
    return loraAdapter(this.host.sites, this.trainable, this.host.scale);
  }
}

/** Forgets that the update was scaled already. */
export class ScalesTwice extends Shows {
  override adapter(): Adapter {
    return loraAdapter(this.host.sites, this.trainable, this.host.scale ** 2);
  }
}

/** Compares the rows of a batch with each other. */
export class GatesOfBatch extends Shows {
  override gates(scope: Scope): Gates {
    const mean = scope.features().mean(1, true);
    return { parts: ['half'], open: tf.sigmoid(mean.sub(mean.mean())) };
  }
}

/** Looks at what its gate says. */
export class ReadsGates extends Shows {
  override gates(scope: Scope): Gates {
    const { parts, open } = super.gates(scope);
    return { parts, open: open.max().dataSync()[0]! > 1 ? tf.onesLike(open) : open };
  }
}
