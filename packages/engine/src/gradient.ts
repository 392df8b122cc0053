import * as tf from '@tensorflow/tfjs';
import { besides } from './tape.js';

/** What a forward pass gives: its result, and what its gradient reuses. */
export interface Forward<Kept extends tf.Tensor[]> {
  readonly value: tf.Tensor;
  readonly kept: readonly [...Kept];
}

/**
 * Traced or eager. A function with a gradient of its own, which reuses what the forward pass has computed. TensorFlow.js takes such
 * values for constants, and a gradient of this gradient would miss how they depend on the inputs: that one is taken of `plain`.
 *
 * @param forward the function
 * @param gradient its gradients by all inputs, from that of the result (shaped as it), the inputs and what the forward pass kept
 * @param plain the function by operations whose gradients TensorFlow.js knows, where `forward` has others
 */
export function withGradient<Inputs extends tf.Tensor[], Kept extends tf.Tensor[]>(
  forward: (...inputs: Inputs) => Forward<Kept>,
  gradient: (dy: tf.Tensor, inputs: Inputs, kept: Kept) => tf.Tensor[],
  plain: (...inputs: Inputs) => tf.Tensor = (...inputs) => forward(...inputs).value,
): (...inputs: Inputs) => tf.Tensor {
  /** The gradient by input i, whose own gradient is the one that `plain` has. */
  const again = (result: tf.Tensor, i: number, dy: tf.Tensor, inputs: Inputs): tf.Tensor => {
    const firstOrder = (to: tf.Tensor, ...at: tf.Tensor[]) => tf.grads((...xs) => plain(...(xs as Inputs)))(at, to)[i]!;
    return tf.customGrad(() => ({
      value: tf.clone(result),
      // a gradient need not depend on every input, which tf.grads asks for
      gradFunc: (d: tf.Tensor) => {
        const given = [dy, ...inputs];
        const { grads } = besides(() => tf.engine().gradients(() => firstOrder(dy, ...inputs), given, d, true));
        return (grads as (tf.Tensor | null)[]).map((found, n) => found ?? tf.zerosLike(given[n]!));
      },
    }))(dy, ...inputs);
  };
  return tf.customGrad((...given) => {
    const save = given.pop() as unknown as tf.GradSaveFunc;
    const inputs = given as tf.Tensor[] as Inputs;
    const { value, kept } = forward(...inputs);
    save([...inputs, ...kept]);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [at, rest] = [saved.slice(0, inputs.length) as Inputs, saved.slice(inputs.length) as Kept];
        return gradient(dy, at, rest).map((result, i) => again(result, i, dy, at));
      },
    };
  }) as (...inputs: Inputs) => tf.Tensor;
}
