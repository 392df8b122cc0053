import * as tf from '@tensorflow/tfjs';
import { type Forward, withGradient } from './gradient.js';
import { isTracing } from './trace.js';

const run = (kernel: string, inputs: Record<string, tf.Tensor>, attributes = {}): tf.Tensor[] =>
  ([] as tf.Tensor[]).concat(tf.engine().runKernel(kernel, inputs as unknown as tf.NamedTensorMap, attributes));

function rmsPlain(x: tf.Tensor, gain: tf.Tensor, epsilon: number): Forward<[tf.Tensor]> {
  const inverse: tf.Tensor = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon));
  return { value: tf.mul(tf.mul(x, inverse), gain), kept: [inverse] };
}

function rmsForward(x: tf.Tensor, gain: tf.Tensor, epsilon: number): Forward<[tf.Tensor]> {
  if (!isTracing()) return rmsPlain(x, gain, epsilon);
  const [value, inverse] = run('LetheRmsNorm', { x, gain }, { epsilon }) as [tf.Tensor, tf.Tensor];
  return { value, kept: [inverse] };
}

/**
 * Traced or eager. x / rms(x) * gain over the last axis, with rms(x) = sqrt(mean(x²) + epsilon) (Zhang and Sennrich 2019,
 * arXiv 1910.07467, equation 4). One operation of the runtime; the gradient reuses its 1 / rms(x).
 * @param x (…, size)
 * @param gain (size)
 */
export function rmsNorm<T extends tf.Tensor>(x: T, gain: tf.Tensor, epsilon: number): T {
  const op = withGradient(
    (at: tf.Tensor, by: tf.Tensor) => rmsForward(at, by, epsilon),
    (dy, [h, g], [r]) => {
      const d = tf.mul(dy, g); // (…, size), as h; r (…, 1)
      const along = tf.mul(tf.mean(tf.mul(d, h), -1, true), tf.square(r)); // (…, 1)
      const toGain = tf.sum(tf.reshape(tf.mul(dy, tf.mul(h, r)), [-1, g.size]), 0);
      return [tf.mul(r, tf.sub(d, tf.mul(h, along))), toGain];
    },
    (at, by) => rmsPlain(at, by, epsilon).value,
  );
  return op(x, gain) as T;
}

/** cos and sin of rotary embeddings: row p holds those of p * theta^(-2i/size), i < size / 2. Both (positions, size / 2). */
export interface RotaryTables {
  readonly cos: tf.Tensor2D;
  readonly sin: tf.Tensor2D;
}

function turn(x: tf.Tensor4D, positions: tf.Tensor2D, { cos, sin }: RotaryTables): tf.Tensor4D {
  if (isTracing()) return run('LetheRotary', { x, positions, cos, sin })[0] as tf.Tensor4D;
  const [batch, , tokens, size] = x.shape;
  const rows = (table: tf.Tensor2D) => tf.reshape(tf.gather(table, tf.reshape(positions, [-1])), [batch, 1, tokens, size / 2]);
  const [c, s] = [rows(cos), rows(sin)];
  const [a, b] = tf.split(x, 2, 3) as [tf.Tensor4D, tf.Tensor4D]; // (batch, heads, tokens, size / 2)
  return tf.concat([tf.sub(tf.mul(a, c), tf.mul(b, s)), tf.add(tf.mul(b, c), tf.mul(a, s))], 3) as tf.Tensor4D;
}

/**
 * Traced or eager. Rotary position embedding (Su et al. 2021, arXiv 2104.09864, section 3.2.2) with the halves of a head as
 * the two coordinates. One operation of the runtime; the gradient turns back by the same angles.
 * @param x (batch, heads, tokens, size), size even
 * @param positions (batch, tokens) int32, each less than the rows of the tables
 */
export function rotary(x: tf.Tensor4D, positions: tf.Tensor2D, tables: RotaryTables): tf.Tensor4D {
  const op = tf.customGrad((input, save) => {
    // saved, because eager gradients drop what the forward pass leaves behind
    (save as tf.GradSaveFunc)([positions, tables.cos, tables.sin]);
    return {
      value: turn(input as tf.Tensor4D, positions, tables),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [at, cos, sin] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
        return rotary(dy as tf.Tensor4D, at, { cos, sin: tf.neg(sin) });
      },
    };
  });
  return op(x) as tf.Tensor4D;
}
