import type { Arrays, NdArray, Random, Tensors, TrainingBudget } from '@lethe/core';
import { LetheError } from '@lethe/core';
import type { Device, TensorSpec } from '@lethe/engine';
import { OptimizerState, countOf, flatten, optimizerInputs, optimizerStep, slices, unflatten } from '@lethe/harness';
import { type ModelConfig, hidden, layoutOf, logProbabilities } from '@lethe/model';
import * as tf from '@tensorflow/tfjs';
import { type Window, batchOf } from './corpus.js';

export interface Schedule extends Pick<TrainingBudget, 'learningRate' | 'warmup' | 'weightDecay' | 'clip'> {
  readonly epochs: number;
  /** Windows in one step. */
  readonly batch: number;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
  /** Mean negative log-likelihood of a token, in nats. */
  readonly loss: number;
}

const DEVIATION = 0.02;

/** Weights to start from: gains 1, matrices normal with deviation 0.02, those that write to the residual stream 1/sqrt(2 layers) of it. */
export function initialWeights(config: ModelConfig, random: Random): Arrays {
  return Object.fromEntries(layoutOf(config).map(({ name, shape }): [string, NdArray] => {
    const size = shape.reduce((product, n) => product * n, 1);
    if (shape.length === 1) return [name, { shape, data: new Float32Array(size).fill(1) }];
    const residual = name.endsWith('.o') || name.endsWith('.down');
    return [name, { shape, data: random.fork(name).normals(size, residual ? DEVIATION / Math.sqrt(2 * config.layers) : DEVIATION) }];
  }));
}

/** Compiles the mean loss of a batch of windows, and with `schedule` one AdamW step of all weights. */
function compile(device: Device, config: ModelConfig, weights: Arrays, batch: number, schedule?: Schedule) {
  const { maxPositions: context } = config;
  const grid: TensorSpec = { shape: [batch, context], dtype: 'int32' };
  const list: TensorSpec = { shape: [batch * context], dtype: 'int32' };
  const values: Record<string, TensorSpec> = schedule ? optimizerInputs(weights) : { flat: { shape: [countOf(weights)], dtype: 'float32' } };
  return device.compile({
    name: schedule ? 'pretrain-step' : 'pretrain-loss',
    inputs: { ids: grid, positions: grid, segments: grid, index: list, token: list, weight: { ...list, dtype: 'float32' }, ...values },
    compute: (inputs) => {
      const loss = (params: Tensors) => {
        const { ids, positions, segments } = inputs as Record<string, tf.Tensor2D>;
        const states = hidden(config, { ids: ids!, positions: positions!, segments: segments! }, params, null);
        const targets = { index: inputs['index'] as tf.Tensor1D, token: inputs['token'] as tf.Tensor1D };
        return tf.neg(tf.sum(tf.mul(logProbabilities(config, states, targets, params), inputs['weight']!))) as tf.Scalar;
      };
      return schedule ? optimizerStep(inputs, weights, schedule, loss) : { loss: loss(slices(inputs['flat'] as tf.Tensor1D, weights)).reshape([1]) };
    },
  });
}

/**
 * Trains all weights in place on windows of text, by AdamW with linear warm-up and decay, the windows shuffled anew each
 * epoch.
 *
 * @returns the mean loss on `heldOut` in nats a token, null where there is no full batch of it
 * @throws LETHE_ENGINE_NUMBERS for a loss that is not finite
 */
export async function trainWeights(
  device: Device, config: ModelConfig, weights: Arrays, windows: readonly Window[], heldOut: readonly Window[],
  schedule: Schedule, random: Random, onStep: (progress: Progress) => void,
): Promise<number | null> {
  const context = config.maxPositions;
  const perEpoch = Math.floor(windows.length / schedule.batch);
  const total = perEpoch * schedule.epochs;
  const program = await compile(device, config, weights, schedule.batch, schedule);
  const optimizer = new OptimizerState(weights, total, schedule);
  let step = 0;
  for (let epoch = 0; epoch < schedule.epochs; epoch++) {
    const shuffled = random.fork('shuffle', epoch).shuffle(windows);
    for (let i = 0; i < perEpoch; i++) {
      step++;
      const chosen = shuffled.slice(i * schedule.batch, (i + 1) * schedule.batch);
      const out = await program.run({ ...batchOf(chosen, context), ...optimizer.feeds() });
      const loss = out['loss']![0]!;
      if (!Number.isFinite(loss)) {
        throw new LetheError('LETHE_ENGINE_NUMBERS', `The loss is ${loss} at step ${step} of ${total}.`, { remedy: 'Lower --rate.' });
      }
      optimizer.take(out);
      onStep({ done: step, total, loss });
    }
  }
  await program.dispose();
  unflatten(optimizer.values, weights);
  return evaluate(device, config, weights, heldOut, schedule.batch);
}

async function evaluate(device: Device, config: ModelConfig, weights: Arrays, windows: readonly Window[], batch: number): Promise<number | null> {
  const program = await compile(device, config, weights, batch);
  const flat = flatten(weights);
  let [sum, batches] = [0, 0];
  for (let at = 0; at + batch <= windows.length; at += batch, batches++) {
    sum += (await program.run({ ...batchOf(windows.slice(at, at + batch), config.maxPositions), flat }))['loss']![0]!;
  }
  await program.dispose();
  return batches > 0 ? sum / batches : null;
}
