import { isAbsolute, sep } from 'node:path';
import type { RunIdentity } from './results.js';

/** Whether a name that a user gave is a path: it has a separator, begins with a dot or ends as YAML and JSON files do. */
export function isPath(name: string): boolean {
  return isAbsolute(name) || name.startsWith('.') || name.includes('/') || name.includes(sep) || /\.(ya?ml|json)$/.test(name);
}

/** A word of a command line as a POSIX shell takes it for one. */
export const quoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** A model of the hub as it is named: `owner/name`, or `owner/name@revision`. */
export interface HubReference {
  readonly repo: string;
  /** A commit, or a branch or tag, whose commit is looked up once. */
  readonly revision: string;
}

const REFERENCE = /^(\w[\w.-]*\/\w[\w.-]*)(?:@(\w[\w./-]*))?$/;

/** Reads the name of a model of the hub; undefined for what is no such name. */
export function parseHubReference(text: string): HubReference | undefined {
  const [, repo, revision = 'main'] = REFERENCE.exec(text) ?? [];
  return repo === undefined || `${repo}/${revision}`.split('/').includes('..') ? undefined : { repo, revision };
}

/** What a table of runs of a suite is called: scores under other prompts are of another table. */
export const suiteLabel = ({ id, version, size, prompts }: RunIdentity['suite']): string =>
  `${id} ${version}, size ${size}${prompts === undefined ? '' : `, ${prompts} prompts`}`;
