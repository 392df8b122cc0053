import * as tf from '@tensorflow/tfjs';
import type { Site, Tensors } from '@lethe/core';
import { linear } from '@lethe/core/tensor';
import { type RotaryTables, rmsNorm, rotary } from '@lethe/engine';
import { sitesOf } from './config.js';
import type { Adapt, BatchTensors, ModelConfig, Targets } from './types.js';

/**
 * silu(gate) * up, with silu(x) = x sigmoid(x) (Shazeer 2020, arXiv 2002.05202). The gradient reuses what the forward pass
 * has: with s = sigmoid(gate), y = gate s and h = y up, silu'(gate) up = (s + y (1 - s)) up = h + s (up - h).
 */
const gated = tf.customGrad((gate, up, save) => {
  const [g, u] = [gate as tf.Tensor, up as tf.Tensor];
  const s = tf.sigmoid(g);
  const y = tf.mul(g, s);
  const h = tf.mul(y, u);
  (save as tf.GradSaveFunc)([s, y, u, h]);
  return {
    value: h,
    gradFunc: (dh: tf.Tensor, saved: tf.Tensor[]) => {
      const [sigmoid, silu, second, product] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      return [tf.mul(dh, tf.add(product, tf.mul(sigmoid, tf.sub(second, product)))), tf.mul(dh, silu)];
    },
  };
});

/** Tables of the rotary embedding, (tokens, headSize / 2): a position never exceeds its column, so one row a column is enough. */
function rotaryTables({ headSize, ropeTheta }: ModelConfig, tokens: number): RotaryTables {
  const half = headSize / 2;
  const table = (of: (angle: number) => number) => tf.tensor2d(Float32Array.from({ length: tokens * half }, (_, n) =>
    of(Math.floor(n / half) * ropeTheta ** (-(n % half) / half))), [tokens, half]);
  return { cos: table(Math.cos), sin: table(Math.sin) };
}

/** 0 where token i may read token j, -1e9 elsewhere; finite, so that a row of padding gives no NaN. (batch, 1, tokens, tokens) */
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

/**
 * Traced. Hidden states after the final norm, (batch, tokens, hidden), or (batch, n, hidden) when the batch names n wanted
 * states a row: nothing reads the other states of the last layer, so there only keys and values are computed for all tokens.
 */
export function hidden(config: ModelConfig, batch: BatchTensors, weights: Tensors, adapt: Adapt): tf.Tensor3D {
  const { heads, keyValueHeads, headSize, hiddenSize, normEpsilon } = config;
  const [rows, tokens] = batch.ids.shape;
  const sites = new Map(sitesOf(config).map((site) => [site.name, site] as const));
  const tables = rotaryTables(config, tokens);
  const group = heads / keyValueHeads;
  const { wanted } = batch;

  const at = (name: string, x: tf.Tensor3D): tf.Tensor3D => {
    const y = linear(x, weights[name]!);
    const delta = adapt?.(sites.get(name) as Site, x) ?? null;
    return delta ? tf.add(y, delta) : y;
  };
  // (batch, n, count * headSize) -> (batch, count, n, headSize)
  const split = (x: tf.Tensor3D, count: number) =>
    tf.transpose(tf.reshape(x, [rows, x.shape[1], count, headSize]), [0, 2, 1, 3]) as tf.Tensor4D;
  // (batch, tokens, size) -> (batch, n, size)
  const pick = (x: tf.Tensor3D) => {
    const flat = tf.reshape(x, [rows * tokens, -1]);
    return tf.reshape(tf.gather(flat, tf.reshape(wanted!, [-1])), [rows, wanted!.shape[1], -1]) as tf.Tensor3D;
  };

  let { positions } = batch;
  let bias = attentionBias(batch.segments);
  let x = tf.reshape(tf.gather(weights['embed']!, tf.reshape(batch.ids, [-1])), [rows, tokens, hiddenSize]) as tf.Tensor3D;
  for (let layer = 0; layer < config.layers; layer++) {
    const name = (part: string) => `layers.${layer}.${part}`;
    let h = rmsNorm(x, weights[name('norm1')]!, normEpsilon);
    const k = rotary(split(at(name('k'), h), keyValueHeads), batch.positions, tables); // (batch, keyValueHeads, tokens, headSize)
    const v = split(at(name('v'), h), keyValueHeads);
    if (wanted && layer === config.layers - 1) {
      [x, h] = [pick(x), pick(h)];
      positions = tf.reshape(pick(tf.expandDims(positions, 2)), wanted.shape);
      bias = tf.expandDims(pick(tf.squeeze(bias, [1])), 1);
    }
    const n = h.shape[1];
    const q = rotary(split(at(name('q'), h), heads), positions, tables); // (batch, heads, n, headSize)
    // The query heads that share a key head are stacked along the tokens, so that keys need no copies (Ainslie et al. 2023).
    const stacked = tf.reshape(tf.mul(q, headSize ** -0.5), [rows, keyValueHeads, group * n, headSize]);
    const scores = tf.reshape(tf.matMul(stacked, k, false, true), [rows, heads, n, tokens]);
    const attention = tf.reshape(tf.softmax(tf.add(scores, bias)), [rows, keyValueHeads, group * n, tokens]);
    const mixed = tf.reshape(tf.matMul(attention, v), [rows, heads, n, headSize]);
    const joined = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [rows, n, heads * headSize]) as tf.Tensor3D;
    x = tf.add(x, at(name('o'), joined));

    const h2 = rmsNorm(x, weights[name('norm2')]!, normEpsilon);
    const inner = gated(at(name('gate'), h2), at(name('up'), h2)) as tf.Tensor3D; // (batch, n, intermediate)
    x = tf.add(x, at(name('down'), inner));
  }
  return rmsNorm(x, weights['norm']!, normEpsilon);
}

/** Traced. Log-probability of each target token, (N); the gradient is softmax minus the target's row, without one-hot vectors. */
export function logProbabilities(
  config: ModelConfig,
  states: tf.Tensor3D,
  targets: Targets,
  weights: Tensors,
): tf.Tensor1D {
  const { token } = targets;
  const head = tf.customGrad((rows, table, save) => {
    const [h, e] = [rows as tf.Tensor2D, table as tf.Tensor2D]; // (N, hidden), (vocabulary, hidden)
    const logits = tf.matMul(h, e, false, true); // (N, vocabulary)
    const top = tf.max(logits, -1, true);
    const exponentials = tf.exp(tf.sub(logits, top));
    const total = tf.sum(exponentials, -1, true); // (N, 1)
    const chosen = tf.gather(e, token); // (N, hidden)
    const score = tf.sum(tf.mul(h, chosen), -1, true);
    const value = tf.reshape(tf.sub(score, tf.add(tf.log(total), top)), [-1]);
    (save as tf.GradSaveFunc)([h, e, exponentials, total, chosen]);
    return {
      value,
      gradFunc: (dy, saved) => {
        const [hs, es, exps, sums, picked] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
        const d = tf.reshape(dy, [-1, 1]);
        const scaled = tf.div(d, sums); // (N, 1)
        const toHidden = tf.sub(tf.mul(picked, d), tf.mul(tf.matMul(exps, es), scaled));
        const toTable = tf.sub(
          tf.unsortedSegmentSum(tf.mul(hs, d), token, config.vocabSize),
          tf.matMul(exps, tf.mul(hs, scaled) as tf.Tensor2D, true, false),
        );
        return [toHidden, toTable];
      },
    };
  });
  const flat = tf.reshape(states, [-1, config.hiddenSize]);
  return head(targets.index ? tf.gather(flat, targets.index) : flat, weights[config.tiedHead ? 'embed' : 'head']!) as tf.Tensor1D;
}

/** Traced. Logits of the whole vocabulary for hidden states (batch, n, hidden), in order: (batch * n, vocabulary). */
export function logits(config: ModelConfig, states: tf.Tensor3D, weights: Tensors): tf.Tensor2D {
  return tf.matMul(tf.reshape(states, [-1, config.hiddenSize]), weights[config.tiedHead ? 'embed' : 'head']! as tf.Tensor2D, false, true);
}

/** Traced. Mean and standard deviation of the embeddings of the prompt's tokens (segment 1), (batch, 2 * hidden). */
export function features(config: ModelConfig, batch: BatchTensors, weights: Tensors): tf.Tensor2D {
  const [rows, tokens] = batch.ids.shape;
  const embedded = tf.reshape(tf.gather(weights['embed']!, tf.reshape(batch.ids, [-1])), [rows, tokens, config.hiddenSize]);
  const inPrompt = tf.reshape(tf.cast(tf.equal(batch.segments, 1), 'float32'), [rows, tokens, 1]);
  const count = tf.maximum(tf.sum(inPrompt, 1, true), 1); // (batch, 1, 1)
  const mean = tf.div(tf.sum(tf.mul(embedded, inPrompt), 1, true), count); // (batch, 1, hidden)
  const deviation = tf.mul(tf.sub(embedded, mean), inPrompt);
  const spread = tf.sqrt(tf.div(tf.sum(tf.square(deviation), 1, true), count));
  return tf.reshape(tf.concat([mean, spread], 2), [rows, 2 * config.hiddenSize]) as tf.Tensor2D;
}
