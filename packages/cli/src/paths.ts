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

/** {@link here} as a word of a command line, for commands that are to be typed: none that would be taken for a flag. */
export const typed = (path: string): string => quoted(here(path).replace(/^-/, './-'));

/** Whether one stands in the folder of this installation. */
export const inRoot = (): boolean => here(PATHS.root) === '.';

/** The folder of this installation as a flag of npm, where one does not stand in it. */
const prefix = (): string => (inRoot() ? '' : `--prefix ${typed(PATHS.root)} `);

/** A script of this installation as one would type it here, whether `lethe` is on the path or not. */
export const npmRun = (script: string): string => `npm ${prefix()}run ${script}`;

/** A tool that is installed with it, likewise: from elsewhere, npx would look for one on the network. */
export const tool = (command: string): string => (inRoot() ? `npx ${command}` : `npm ${prefix()}exec -- ${command}`);
