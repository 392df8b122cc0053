import type { Arrays, NdArray, Random, TrainingBudget } from '@lethe/core';
import { LetheError } from '@lethe/core';
import { valueAndGradients } from '@lethe/core/tensor';
import type { Device, TensorSpec } from '@lethe/engine';
import { adamW, biasCorrections, countOf, flatten, learningRate, slices, unflatten } from '@lethe/harness';
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
const SCALAR: TensorSpec = { shape: [], dtype: 'float32' };

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
  const vector: TensorSpec = { shape: [countOf(weights)], dtype: 'float32' };
  const moments = schedule ? { m: vector, v: vector, rate: SCALAR, first: SCALAR, second: SCALAR } : {};
  return device.compile({
    name: schedule ? 'pretrain-step' : 'pretrain-loss',
    inputs: { ids: grid, positions: grid, segments: grid, index: list, token: list, weight: { ...list, dtype: 'float32' }, flat: vector, ...moments },
    compute: (inputs) => {
      const loss = (params: Record<string, tf.Tensor>) => {
        const { ids, positions, segments } = inputs as Record<string, tf.Tensor2D>;
        const states = hidden(config, { ids: ids!, positions: positions!, segments: segments! }, params, null);
        const targets = { index: inputs['index'] as tf.Tensor1D, token: inputs['token'] as tf.Tensor1D };
        return tf.neg(tf.sum(tf.mul(logProbabilities(config, states, targets, params), inputs['weight']!))) as tf.Scalar;
      };
      const parts = slices(inputs['flat'] as tf.Tensor1D, weights);
      if (!schedule) return { loss: loss(parts).reshape([1]) };
      const { value, gradients } = valueAndGradients(() => loss(parts), Object.values(parts));
      const { flat, m, v, rate, first, second } = inputs as Record<string, tf.Tensor>;
      const at = { flat: flat!, m: m!, v: v!, rate: rate!, first: first!, second: second! };
      return { ...adamW(at, tf.concat(gradients.map((g) => g.reshape([-1]))), schedule), loss: value.reshape([1]) };
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
  let flat: Float32Array = flatten(weights);
  let m: Float32Array = new Float32Array(flat.length);
  let v: Float32Array = new Float32Array(flat.length);
  let step = 0;
  for (let epoch = 0; epoch < schedule.epochs; epoch++) {
    const shuffled = random.fork('shuffle', epoch).shuffle(windows);
    for (let i = 0; i < perEpoch; i++) {
      step++;
      const bias = biasCorrections(step);
      const out = await program.run({
        ...batchOf(shuffled.slice(i * schedule.batch, (i + 1) * schedule.batch), context), flat, m, v,
        rate: Float32Array.of(learningRate(step, total, schedule)), first: Float32Array.of(bias.first), second: Float32Array.of(bias.second),
      });
      const loss = out['loss']![0]!;
      if (!Number.isFinite(loss)) {
        throw new LetheError('LETHE_ENGINE_NUMBERS', `The loss is ${loss} at step ${step} of ${total}.`, { remedy: 'Lower --rate.' });
      }
      [flat, m, v] = [out['flat'] as Float32Array, out['m'] as Float32Array, out['v'] as Float32Array];
      onStep({ done: step, total, loss });
    }
  }
  await program.dispose();
  unflatten(flat, weights);
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
