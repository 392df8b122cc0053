import { type Random, type Site, createRandom } from '@lethe/core';
import { linear } from '@lethe/core/tensor';
import type { TensorSpec } from '@lethe/engine';
import * as tf from '@tensorflow/tfjs';
import type { BatchShape } from './batch.js';

/** Name of the program input that masks are made of. */
export const KEYS = 'dropout';
/** The size of the field that masks are computed in, a prime: sums of {@link WIDTH} products of numbers below it are exact in float32. */
const PRIME = 1021;
/** Numbers of a key and of a point. */
const WIDTH = 4;

/** The places of a row at a site that has most of them. */
function placesOf({ batch, tokens, targets, source = 0 }: BatchShape, virtualTokens: number): number {
  return Math.max(tokens + virtualTokens, source, targets / batch);
}

/** The input that the masks of a step are made of: a key for every place of every row. */
export function dropoutInputs(shape: BatchShape, virtualTokens = 0): Record<string, TensorSpec> {
  return { [KEYS]: { shape: [shape.batch, placesOf(shape, virtualTokens), WIDTH], dtype: 'float32' } };
}

/**
 * Values of {@link dropoutInputs}: uniform below {@link PRIME}.
 *
 * @param randoms of every row; where a row has more places in another batch, its first ones have the same keys
 */
export function dropoutFeeds(shape: BatchShape, randoms: readonly Random[], virtualTokens = 0): Record<string, Float32Array> {
  const numbers = placesOf(shape, virtualTokens) * WIDTH;
  const keys = new Float32Array(shape.batch * numbers);
  randoms.forEach((random, row) => {
    for (let i = row * numbers; i < (row + 1) * numbers; i++) keys[i] = random.below(PRIME);
  });
  return { [KEYS]: keys };
}

/** What stands for each input of a site, whatever the run: three numbers by which a key is multiplied, and 1. */
function points(site: Site): tf.Tensor2D {
  const random = createRandom(0, 'dropout', site.name);
  return tf.tensor2d(Float32Array.from({ length: WIDTH * site.in }, (_, i) => (i < (WIDTH - 1) * site.in ? random.below(PRIME) : 1)), [WIDTH, site.in]);
}

/**
 * Traced. Sets this share of x, (batch, places, in), to 0 and scales the rest up by as much, so that the mean stays (Srivastava et al. 2014).
 *
 * A mask of its own for every site would be an input as large as all that sites read. So it is computed, from one key a place: input f of a site is dropped where
 * `key . point(f) mod PRIME` is small. A key is uniform over all functions that are affine in the point, so that every two inputs of a site, or of several, are
 * dropped independently of each other (Carter and Wegman 1979), and places and rows by keys of their own.
 *
 * @param share in (0, 1), to the nearest 1/{@link PRIME}
 */
export function dropped(site: Site, x: tf.Tensor3D, keys: tf.Tensor3D, share: number): tf.Tensor3D {
  const gone = Math.min(Math.max(Math.round(share * PRIME), 1), PRIME - 1);
  const own = tf.slice(keys, [0, 0, 0], [x.shape[0], x.shape[1], WIDTH]);
  const value = linear(own, points(site)).add(0.5).div<tf.Tensor3D>(PRIME); // between two numbers of the field, whatever rounding does
  const kept = value.sub(value.floor()).greater(gone / PRIME);
  return tf.where(kept, x.mul(PRIME / (PRIME - gone)), 0);
}
