import { type Arrays, type Scope, type Site, zeros } from '@lethe/core';
import type { Tensor3D } from '@tensorflow/tfjs';
import { Sound } from './sound.js';

const NOISE = 'noise';

/** Sound, with noise on what a site reads of each row while it trains, other noise every step. */
export class SoundNoise extends Sound {
  private task = 0;

  override async begin({ index }: { readonly index: number }): Promise<void> {
    this.task = index;
  }

  stepArrays(step: number, kept: readonly number[]): Arrays {
    return { [NOISE]: { shape: [kept.length, 1, 1], data: this.host.random.fork(NOISE, this.task, step).normals(kept.length, 0.1) } };
  }

  override adapt(site: Site, x: Tensor3D, scope: Scope): Tensor3D {
    const noise = scope.params[NOISE];
    return super.adapt(site, noise ? x.add(noise) : x, scope);
  }
}

/** Has more of it at every step. */
export class GrowingNoise extends SoundNoise {
  override stepArrays(step: number, kept: readonly number[]): Arrays {
    return { ...super.stepArrays(step, kept), more: zeros([step]) };
  }
}

/** Calls it as one of its adapters. */
export class NoiseThatTrains extends SoundNoise {
  override stepArrays(_step: number, kept: readonly number[]): Arrays {
    return { [Object.keys(this.trainable)[0]!]: zeros([kept.length]) };
  }
}

/** Reads it where answers are scored too, where there is none. */
export class NoisyAnswers extends SoundNoise {
  override adapt(site: Site, x: Tensor3D, scope: Scope): Tensor3D {
    return super.adapt(site, x.add(scope.params[NOISE]!), scope);
  }
}

/** Goes on drawing from one generator, which is not saved. */
export class NoiseFromOneGenerator extends SoundNoise {
  private readonly generator = this.host.random.fork('generator');

  override stepArrays(_step: number, kept: readonly number[]): Arrays {
    return { [NOISE]: { shape: [kept.length, 1, 1], data: this.generator.normals(kept.length, 0.1) } };
  }
}
