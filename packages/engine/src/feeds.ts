import { LetheError, didYouMean, sizeOf } from '@lethe/core';
import { ARRAY, type TensorSpec, type Values } from './types.js';

/** Throws LETHE_ENGINE_INPUT unless `feeds` has exactly the inputs of a program, each of its length and type. */
export function checkFeeds(
  program: string,
  inputs: Readonly<Record<string, TensorSpec>>,
  feeds: Readonly<Record<string, Values>>,
): void {
  const known = Object.keys(inputs);
  for (const name of Object.keys(feeds))
    if (!Object.hasOwn(inputs, name))
      throw new LetheError('LETHE_ENGINE_INPUT', `Program "${program}" has no input "${name}".${didYouMean(name, known)}`, {
        where: program,
        remedy: `Give: ${known.join(', ')}.`,
      });
  for (const [name, { shape, dtype }] of Object.entries(inputs)) {
    const given = feeds[name];
    const wanted = `${dtype} of shape [${shape.join(', ')}] (${ARRAY[dtype].name} of ${sizeOf(shape)})`;
    if (given instanceof ARRAY[dtype] && given.length === sizeOf(shape)) continue;
    const got = given === undefined ? 'nothing' : `${given.constructor.name} of ${given.length}`;
    throw new LetheError('LETHE_ENGINE_INPUT', `Input "${name}" of program "${program}" is ${wanted}, but got ${got}.`, {
      where: program,
      remedy: `Give "${name}" as ${wanted}.`,
    });
  }
}
