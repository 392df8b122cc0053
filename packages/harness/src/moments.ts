import type { Arrays, NdArray, Row } from '@lethe/core';
import type { Device } from '@lethe/engine';
import * as tf from '@tensorflow/tfjs';
import { batchInputs, batchOf, countTokens, floats, taskFeeds } from './batch.js';
import { type Forward, rowsAtOnce } from './loss.js';
import { overBatches } from './over-batches.js';
import { trainingShape } from './packing.js';
import { PARAMS, adaptWith, arrayFeeds, arrayInputs, arrayTensors, createScope, paramsOf, withPrefix } from './scope.js';

const BATCH = 16;

/**
 * The moments that `MethodHost.moments` gives, over these rows: a compiled program sums them over each batch, and the sums are
 * added up in float64. Every token counts, those of the last layer that nothing reads afterwards too.
 *
 * @param task for methods that are told the task
 * @param wanted sites of the learner whose moments are wanted
 */
export async function inputMoments(device: Device, forward: Forward, rows: readonly Row[], task: number, wanted = forward.sites): Promise<Arrays> {
  const { learner, model, sites, told = false } = forward;
  const names = new Set(wanted.map(({ name }) => name));
  const params = paramsOf(learner);
  const { tokenizer } = model;
  const shape = trainingShape(tokenizer, rows, rows, rowsAtOnce(forward, BATCH));
  /** By the name of a site the first site that reads the same input. */
  const firstReader = new Map<string, string>();
  const outputs = overBatches(device, {
    name: 'moments',
    inputs: { ...batchInputs(shape, false, told), ...arrayInputs(params, PARAMS) },
    constants: model.weights,
    compute: (inputs, weights) => {
      const batch = batchOf(inputs);
      const scope = createScope({
        params: arrayTensors(params, PARAMS, inputs), training: true, batch: shape.batch, features: () => model.features(batch, weights), weights,
        task: inputs['task'] as tf.Tensor1D | undefined,
      });
      const countsOf = (segments: tf.Tensor2D) => tf.cast(tf.greater(segments, 0), 'float32').reshape([-1, 1]); // (batch * tokens, 1): 0 for padding
      const own = countsOf(batch.segments);
      const source = batch.source ? countsOf(batch.source.segments) : own;
      const sums: Record<string, tf.Tensor> = {};
      const known = new Map<tf.Tensor, string>();
      const adapt = adaptWith(learner, sites, scope, () => undefined);
      model.hidden(withPrefix(learner, scope, batch, model.config.hiddenSize), weights, (site, x) => {
        if (names.has(site.name)) {
          const first = known.get(x) ?? site.name;
          firstReader.set(site.name, first);
          known.set(x, first);
          if (first === site.name) {
            // virtual tokens stand before the prompt, which is where an encoder reads it
            const text = learner.virtualTokens && (site.source || !batch.source) ? x.slice([0, learner.virtualTokens, 0]) : x;
            const flat = text.reshape([-1, site.in]).mul(site.source ? source : own) as tf.Tensor2D;
            sums[first] = tf.matMul(flat, flat, true, false); // (in, in)
          }
        }
        return adapt!(site, x);
      });
      return sums;
    },
  }, tokenizer, rows, shape, { ...taskFeeds(shape, task, told), ...arrayFeeds(params, PARAMS) });
  const totals = new Map<string, Float64Array>();
  const tokens = { own: 0, source: 0 };
  for await (const { packed, out } of outputs) {
    tokens.own += countTokens(packed.segments);
    if (packed.source) tokens.source += countTokens(packed.source.segments);
    for (const name of new Set(firstReader.values())) {
      const sum = floats(out[name]);
      const total = totals.get(name) ?? new Float64Array(sum.length);
      for (let i = 0; i < sum.length; i++) total[i]! += sum[i]!;
      totals.set(name, total);
    }
  }
  const means = new Map<string, NdArray>();
  return Object.fromEntries(wanted.map((site) => {
    const first = firstReader.get(site.name)!;
    const count = site.source ? tokens.source : tokens.own;
    // sites that read the same input share one array
    const mean = means.get(first) ?? { shape: [site.in, site.in], data: quotients(totals.get(first)!, count) };
    means.set(first, mean);
    totals.delete(first); // those of a large model are gigabytes
    return [site.name, mean];
  }));
}

/** Each sum by the divisor: `Float32Array.from` with a function takes some forty times as long over the millions of entries of moments. */
function quotients(sums: Float64Array, divisor: number): Float32Array {
  const all = new Float32Array(sums.length);
  for (let i = 0; i < all.length; i++) all[i] = sums[i]! / divisor;
  return all;
}
