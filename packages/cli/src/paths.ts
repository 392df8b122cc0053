import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { quoted } from '@lethe/core';

const at = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));

/** Where the parts of this installation lie. Absolute. */
export const PATHS = {
  root: at('.'),
  plugins: at('plugins'),
  templates: at('packages/testkit'),
  coreSchemas: at('packages/core/schemas'),
  suites: at('suites'),
  builtSuites: at('dist/suites'),
  models: at('packages/model'),
  entries: at('leaderboard/entries'),
  site: at('leaderboard/site'),
} as const;

/** A path as one would type it here. */
export function here(path: string): string {
  const short = relative('.', path) || '.';
  return short.startsWith('..') ? resolve(path) : short;
}

/** {@link here} as a word of a command line, for commands that are to be typed. */
export const typed = (path: string): string => quoted(here(path));
