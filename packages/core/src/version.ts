import { readFileSync } from 'node:fs';
import semver from 'semver';

/** The version of Lethe: results name it and plugins are checked against it. */
export const LETHE_VERSION: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

/** For things with an id and a version: whether a newer version of the same thing is among them. */
export function outdatedAmong(things: readonly Versioned[]): (thing: Versioned) => boolean {
  return ({ id, version }) => things.some((other) => other.id === id && semver.gt(other.version, version));
}

interface Versioned {
  readonly id: string;
  readonly version: string;
}
