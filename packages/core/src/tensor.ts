import * as tf from '@tensorflow/tfjs';
import type { Adapter } from './adapter.js';
import type { Arrays, NdArray } from './arrays.js';
import { below, beside, product, zeros } from './arrays.js';
import { siteInputs } from './inputs.js';
import type { MethodHost } from './method-host.js';
import type { Site, TaskView, Tensors } from './method.js';
import type { Random } from './random.js';
import { leadingDirections } from './subspace.js';

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

/** What the A of a fresh adapter reads: random directions, as {@link loraArrays} has them, or what {@link startAdapter} finds. */
export type Start = 'random' | 'inputs';

/**
 * Starts a fresh adapter of a method with the option `start`. For `inputs` its A (in, rank) reads at every site the directions that hold
 * most of the inputs of the task's rows, the leading eigenvectors of their second moment, from which a task is learned in fewer steps
 * (EVA, Paischer et al. 2024, arXiv 2410.07170, with one rank for all sites). Only between `begin` and the end of `end`, once the learner
 * has these arrays: inputs are what sites read behind all that it adds.
 *
 * @param fresh arrays of {@link loraArrays}, silent; others may stand among them, and stay as they are
 * @param taken of an input, named after the first site that reads it, the orthonormal columns (in, k) that A is to leave out
 */
export async function startAdapter(
  host: MethodHost, task: TaskView, start: Start, fresh: Arrays, taken: (input: string) => NdArray | undefined = () => undefined,
): Promise<Arrays> {
  if (start === 'random') return fresh;
  const started: Record<string, NdArray> = { ...fresh };
  for await (const { name, readers, moment } of siteInputs(host, task, task.rows)) {
    const rank = fresh[loraNames(readers[0]!).a]!.shape[1]!;
    const found = leadingDirections(moment, rank, taken(name));
    const count = found.shape[1]!; // the rank, or all that the input has
    for (const site of readers) {
      const { a } = loraNames(site);
      const { shape, data } = fresh[a]!;
      started[a] = { shape, data: data.map((v, i) => (i % rank < count ? found.data[Math.floor(i / rank) * count + (i % rank)]! : v)) };
    }
  }
  return started;
}

/**
 * Earlier adapters, as {@link loraBeside} keeps them under `prefix`, with the one that trains as the last: A (in, rank * t) and
 * B (rank * t, out).
 */
export function loraJoined(site: Site, params: Tensors, prefix: string): { a: tf.Tensor; b: tf.Tensor } {
  const [now, old] = [loraNames(site), loraNames(site, prefix)];
  if (!params[old.a]) return { a: params[now.a]!, b: params[now.b]! };
  return { a: tf.concat([params[old.a]!, params[now.a]!], 1), b: tf.concat([params[old.b]!, params[now.b]!], 0) };
}

/** The summed output of {@link loraJoined}: scale (x [A_old A]) [B_old; B], (batch, tokens, out). */
export function loraSum(site: Site, x: tf.Tensor3D, params: Tensors, prefix: string, scale: number): tf.Tensor3D {
  const { a, b } = loraJoined(site, params, prefix);
  return loraDelta(x, a, b, scale);
}

/** sum |A_old^T A|: how far the input directions of an adapter overlap those of earlier ones (O-LoRA), or null where there are none. */
export function loraOverlap(site: Site, params: Tensors, prefix: string): tf.Scalar | null {
  const [now, old] = [loraNames(site), loraNames(site, prefix)];
  if (!params[old.a]) return null;
  return tf.matMul(params[old.a] as tf.Tensor2D, params[now.a] as tf.Tensor2D, true, false).abs().sum(); // (rank * (t - 1), rank) to a number
}

/** scale (x A) B: the output of a low-rank adapter, (batch, tokens, out). */
export function loraDelta(x: tf.Tensor3D, a: tf.Tensor, b: tf.Tensor, scale: number): tf.Tensor3D {
  return linear(linear(x, a).mul(scale), b);
}

/**
 * Earlier adapters with one more beside them, at every site: A (in, rank * t) and B (rank * t, out), so that their sum is one
 * pair of products.
 *
 * @param earlier arrays under the names of `prefix`; empty for the first adapter
 * @param own arrays under the names of {@link loraNames} without a prefix
 */
export function loraBeside(sites: readonly Site[], earlier: Arrays, own: Arrays, prefix: string): Arrays {
  return Object.fromEntries(sites.flatMap((site): [string, NdArray][] => {
    const [old, now] = [loraNames(site, prefix), loraNames(site)];
    return [[old.a, beside(earlier[old.a], own[now.a]!)], [old.b, below(earlier[old.b], own[now.b]!)]];
  }));
}

/** scale A B for A (in, rank) and B (rank, out), (in, out): the change of the weights that an adapter makes. */
export function loraProduct(a: NdArray, b: NdArray, scale: number): NdArray {
  const { shape, data } = product(a, b);
  return { shape, data: data.map((value) => scale * value) };
}

/**
 * Traced. The value of `f` and its gradients by `at`, zeros where `f` does not read an array (a method may hold arrays
 * that are silent now, which `tf.valueAndGrads` refuses).
 */
export function valueAndGradients(
  f: () => tf.Scalar, at: readonly tf.Tensor[],
): { value: tf.Scalar; gradients: readonly tf.Tensor[] } {
  const { value, grads } = tf.engine().gradients(f, [...at], undefined, true);
  const found = grads as readonly (tf.Tensor | null | undefined)[];
  return { value: value as tf.Scalar, gradients: at.map((x, i) => found[i] ?? tf.zeros(x.shape)) };
}

/** Traced. {@link valueAndGradients} by arrays that have names: the gradients by the same names, in their order. */
export function namedGradients(f: () => tf.Scalar, at: Tensors): { value: tf.Scalar; gradients: Tensors } {
  const { value, gradients } = valueAndGradients(f, Object.values(at));
  return { value, gradients: Object.fromEntries(Object.keys(at).map((name, i) => [name, gradients[i]!])) };
}

/** Those of some arrays that have these names, in the order of the names. */
export const picked = (arrays: Tensors, names: readonly string[]): Tensors => Object.fromEntries(names.map((name) => [name, arrays[name]!]));

/** The adapter that {@link loraArrays} of these sites make up, with its values of now. */
export function loraAdapter(sites: readonly Site[], arrays: Arrays, scale: number, prefix?: string): Adapter {
  return Object.fromEntries(sites.map((site) => {
    const { a, b } = loraNames(site, prefix);
    return [site.name, { a: arrays[a]!, b: arrays[b]!, scale }];
  }));
}

/**
 * What {@link loraSum} adds, as one adapter: a sum of products of rank r is one product of rank r * tasks.
 *
 * @param earlier arrays under the names of `prefix`; empty for the first adapter
 * @param own arrays under the names of {@link loraNames} without a prefix
 */
export function loraSumAdapter(sites: readonly Site[], earlier: Arrays, own: Arrays, scale: number, prefix: string): Adapter {
  return loraAdapter(sites, loraBeside(sites, earlier, own, prefix), scale, prefix);
}
