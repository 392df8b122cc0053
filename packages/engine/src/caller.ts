import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { framesOf, lineOf } from '@lethe/core';

const ENGINE = fileURLToPath(new URL('.', import.meta.url));
const LIBRARY = `${sep}node_modules${sep}`;

/** Frames of TensorFlow.js between a call and its kernel, with its gradient scopes: the stack must reach the caller. */
export const STACK_DEPTH = 100;

/** `file:line` of the code outside of the engine and its libraries that led to an error; undefined when the stack does not say. */
export function callerOf(error: unknown): string | undefined {
  const frame = framesOf(error).find(({ file }) => !file.includes(LIBRARY) && !file.startsWith(ENGINE));
  return frame && lineOf(frame);
}
