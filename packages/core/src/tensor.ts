import * as tf from '@tensorflow/tfjs';
import type { Adapter } from './adapter.js';
import type { Arrays, NdArray } from './arrays.js';
import { zeros } from './arrays.js';
import type { Site } from './method.js';
import type { Random } from './random.js';

/** x W for x (batch, tokens, in) and w (in, out): one flat product, (batch, tokens, out). */
export function linear(x: tf.Tensor3D, w: tf.Tensor): tf.Tensor3D {
  const [batch, tokens, size] = x.shape;
  return tf.matMul(x.reshape([batch * tokens, size]), w as tf.Tensor2D).reshape([batch, tokens, w.shape[1]!]);
}

/** Names of the two arrays of a low-rank adapter at a site. */
export const loraNames = (site: Site, prefix = 'lora') => ({
  a: `${prefix}.${site.name}.A`,
  b: `${prefix}.${site.name}.B`,
});

/**
 * Arrays of a low-rank adapter (Hu et al. 2021, arXiv 2106.09685, section 4.1) at every site: A (in, rank) normal with
 * standard deviation 1/sqrt(in), B (rank, out) zero, so that the adapter starts silent.
 */
export function loraArrays(sites: readonly Site[], rank: number, random: Random, prefix = 'lora'): Arrays {
  const arrays: Record<string, NdArray> = {};
  for (const site of sites) {
    const { a, b } = loraNames(site, prefix);
    arrays[a] = { shape: [site.in, rank], data: random.fork(site.name).normals(site.in * rank, 1 / Math.sqrt(site.in)) };
    arrays[b] = zeros([rank, site.out]);
  }
  return arrays;
}

/** scale (x A) B: the output of a low-rank adapter, (batch, tokens, out). */
export function loraDelta(x: tf.Tensor3D, a: tf.Tensor, b: tf.Tensor, scale: number): tf.Tensor3D {
  return linear(linear(x, a).mul(scale), b);
}

/** The adapter that {@link loraArrays} of these sites make up, with its values of now. */
export function loraAdapter(sites: readonly Site[], arrays: Arrays, scale: number, prefix?: string): Adapter {
  return Object.fromEntries(sites.map((site) => {
    const { a, b } = loraNames(site, prefix);
    return [site.name, { a: arrays[a]!, b: arrays[b]!, scale }];
  }));
}
