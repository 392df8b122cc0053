import { type Arrays, BUDGET_LEFT_OUT, type Tensors, type TrainingBudget } from '@lethe/core';
import { namedGradients } from '@lethe/core/tensor';
import type { TensorSpec, Values } from '@lethe/engine';
import * as tf from '@tensorflow/tfjs';
import { floats } from './batch.js';
import { countOf, flatten, slices } from './flat.js';

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/** What the learning rate follows. */
type RateBudget = Pick<TrainingBudget, 'learningRate' | 'warmup' | 'schedule'>;

/** The learning rate of a step (1 to `steps`): linear warm-up over `warmup * steps`, then towards 0, or staying, as the schedule says. */
function learningRate(step: number, steps: number, { learningRate: peak, warmup, schedule = BUDGET_LEFT_OUT.schedule }: RateBudget): number {
  const rise = Math.round(warmup * steps);
  if (step <= rise) return (peak * step) / rise;
  const [left, fall] = [steps - step + 1, steps - rise];
  return { linear: (peak * left) / fall, constant: peak, cosine: (peak * (1 - Math.cos((Math.PI * left) / fall))) / 2 }[schedule];
}

/** Factors that undo the bias of the moments, which start at zero (Kingma and Ba 2015, arXiv 1412.6980, algorithm 1). */
function biasCorrections(step: number): { first: number; second: number } {
  return { first: 1 / (1 - BETA1 ** step), second: 1 / (1 - BETA2 ** step) };
}

const SCALAR: TensorSpec = { shape: [], dtype: 'float32' };

/** The inputs of a program that takes an optimizer step: all values as one vector, both moments, the rate and the bias corrections. */
export function optimizerInputs(trained: Arrays): Record<'flat' | 'm' | 'v' | 'rate' | 'first' | 'second', TensorSpec> {
  const vector: TensorSpec = { shape: [countOf(trained)], dtype: 'float32' };
  return { flat: vector, m: vector, v: vector, rate: SCALAR, first: SCALAR, second: SCALAR };
}

/** Traced. Named gradients as one vector, in their order. */
export const asVector = (gradients: Tensors): tf.Tensor => tf.concat(Object.values(gradients).map((g) => g.reshape([-1])));

/**
 * Traced. What is left of an optimizer step once its gradients are known: one AdamW update of the flat vector (Loshchilov and Hutter 2019, arXiv
 * 1711.05101, algorithm 2), after clipping the gradients by their global norm.
 *
 * @param inputs those of {@link optimizerInputs}, among others
 * @param gradients by the names of all arrays, in their order
 * @returns the next `flat`, `m` and `v`
 */
export function optimizerUpdate(
  inputs: Tensors, budget: Pick<TrainingBudget, 'clip' | 'weightDecay'>, gradients: Tensors,
): Record<'flat' | 'm' | 'v', tf.Tensor> {
  const at = inputs as Record<keyof ReturnType<typeof optimizerInputs>, tf.Tensor>;
  const gradient = asVector(gradients);
  const norm = tf.sqrt(tf.sum(tf.square(gradient)));
  const clipped = gradient.mul(tf.minimum(tf.scalar(1), tf.div(budget.clip, norm.add(1e-6))));
  const m = at.m.mul(BETA1).add(clipped.mul(1 - BETA1));
  const v = at.v.mul(BETA2).add(tf.square(clipped).mul(1 - BETA2));
  const move = m.mul(at.first).div(tf.sqrt(v.mul(at.second)).add(EPSILON));
  return { flat: at.flat.sub(move.add(at.flat.mul(budget.weightDecay)).mul(at.rate)), m, v };
}

/**
 * Traced. One optimizer step: forward, gradients by all arrays, what is made of them, clipping and update.
 *
 * @param inputs those of {@link optimizerInputs}, among others
 * @param loss of the arrays as they are in the flat vector
 * @param made what to take in the place of the gradients, by the names of all arrays, in their order
 * @returns the next `flat`, `m` and `v`, and `loss` of shape [1]
 */
export function optimizerStep(
  inputs: Tensors, trained: Arrays, budget: Pick<TrainingBudget, 'clip' | 'weightDecay'>, loss: (parts: Tensors) => tf.Scalar,
  made: (found: Tensors, parts: Tensors) => Tensors = (found) => found,
): Record<'flat' | 'm' | 'v' | 'loss', tf.Tensor> {
  const parts = slices(inputs['flat'] as tf.Tensor1D, trained);
  const { value, gradients } = namedGradients(() => loss(parts), parts);
  return { ...optimizerUpdate(inputs, budget, made(gradients, parts)), loss: value.reshape([1]) };
}

/** What an optimizer keeps from one step to the next. */
export class OptimizerState {
  private flat: Float32Array;
  private m: Float32Array;
  private v: Float32Array;
  /** How many steps were taken. */
  private taken = 0;

  /** @param steps of the whole training, which the learning rate follows */
  constructor(trained: Arrays, private readonly steps: number, private readonly budget: RateBudget) {
    this.flat = flatten(trained);
    this.m = new Float32Array(this.flat.length);
    this.v = new Float32Array(this.flat.length);
  }

  /** All values as they are now. */
  get values(): Float32Array {
    return this.flat;
  }

  /** Values of {@link optimizerInputs} for the next step. */
  feeds(): Record<string, Values> {
    const { flat, m, v, taken, steps, budget } = this;
    const { first, second } = biasCorrections(taken + 1);
    return {
      flat, m, v, rate: Float32Array.of(learningRate(taken + 1, steps, budget)), first: Float32Array.of(first), second: Float32Array.of(second),
    };
  }

  /** Goes on with what {@link optimizerStep} gave. */
  take(out: Readonly<Record<string, Values>>): void {
    [this.flat, this.m, this.v] = [floats(out['flat']), floats(out['m']), floats(out['v'])];
    this.taken++;
  }
}
