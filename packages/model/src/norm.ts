import { withGradient } from '@lethe/engine';
import * as tf from '@tensorflow/tfjs';

/**
 * (x - mean(x)) / deviation(x) * gain + bias over the last axis, with deviation(x) = sqrt(mean((x - mean(x))²) + epsilon)
 * (Ba et al. 2016, arXiv 1607.06450, equation 4). The gradient reuses the normed values and 1 / deviation(x).
 * @param x (batch, n, size)
 * @param gain (size)
 * @param bias (size)
 */
export function layerNorm(x: tf.Tensor3D, gain: tf.Tensor, bias: tf.Tensor, epsilon: number): tf.Tensor3D {
  const op = withGradient(
    (at: tf.Tensor, by: tf.Tensor, to: tf.Tensor) => {
      const centred = tf.sub(at, tf.mean(at, -1, true));
      const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon)); // (batch, n, 1)
      const normed = tf.mul(centred, inverse);
      return { value: tf.add(tf.mul(normed, by), to), kept: [inverse, normed] };
    },
    (dy, [, g], [r, h]) => {
      const d = tf.mul(dy, g);
      const along = tf.mul(h, tf.mean(tf.mul(d, h), -1, true));
      const toInput = tf.mul(r, tf.sub(tf.sub(d, tf.mean(d, -1, true)), along));
      const rows = (values: tf.Tensor): tf.Tensor => tf.sum(tf.reshape(values, [-1, g.size]), 0);
      return [toInput, rows(tf.mul(dy, h)), rows(dy)];
    },
  );
  return op(x, gain, bias) as tf.Tensor3D;
}
