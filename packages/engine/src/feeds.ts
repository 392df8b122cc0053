import { LetheError, didYouMean, sizeOf } from '@lethe/core';
import { ARRAY, type ProgramDefinition, type TensorSpec, type Values } from './types.js';

/** Throws LETHE_ENGINE_INPUT unless what is given as `name` has the type and length of a tensor. */
function check(kind: 'Input' | 'Constant', name: string, program: string, { shape, dtype }: TensorSpec, given: Values | undefined): void {
  if (given instanceof ARRAY[dtype] && given.length === sizeOf(shape)) return;
  const wanted = `${dtype} of shape [${shape.join(', ')}] (${ARRAY[dtype].name} of ${sizeOf(shape)})`;
  const got = given === undefined ? 'nothing' : `${given.constructor.name} of ${given.length}`;
  throw new LetheError('LETHE_ENGINE_INPUT', `${kind} "${name}" of program "${program}" is ${wanted}, but got ${got}.`, {
    where: program,
    remedy: `Give "${name}" as ${wanted}.`,
  });
}

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
  for (const [name, spec] of Object.entries(inputs)) check('Input', name, program, spec, feeds[name]);
}

/** Throws LETHE_ENGINE_INPUT unless the constants of a program are what they say: their bytes are taken as they are. Those in files are left unread. */
export function checkConstants({ name: program, constants = {} }: ProgramDefinition): void {
  for (const [name, constant] of Object.entries(constants)) if (!constant.stored) check('Constant', name, program, constant, constant.data);
}
