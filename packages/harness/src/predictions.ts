import type { NdArray, Row } from '@lethe/core';
import type { Device } from '@lethe/engine';
import { batchInputs, floats, taskFeeds } from './batch.js';
import { type Forward, rowsAtOnce, targetLogProbabilities } from './loss.js';
import { overBatches } from './over-batches.js';
import { trainingShape } from './packing.js';
import { PARAMS, arrayFeeds, arrayInputs, arrayTensors, paramsOf } from './scope.js';

const BATCH = 8;

/**
 * What `MethodHost.predictions` gives for these rows.
 *
 * @param task for methods that are told the task
 */
export async function answerPredictions(device: Device, forward: Forward, rows: readonly Row[], task: number): Promise<readonly NdArray[]> {
  const { learner, model, told = false } = forward;
  const params = paramsOf(learner);
  const { tokenizer, config: { vocabSize } } = model;
  const shape = trainingShape(tokenizer, rows, rows, rowsAtOnce(forward, BATCH));
  const outputs = overBatches(device, {
    name: 'predictions',
    inputs: { ...batchInputs(shape, false, told), ...arrayInputs(params, PARAMS) },
    constants: model.weights,
    compute: (inputs, weights) => {
      const { scope } = targetLogProbabilities(forward, inputs, weights, arrayTensors(params, PARAMS, inputs), false);
      return { logp: scope.predictions().logp };
    },
  }, tokenizer, rows, shape, { ...taskFeeds(shape, task, told), ...arrayFeeds(params, PARAMS) });
  const predicted: NdArray[] = [];
  for await (const { rows: batch, out } of outputs) {
    const logp = floats(out['logp']);
    batch.forEach(({ answer }, row) => {
      const [from, places] = [row * (shape.targets / shape.batch) * vocabSize, answer.length + 1];
      predicted.push({ shape: [places, vocabSize], data: logp.slice(from, from + places * vocabSize) });
    });
  }
  return predicted;
}
