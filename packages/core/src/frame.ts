import { realpathSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A place in a file that an error came by. */
export interface Frame {
  /** Absolute. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** A line of a stack: `at name (place)`, `at async place`, or in the first line the place of a syntax error alone. */
const PLACE = /^(?:\s+at (?:.*? \(|async )?)?(.+?)(?:\?[^:]*)?:(\d+)(?::\d+)?\)?$/;

/** The places in files that the stack of an error names, innermost first; none for what is no error. */
export function framesOf(error: unknown): Frame[] {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  return stack.split('\n').flatMap((text, i): Frame[] => {
    const [, place, line] = (i === 0 || /^\s+at /.test(text) ? PLACE.exec(text) : null) ?? [];
    if (place === undefined) return [];
    const file = place.startsWith('file:///') ? fileURLToPath(place) : place;
    return isAbsolute(file) ? [{ file, line: Number(line) }] : [];
  });
}

/**
 * Where an error came out of the code of a folder, as `path:line`; undefined where neither its stack nor that of its cause says. What lies
 * in a node_modules of the folder is not its own.
 */
export function frameWithin(error: unknown, folder: string): string | undefined {
  const roots = [resolve(folder)];
  // Node names modules by where links lead
  try { roots.push(realpathSync(folder)); } catch { /* a folder that is gone has no links */ }
  const own = framesOf(error).find(({ file }) => roots.some((root) => {
    const path = relative(root, file);
    return !isAbsolute(path) && !path.split(sep).some((part) => part === '..' || part === 'node_modules');
  }));
  if (own) return `${own.file}:${own.line}`;
  return error instanceof Error && error.cause !== undefined ? frameWithin(error.cause, folder) : undefined;
}
