import * as tf from '@tensorflow/tfjs';

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
