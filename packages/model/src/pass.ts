import * as tf from '@tensorflow/tfjs';
import type { Site, Tensors } from '@lethe/core';
import { linear } from '@lethe/core/tensor';
import type { Adapt, BatchTensors, Dimensions } from './types.js';

/** Traced. The embeddings of tokens, (batch, tokens, hidden). */
export function embed(ids: tf.Tensor2D, weights: Tensors): tf.Tensor3D {
  const table = weights['embed']!;
  return tf.reshape(tf.gather(table, tf.reshape(ids, [-1])), [...ids.shape, table.shape[1]!]) as tf.Tensor3D;
}

/**
 * Traced. 0 where token i may read token j, -1e9 elsewhere; finite, so that a row of padding gives no NaN. (batch, 1, tokens, tokens)
 */
function attentionBias(segments: tf.Tensor2D): tf.Tensor4D {
  const [batch, tokens] = segments.shape;
  const float = tf.cast(segments, 'float32');
  const reader = tf.reshape(float, [batch, 1, tokens, 1]);
  const read = tf.reshape(float, [batch, 1, 1, tokens]);
  const causal = Float32Array.from({ length: tokens * tokens }, (_, n) => (n % tokens <= Math.floor(n / tokens) ? 1 : 0));
  const prompt = tf.cast(tf.equal(read, 1), 'float32');
  const own = tf.mul(tf.cast(tf.equal(read, reader), 'float32'), tf.cast(tf.greater(read, 0), 'float32'));
  const allowed = tf.mul(tf.maximum(prompt, own), tf.tensor4d(causal, [1, 1, tokens, tokens]));
  return tf.mul(tf.sub(allowed, 1), 1e9) as tf.Tensor4D;
}

/** The tokens whose states a layer gives on: all of them, or those that the batch wants (n of them a row). */
export interface Readers {
  /** (batch, n) int32 */
  readonly positions: tf.Tensor2D;
  /** What is added to the attention scores, (batch, 1, n, tokens). */
  readonly bias: tf.Tensor4D;
  /** Their rows of (batch, tokens, size): (batch, n, size). */
  pick(x: tf.Tensor3D): tf.Tensor3D;
}

/** One forward pass of a model over a batch: what its layers share. */
export class Pass<C extends Dimensions = Dimensions> {
  private readonly sites: ReadonlyMap<string, Site>;
  private readonly all: Readers;
  private wanted: Readers | undefined;

  constructor(
    readonly config: C,
    sites: readonly Site[],
    readonly batch: BatchTensors,
    private readonly weights: Tensors,
    private readonly adapt: Adapt,
  ) {
    this.sites = new Map(sites.map((site) => [site.name, site]));
    this.all = { positions: batch.positions, bias: attentionBias(batch.segments), pick: (x) => x };
  }

  weight(name: string): tf.Tensor {
    return this.weights[name]!;
  }

  /** The embeddings of the batch's tokens, (batch, tokens, hidden). */
  embed(): tf.Tensor3D {
    return embed(this.batch.ids, this.weights);
  }

  /** x W of a linear layer, with its bias where it has one and what the method adds: (batch, n, site.out). */
  linear(name: string, x: tf.Tensor3D): tf.Tensor3D {
    const product = linear(x, this.weight(name));
    const bias = this.weights[`${name}.bias`];
    const y = bias ? tf.add(product, bias) as tf.Tensor3D : product;
    const delta = this.adapt?.(this.sites.get(name)!, x) ?? null;
    return delta ? tf.add(y, delta) : y;
  }

  /** Nothing reads the states of the last layer that are not wanted, so there only keys and values are computed for all tokens. */
  readers(layer: number): Readers {
    const { wanted } = this.batch;
    if (!wanted || layer < this.config.layers - 1) return this.all;
    return (this.wanted ??= this.readersOf(wanted));
  }

  private readersOf(wanted: tf.Tensor2D): Readers {
    const [rows, n] = wanted.shape;
    const { positions, bias } = this.all;
    const pick = (x: tf.Tensor3D) => {
      const flat = tf.reshape(x, [rows * x.shape[1], -1]);
      return tf.reshape(tf.gather(flat, tf.reshape(wanted, [-1])), [rows, n, -1]) as tf.Tensor3D;
    };
    return {
      positions: tf.reshape(pick(tf.expandDims(positions, 2)), wanted.shape),
      bias: tf.expandDims(pick(tf.squeeze(bias, [1])), 1),
      pick,
    };
  }
}
