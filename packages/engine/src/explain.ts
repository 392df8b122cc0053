import * as tf from '@tensorflow/tfjs';
import { LetheError } from '@lethe/core';
import { callerOf } from './caller.js';

/** What is wrong where a function uses a tensor of an earlier pass, of itself or of another program: it is gone, or means nothing here. */
export function stray(program: string, where: string | undefined, cause?: unknown): LetheError {
  return new LetheError('LETHE_ENGINE_TRACE', `Program "${program}" uses a tensor that an earlier pass or another program made.`, {
    where: where ?? program,
    remedy: 'Make tensors inside the traced function, anew in every pass, and keep plain arrays between passes, or give them as inputs.',
    cause,
  });
}

/** What backends that run op by op say of a tensor that is gone. */
const GONE = /^Error: Tensor is disposed|^TypeError: [^\n]*reading 'backend'\)\n\s+at \S*moveData/;

/**
 * An error of TensorFlow.js about a kernel or gradient that is not there, as LETHE_ENGINE_KERNEL with the line that called it, about a tensor
 * that is gone as LETHE_ENGINE_TRACE;
 * any other error as it is.
 * @param who what has no kernel: the compiler, or a device
 */
export function explain(error: unknown, program: string, who: string): unknown {
  // an architecture of a plugin says that it threw, and keeps what
  const source = error instanceof LetheError && error.cause instanceof Error ? error.cause : error;
  const text = String(source);
  if (source instanceof Error && GONE.test(source.stack ?? '')) return stray(program, callerOf(source), error);
  const where = callerOf(source) ?? program;
  const missing = /[Kk]ernel '(\w+)' not registered/.exec(text)?.[1];
  if (missing !== undefined) {
    return new LetheError('LETHE_ENGINE_KERNEL', `${who} has no kernel for ${missing}, which program "${program}" uses.`, {
      where,
      remedy:
        `Write the function with other operations, or add ${missing} to a family in packages/engine/src/kernels and ` +
        'a case to its tests.',
      cause: error,
    });
  }
  const flat = /gradient function not found for (\w+)/.exec(text)?.[1];
  if (flat !== undefined) {
    return new LetheError(
      'LETHE_ENGINE_KERNEL',
      `TensorFlow.js has no gradient of ${flat}, which program "${program}" differentiates.`,
      {
        where,
        remedy: 'Write the function with other operations, or give the gradient with tf.customGrad.',
        cause: error,
      },
    );
  }
  return error;
}

/** The named results of a program's function. Throws LETHE_ENGINE_TRACE for none, and for one that is not a tensor, a promise above all. */
export function tensorsOf(result: Readonly<Record<string, tf.Tensor>>, program: string): [string, tf.Tensor][] {
  const refuse = (what: string): never => {
    throw new LetheError('LETHE_ENGINE_TRACE', `${what} of program "${program}" is a promise, or holds no tensor.`, {
      where: program,
      remedy: 'Return tensors by their names, from a function without async and await.',
    });
  };
  const promises = [result as unknown, ...Object.values(result ?? {})].filter((each) => each instanceof Promise);
  // a function that waited goes on outside of the trace and fails there: a rejection that nobody handles would end the process
  for (const promise of promises) promise.catch(() => undefined);
  if (promises.includes(result as unknown as Promise<unknown>) || Object.keys(result ?? {}).length === 0) refuse('The result');
  return Object.entries(result).map(([name, value]) => (value instanceof tf.Tensor ? [name, value] : refuse(`Output "${name}"`)));
}
