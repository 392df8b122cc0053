import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where downloaded files are kept: `LETHE_CACHE`, or else `lethe` in the cache folder of the user. Absolute. */
export function cacheFolder(): string {
  const { LETHE_CACHE, XDG_CACHE_HOME } = process.env;
  if (LETHE_CACHE) return resolve(LETHE_CACHE);
  return join(XDG_CACHE_HOME ? resolve(XDG_CACHE_HOME) : join(homedir(), '.cache'), 'lethe');
}
