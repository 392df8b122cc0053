import { LetheError } from '@lethe/core';
import { type ProgramDefinition, inputsRead } from '@lethe/engine';
import { scoringProgram } from './evaluate.js';
import { countOf } from './flat.js';
import type { Forward } from './loss.js';
import { scoringShapes } from './packing.js';
import { PARAMS, paramsOf } from './scope.js';

/**
 * The number of parameters that predictions read besides those of the model: the sizes of the learner's arrays that reach a
 * prediction. What only training reads (the anchor of a penalty, its Fisher information, the bases of a projection) is not among
 * them, whatever array the method keeps it in.
 */
export function addedParameters(forward: Forward): number {
  const { tokenizer } = forward.model;
  const row = { prompt: [tokenizer.endOfText], options: [[tokenizer.endOfText]], answer: 0 };
  const read = readBy(scoringProgram(forward, scoringShapes(tokenizer, [row], 1)([row])));
  return countOf(Object.fromEntries(Object.entries(paramsOf(forward.learner)).filter(([name]) => read.has(PARAMS + name))));
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
