import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { framesOf, lineOf } from '@lethe/core';

const TESTKIT = fileURLToPath(new URL('.', import.meta.url));
/** Folders of code that a method calls. */
const LENT = [TESTKIT, ...['@lethe/core', '@lethe/engine'].map((name) => fileURLToPath(new URL('.', import.meta.resolve(name))))];
const LIBRARY = `${sep}node_modules${sep}`;

/** `file:line` of the method's own code that an error came by, in its source where that is known; undefined where the stack does not say. */
export function callerOf(error: unknown): string | undefined {
  const frames = framesOf(error);
  // what stands outside of the testkit called it, and is not the method
  const outermost = frames.findLastIndex(({ file }) => file.startsWith(TESTKIT));
  const inner = outermost < 0 ? frames : frames.slice(0, outermost);
  const frame = inner.find(({ file }) => !file.includes(LIBRARY) && !LENT.some((folder) => file.startsWith(folder)));
  return frame && lineOf(frame);
}
