import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A place in a file that an error came by. */
export interface Frame {
  /** Absolute. */
  readonly file: string;
  /** From 1, as is the column. */
  readonly line: number;
  readonly column: number;
}

/** A line of a stack: `at name (place)`, `at async place`, or in the first line the place of a syntax error alone. */
const PLACE = /^(?:\s+at (?:.*? \(|async )?)?(.+?)(?:\?[^:]*)?:(\d+)(?::(\d+))?\)?$/;

/** The places in files that the stack of an error names, innermost first; none for what is no error. */
export const framesOf = (error: unknown): Frame[] => (error instanceof Error ? framesIn(error.stack ?? '') : []);

/** {@link framesOf} of what Node writes of an error. */
export function framesIn(stack: string): Frame[] {
  return stack.split('\n').flatMap((text, i): Frame[] => {
    const [, place, line, column = '1'] = (i === 0 || /^\s+at /.test(text) ? PLACE.exec(text) : null) ?? [];
    if (place === undefined) return [];
    const file = place.startsWith('file:///') ? fileURLToPath(place) : place;
    return isAbsolute(file) ? [{ file, line: Number(line), column: Number(column) }] : [];
  });
}

/** A place as `path:line`: in the source that its line was compiled from, where the compiler left a map beside the file. */
export function lineOf({ file, line, column }: Frame): string {
  try {
    const map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')) as ConstructorParameters<typeof SourceMap>[0]);
    const entry = map.findEntry(line - 1, column - 1);
    const source = 'originalSource' in entry ? resolve(dirname(file), entry.originalSource) : '';
    // a package is published with maps and without sources at times
    if ('originalLine' in entry && existsSync(source)) return `${source}:${entry.originalLine + 1}`;
  } catch { /* no map, or none that can be read: the compiled line is what is known */ }
  return `${file}:${line}`;
}

/**
 * Where an error came out of the code of a folder, as `path:line`: what threw first, its cause, is asked before whoever passed that on; undefined
 * where no stack says. What lies in a node_modules of the folder is not its own.
 */
export function frameWithin(error: unknown, folder: string): string | undefined {
  const first = error instanceof Error && error.cause !== undefined ? frameWithin(error.cause, folder) : undefined;
  if (first !== undefined) return first;
  const roots = [resolve(folder)];
  // Node names modules by where links lead
  try { roots.push(realpathSync(folder)); } catch { /* a folder that is gone has no links */ }
  const own = framesOf(error).find(({ file }) => roots.some((root) => {
    const path = relative(root, file);
    return !isAbsolute(path) && !path.split(sep).some((part) => part === '..' || part === 'node_modules');
  }));
  return own && lineOf(own);
}
