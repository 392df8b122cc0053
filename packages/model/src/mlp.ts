import * as tf from '@tensorflow/tfjs';
import type { Fields } from './fields.js';
import type { Pass } from './pass.js';

/**
 * silu(gate) * up, with silu(x) = x sigmoid(x) (Shazeer 2020, arXiv 2002.05202). The gradient reuses what the forward pass
 * has: with s = sigmoid(gate), y = gate s and h = y up, silu'(gate) up = (s + y (1 - s)) up = h + s (up - h).
 * Both and the result (batch, n, intermediate).
 */
export const gated = tf.customGrad((gate, up, save) => {
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
}) as (gate: tf.Tensor3D, up: tf.Tensor3D) => tf.Tensor3D;

/** x Phi(x) with Phi the normal distribution function (Hendrycks and Gimpel 2016, arXiv 1606.08415); Phi'(x) = exp(-x²/2) / sqrt(2 pi). */
const gelu = tf.customGrad((x, save) => {
  const at = x as tf.Tensor;
  const share = tf.mul(tf.add(tf.erf(tf.mul(at, Math.SQRT1_2)), 1), 0.5);
  (save as tf.GradSaveFunc)([at, share]);
  return {
    value: tf.mul(at, share),
    gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [h, phi] = saved as [tf.Tensor, tf.Tensor];
      const density = tf.mul(tf.exp(tf.mul(tf.square(h), -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return tf.mul(dy, tf.add(phi, tf.mul(h, density)));
    },
  };
});

const [SLOPE, CUBE] = [Math.sqrt(2 / Math.PI), 0.044715];

/** The same with Phi(x) = (1 + t) / 2, t = tanh(sqrt(2/pi) (x + 0.044715 x³)), as the paper gives it for speed; t' = 1 - t² times the inner slope. */
const geluTanh = tf.customGrad((x, save) => {
  const at = x as tf.Tensor;
  const t = tf.tanh(tf.mul(tf.mul(at, SLOPE), tf.add(tf.mul(tf.square(at), CUBE), 1)));
  (save as tf.GradSaveFunc)([at, t]);
  return {
    value: tf.mul(tf.mul(at, 0.5), tf.add(t, 1)),
    gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [h, tanh] = saved as [tf.Tensor, tf.Tensor];
      const slope = tf.mul(tf.add(tf.mul(tf.square(h), 3 * CUBE), 1), SLOPE);
      const bend = tf.mul(tf.mul(h, tf.sub(1, tf.square(tanh))), slope);
      return tf.mul(dy, tf.mul(tf.add(tf.add(tanh, 1), bend), 0.5));
    },
  };
});

/** Activations of feed-forward networks, by the names of Transformers; some have several. */
export const ACTIVATIONS = { gelu, gelu_new: geluTanh, gelu_fast: geluTanh, gelu_pytorch_tanh: geluTanh, relu: (x: tf.Tensor) => tf.relu(x) };
export type Activation = keyof typeof ACTIVATIONS;

/** Reads an activation of {@link ACTIVATIONS}. */
export function readActivation(fields: Fields, field: string, fallback: Activation): Activation {
  return fields.choice(field, 'The activation', Object.keys(ACTIVATIONS) as Activation[], fallback);
}

/** Traced. down(activation(up(h))) of a block of sites, (batch, n, hidden). */
export function feedForward(pass: Pass, block: string, h: tf.Tensor3D, activation: Activation): tf.Tensor3D {
  return pass.linear(`${block}.down`, ACTIVATIONS[activation](pass.linear(`${block}.up`, h)) as tf.Tensor3D);
}

/** Traced. down(activation(gate(h)) * up(h)) of a block of sites, (batch, n, hidden). */
export function gatedFeedForward(pass: Pass, block: string, h: tf.Tensor3D, activation: Activation): tf.Tensor3D {
  const open = ACTIVATIONS[activation](pass.linear(`${block}.gate`, h)) as tf.Tensor3D;
  return pass.linear(`${block}.down`, tf.mul(open, pass.linear(`${block}.up`, h)));
}
