import { readFileSync } from 'node:fs';

/** The version of Lethe: results name it and plugins are checked against it. */
export const LETHE_VERSION: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
