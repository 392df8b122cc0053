import { withGradient } from '@lethe/engine';
import * as tf from '@tensorflow/tfjs';
import type { Fields } from './fields.js';
import type { Pass } from './pass.js';

/**
 * silu(gate) * up, with silu(x) = x sigmoid(x) (Shazeer 2020, arXiv 2002.05202). The gradient reuses what the forward pass
 * has: with s = sigmoid(gate), y = gate s and h = y up, silu'(gate) up = (s + y (1 - s)) up = h + s (up - h).
 * Both and the result (batch, n, intermediate).
 */
export const gated = withGradient(
  (gate: tf.Tensor, up: tf.Tensor) => {
    const s: tf.Tensor = tf.sigmoid(gate);
    const y: tf.Tensor = tf.mul(gate, s);
    const h: tf.Tensor = tf.mul(y, up);
    return { value: h, kept: [s, y, h] };
  },
  (dh, [, up], [s, y, h]) => [tf.mul(dh, tf.add(h, tf.mul(s, tf.sub(up, h)))), tf.mul(dh, y)],
) as (gate: tf.Tensor3D, up: tf.Tensor3D) => tf.Tensor3D;

/** x Phi(x) with Phi the normal distribution function (Hendrycks and Gimpel 2016, arXiv 1606.08415); Phi'(x) = exp(-x²/2) / sqrt(2 pi). */
const gelu = withGradient(
  (x: tf.Tensor) => {
    const phi: tf.Tensor = tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
    return { value: tf.mul(x, phi), kept: [phi] };
  },
  (dy, [x], [phi]) => {
    const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return [tf.mul(dy, tf.add(phi, tf.mul(x, density)))];
  },
);

const [SLOPE, CUBE] = [Math.sqrt(2 / Math.PI), 0.044715];

/** The same with Phi(x) = (1 + t) / 2, t = tanh(sqrt(2/pi) (x + 0.044715 x³)), as the paper gives it for speed; t' = 1 - t² times the inner slope. */
const geluTanh = withGradient(
  (x: tf.Tensor) => {
    const t: tf.Tensor = tf.tanh(tf.mul(tf.mul(x, SLOPE), tf.add(tf.mul(tf.square(x), CUBE), 1)));
    return { value: tf.mul(tf.mul(x, 0.5), tf.add(t, 1)), kept: [t] };
  },
  (dy, [x], [t]) => {
    const slope = tf.mul(tf.add(tf.mul(tf.square(x), 3 * CUBE), 1), SLOPE);
    const bend = tf.mul(tf.mul(x, tf.sub(1, tf.square(t))), slope);
    return [tf.mul(dy, tf.mul(tf.add(tf.add(t, 1), bend), 0.5))];
  },
);

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
