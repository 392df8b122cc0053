import type { TrainingBudget } from '@lethe/core';
import * as tf from '@tensorflow/tfjs';

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/** The learning rate of a step (1 to `steps`): linear warm-up over `warmup * steps`, then linear decay towards 0. */
export function learningRate(step: number, steps: number, budget: Pick<TrainingBudget, 'learningRate' | 'warmup'>): number {
  const rise = Math.round(budget.warmup * steps);
  if (step <= rise) return (budget.learningRate * step) / rise;
  return (budget.learningRate * (steps - step + 1)) / (steps - rise);
}

/** Factors that undo the bias of the moments, which start at zero (Kingma and Ba 2015, arXiv 1412.6980, algorithm 1). */
export function biasCorrections(step: number): { first: number; second: number } {
  return { first: 1 / (1 - BETA1 ** step), second: 1 / (1 - BETA2 ** step) };
}

export interface OptimizerTensors {
  readonly flat: tf.Tensor;
  readonly m: tf.Tensor;
  readonly v: tf.Tensor;
  readonly rate: tf.Tensor;
  readonly first: tf.Tensor;
  readonly second: tf.Tensor;
}

/**
 * Traced. One AdamW update of the flat vector (Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2), after
 * clipping the gradient by its global norm.
 */
export function adamW(
  at: OptimizerTensors, gradient: tf.Tensor, budget: Pick<TrainingBudget, 'clip' | 'weightDecay'>,
): Record<'flat' | 'm' | 'v', tf.Tensor> {
  const norm = tf.sqrt(tf.sum(tf.square(gradient)));
  const clipped = gradient.mul(tf.minimum(tf.scalar(1), tf.div(budget.clip, norm.add(1e-6))));
  const m = at.m.mul(BETA1).add(clipped.mul(1 - BETA1));
  const v = at.v.mul(BETA2).add(tf.square(clipped).mul(1 - BETA2));
  const move = m.mul(at.first).div(tf.sqrt(v.mul(at.second)).add(EPSILON));
  return { flat: at.flat.sub(move.add(at.flat.mul(budget.weightDecay)).mul(at.rate)), m, v };
}
