import type { Arrays, NdArray, Row } from '@lethe/core';
import type { Device } from '@lethe/engine';
import * as tf from '@tensorflow/tfjs';
import { batchInputs, floats, taskFeeds } from './batch.js';
import { type Forward, batchOf } from './loss.js';
import { overBatches } from './over-batches.js';
import { trainingShape } from './packing.js';
import { adaptWith, arrayFeeds, arrayInputs, arrayTensors, createScope, withPrefix } from './scope.js';

const PARAMS = 'params.';
const BATCH = 16;

/**
 * The moments that `MethodHost.moments` gives, over these rows: a compiled program sums them over each batch, and the sums are
 * added up in float64. Every token counts, those of the last layer that nothing reads afterwards too.
 *
 * @param task for methods that are told the task
 */
export async function inputMoments(device: Device, forward: Forward, rows: readonly Row[], task: number): Promise<Arrays> {
  const { learner, model, sites, told = false } = forward;
  const params: Arrays = { ...learner.frozen, ...learner.trainable };
  const shape = trainingShape(rows, rows, BATCH);
  /** By the name of a site the first site that reads the same input. */
  const firstReader = new Map<string, string>();
  const outputs = overBatches(device, {
    name: 'moments',
    inputs: { ...batchInputs(shape, false, told), ...arrayInputs(params, PARAMS) },
    constants: model.weights,
    compute: (inputs, weights) => {
      const batch = batchOf(inputs);
      const scope = createScope({
        params: arrayTensors(params, PARAMS, inputs), training: true, batch: shape.batch, features: () => model.features(batch, weights),
        task: inputs['task'] as tf.Tensor1D | undefined,
      });
      const counts = tf.cast(tf.greater(batch.segments, 0), 'float32').reshape([-1, 1]); // (batch * tokens, 1): 0 for padding
      const sums: Record<string, tf.Tensor> = {};
      const known = new Map<tf.Tensor, string>();
      const adapt = adaptWith(learner, sites, scope, () => undefined);
      model.hidden(withPrefix(learner, scope, batch), weights, (site, x) => {
        if (sites.some(({ name }) => name === site.name)) {
          const first = known.get(x) ?? site.name;
          firstReader.set(site.name, first);
          known.set(x, first);
          if (first === site.name) {
            const text = learner.virtualTokens ? x.slice([0, learner.virtualTokens, 0]) : x;
            const flat = text.reshape([-1, site.in]).mul(counts) as tf.Tensor2D;
            sums[first] = tf.matMul(flat, flat, true, false); // (in, in)
          }
        }
        return adapt!(site, x);
      });
      return sums;
    },
  }, rows, shape, model.tokenizer.endOfText, { ...taskFeeds(shape, task, told), ...arrayFeeds(params, PARAMS) });
  const totals = new Map<string, Float64Array>();
  let tokens = 0;
  for await (const { packed: { segments }, out } of outputs) {
    tokens += segments.reduce((count, segment) => count + (segment > 0 ? 1 : 0), 0);
    for (const name of new Set(firstReader.values())) {
      const sum = floats(out[name]);
      const total = totals.get(name) ?? new Float64Array(sum.length);
      sum.forEach((v, i) => (total[i]! += v));
      totals.set(name, total);
    }
  }
  const means = new Map([...totals].map(([name, total]): [string, NdArray] => {
    const size = Math.sqrt(total.length);
    return [name, { shape: [size, size], data: Float32Array.from(total, (v) => v / tokens) }];
  }));
  return Object.fromEntries(sites.map(({ name }) => [name, means.get(firstReader.get(name)!)!]));
}
