import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { isFolder } from './places.js';

/**
 * Makes a folder, with those above it that are not there. Node's own way (`recursive`) tries for ever where a file system takes no folder and says
 * that there is none above it, as that of /proc does.
 *
 * @throws what the file system throws (ENOENT, EACCES, EEXIST for a file, …), with `path`
 */
export function makeFolder(path: string): void {
  if (isFolder(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // another process was faster
    if (!isFolder(path)) throw error;
  }
}
