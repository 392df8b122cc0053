import { LetheError, sizeOf } from '@lethe/core';
import { type ProgramDefinition, inputsRead } from '@lethe/engine';
import { batchInputs } from './batch.js';
import { type Forward, targetLogProbabilities } from './loss.js';
import { scoringShapes } from './packing.js';
import { arrayInputs, arrayTensors } from './scope.js';

const PARAMS = 'params.';

/**
 * The number of parameters that predictions read besides those of the model: the sizes of the learner's arrays that reach a
 * prediction. What only training reads (the anchor of a penalty, its Fisher information, the bases of a projection) is not among
 * them, whatever array the method keeps it in.
 */
export function addedParameters(forward: Forward): number {
  const { learner, model } = forward;
  const params = { ...learner.frozen, ...learner.trainable };
  const row = { prompt: [model.tokenizer.endOfText], options: [[model.tokenizer.endOfText]], answer: 0 };
  const shape = scoringShapes(model.tokenizer, [row], 1)([row]);
  const read = readBy({
    name: 'count',
    inputs: { ...batchInputs(shape, false, forward.told ?? false), ...arrayInputs(params, PARAMS) },
    constants: model.weights,
    compute: (inputs, weights) => ({ logp: targetLogProbabilities(forward, inputs, weights, arrayTensors(params, PARAMS, inputs), false).logp }),
  });
  return Object.entries(params).reduce((sum, [name, { shape: of }]) => sum + (read.has(PARAMS + name) ? sizeOf(of) : 0), 0);
}

/** On a device that runs op by op a method may use what the compiler does not know: all that it is given then counts as read. */
function readBy(definition: ProgramDefinition): ReadonlySet<string> {
  try {
    return inputsRead(definition);
  } catch (error) {
    if (error instanceof LetheError && error.code === 'LETHE_ENGINE_KERNEL') return new Set(Object.keys(definition.inputs));
    throw error;
  }
}
