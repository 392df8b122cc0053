import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const ENGINE = fileURLToPath(new URL('.', import.meta.url));
const LIBRARY = `${sep}node_modules${sep}`;

/** `file:line` of the code outside of the engine and its libraries that led to an error; undefined when the stack does not say. */
export function callerOf(error: unknown): string | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  for (const [, location, line] of stack.matchAll(/\(?((?:file:\/\/)?\/?[^\s()]+):(\d+):\d+\)?$/gm)) {
    const file = location!.startsWith('file:') ? fileURLToPath(location!) : location!;
    if (!file.startsWith('node:') && !file.includes(LIBRARY) && !file.startsWith(ENGINE)) return `${file}:${line}`;
  }
  return undefined;
}
