import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type PluginPlace, isFolder } from '@lethe/core';
import { PATHS, npmRun, tool, typed } from './paths.js';

/** A module that was changed after it was built, and the command that builds it. */
export interface Stale {
  readonly source: string;
  readonly command: string;
}

/**
 * The first module of a plugin that was changed after it was built, as far as the times of files tell; undefined where none was. It is no error:
 * the times of files that were copied, or checked out again, say nothing of what is in them.
 */
export function newerSource({ file, codePath }: PluginPlace): Stale | undefined {
  const folder = dirname(file);
  const time = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  // of sources that were touched and are the same, the compiler writes no code anew, but that it has looked
  const looked = Math.max(...['.', '..'].map((at) => time(join(dirname(codePath), at, 'tsconfig.tsbuildinfo'))));
  const sources = [folder, join(folder, 'src')].filter(isFolder).flatMap((at) => readdirSync(at).map((name) => join(at, name)));
  const source = sources.filter((name) => /(?<!\.d|\.test)\.ts$/.test(name)).find((name) => {
    const built = time(join(dirname(codePath), basename(name).replace(/ts$/, 'js')));
    return built > 0 && time(name) > Math.max(built, looked);
  });
  return source === undefined ? undefined : { source, command: dirname(resolve(folder)) === PATHS.plugins ? npmRun('build') : tool(`tsc -p ${typed(folder)}`) };
}
