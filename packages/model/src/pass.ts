import * as tf from '@tensorflow/tfjs';
import type { Site, Tensors } from '@lethe/core';
import { linear } from '@lethe/core/tensor';
import type { KeysValues, Memory } from './memory.js';
import type { Adapt, BatchTensors, Dimensions } from './types.js';

/** Traced. The embeddings of tokens, (batch, tokens, hidden). */
export function embed(ids: tf.Tensor2D, weights: Tensors): tf.Tensor3D {
  const table = weights['embed']!;
  return tf.reshape(tf.gather(table, tf.reshape(ids, [-1])), [...ids.shape, table.shape[1]!]) as tf.Tensor3D;
}

/**
 * Traced. 0 where token i may read token j, -1e9 elsewhere; finite, so that a row of padding gives no NaN. (batch, 1, tokens, tokens)
 *
 * @param window how many positions back a token reads, its own among them; null for all
 */
function attentionBias({ segments, positions }: BatchTensors, window: number | null): tf.Tensor4D {
  const [batch, tokens] = segments.shape;
  const float = tf.cast(segments, 'float32');
  const reader = tf.reshape(float, [batch, 1, tokens, 1]);
  const read = tf.reshape(float, [batch, 1, 1, tokens]);
  const causal = Float32Array.from({ length: tokens * tokens }, (_, n) => (n % tokens <= Math.floor(n / tokens) ? 1 : 0));
  const prompt = tf.cast(tf.equal(read, 1), 'float32');
  const own = tf.mul(tf.cast(tf.equal(read, reader), 'float32'), tf.cast(tf.greater(read, 0), 'float32'));
  const inReach = tf.mul(tf.maximum(prompt, own), tf.tensor4d(causal, [1, 1, tokens, tokens]));
  const back = () => tf.sub(tf.reshape(positions, [batch, 1, tokens, 1]), tf.reshape(positions, [batch, 1, 1, tokens]));
  const allowed = window === null ? inReach : tf.mul(inReach, tf.cast(tf.less(back(), window), 'float32'));
  return tf.mul(tf.sub(allowed, 1), 1e9) as tf.Tensor4D;
}

/** Traced. The same for tokens read before, whose places are their positions: 0 for those before the row's first token. (batch, 1, tokens, past) */
function pastBias({ positions }: BatchTensors, past: number, window: number | null): tf.Tensor4D {
  const [batch, tokens] = positions.shape;
  const places = tf.tensor4d(Int32Array.from({ length: past }, (_, place) => place), [1, 1, 1, past], 'int32');
  const first = tf.reshape(tf.slice(positions, [0, 0], [batch, 1]), [batch, 1, 1, 1]);
  const reader = tf.reshape(positions, [batch, 1, tokens, 1]);
  const read = tf.cast(tf.less(places, first), 'float32');
  const near = window === null ? tf.ones([1, 1, tokens, 1]) : tf.cast(tf.less(tf.sub(reader, places), window), 'float32');
  return tf.mul(tf.sub(tf.mul(read, near), 1), 1e9) as tf.Tensor4D;
}

/** The tokens whose states a layer gives on: all of them, or those that the batch wants (n of them a row). */
export interface Readers {
  /** (batch, n) int32 */
  readonly positions: tf.Tensor2D;
  /** What is added to the attention scores, (batch, 1, n, tokens), tokens read before among them. */
  readonly bias: tf.Tensor4D;
  /** Their rows of (batch, tokens, size): (batch, n, size). */
  pick(x: tf.Tensor3D): tf.Tensor3D;
}

/** One forward pass of a model over a batch: what its layers share. */
export class Pass<C extends Dimensions = Dimensions> {
  private readonly sites: ReadonlyMap<string, Site>;
  /** By window; the one of null reads back without limit. */
  private readonly all = new Map<number | null, Readers>();
  private last: Readers | undefined;
  /** What the method threw at a linear layer, if it did: no fault of the architecture. */
  thrownByMethod: unknown;

  constructor(
    readonly config: C,
    sites: readonly Site[],
    readonly batch: BatchTensors,
    private readonly weights: Tensors,
    private readonly adapt: Adapt,
    private readonly memory?: Memory,
  ) {
    this.sites = new Map(sites.map((site) => [site.name, site]));
  }

  /** Tokens of a row, those of its prefix among them. */
  private get tokens(): number {
    return this.batch.positions.shape[1];
  }

  /** Positions are below this: a position never exceeds its column, or its place among what was read before. */
  get positions(): number {
    return this.tokens + (this.memory?.past?.[0]?.keys.shape[2] ?? 0);
  }

  /** What attention of a layer reads: the batch's own tokens, behind those that were read before. */
  recall(layer: number, own: KeysValues): KeysValues {
    this.memory?.keep(layer, own);
    const past = this.memory?.past?.[layer];
    return past ? { keys: tf.concat([past.keys, own.keys], 2), values: tf.concat([past.values, own.values], 2) } : own;
  }

  /** What attention of a layer reads of the prompts of an encoder: computed where no pass before did. */
  recallSource(layer: number, compute: () => KeysValues): KeysValues {
    const known = this.memory?.source?.[layer];
    if (known) return known;
    const own = compute();
    this.memory?.keepSource(layer, own);
    return own;
  }

  weight(name: string): tf.Tensor {
    return this.weights[name]!;
  }

  /** The embeddings of tokens behind the batch's prefix, (batch, tokens, hidden). */
  embedBehindPrefix(ids: tf.Tensor2D): tf.Tensor3D {
    const { prefix } = this.batch;
    const own = embed(ids, this.weights);
    return prefix ? tf.concat([prefix, own], 1) : own;
  }

  /** The embeddings of the batch's tokens, behind its prefix where no encoder reads that, (batch, tokens, hidden). */
  embed(): tf.Tensor3D {
    const { ids, source } = this.batch;
    return source ? embed(ids, this.weights) : this.embedBehindPrefix(ids);
  }

  /** x W of a linear layer, with its bias where it has one and what the method adds: (batch, n, site.out). */
  linear(name: string, x: tf.Tensor3D): tf.Tensor3D {
    const product = linear(x, this.weight(name));
    const bias = this.weights[`${name}.bias`];
    const y = bias ? tf.add(product, bias) as tf.Tensor3D : product;
    const delta = this.delta(name, x);
    return delta ? tf.add(y, delta) : y;
  }

  private delta(name: string, x: tf.Tensor3D): tf.Tensor3D | null {
    try {
      return this.adapt?.(this.sites.get(name)!, x) ?? null;
    } catch (error) {
      this.thrownByMethod = error;
      throw error;
    }
  }

  /**
   * The tokens whose states a layer gives on. Nothing reads those of the last layer that are not wanted, so there only keys and
   * values are computed for all tokens.
   */
  readers(layer: number): Readers {
    const { wanted } = this.batch;
    if (!wanted || layer < this.config.layers - 1) return this.allReaders(layer);
    return (this.last ??= this.wantedReaders(layer, wanted));
  }

  private allReaders(layer: number): Readers {
    const limit = this.config.windows?.[layer] ?? null;
    // a window as wide as all positions shuts nothing out
    const window = limit !== null && limit < this.positions ? limit : null;
    let readers = this.all.get(window);
    if (!readers) {
      readers = { positions: this.batch.positions, bias: this.bias(window), pick: (x) => x };
      this.all.set(window, readers);
    }
    return readers;
  }

  private bias(window: number | null): tf.Tensor4D {
    const own = attentionBias(this.batch, window);
    const past = this.positions - this.tokens;
    return past > 0 ? tf.concat([pastBias(this.batch, past, window), own], 3) : own;
  }

  private wantedReaders(layer: number, wanted: tf.Tensor2D): Readers {
    const [rows, n] = wanted.shape;
    const { positions, bias } = this.allReaders(layer);
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
