import { isAbsolute, sep } from 'node:path';
import type { Capabilities } from './manifest.js';
import type { RunIdentity } from './results.js';
import type { BudgetChange } from './suite.js';

/** Whether a name that a user gave is a path: it has a separator, begins with a dot or ends as YAML and JSON files do. */
export function isPath(name: string): boolean {
  return isAbsolute(name) || name.startsWith('.') || name.includes('/') || name.includes(sep) || /\.(ya?ml|json)$/.test(name);
}

/** A word of a command line as a POSIX shell takes it for one. */
export const quoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** Devices as a command line names them: the first, with the other GPUs where it is one of several (`cuda:0,cuda:1`). */
export function deviceWords(devices: readonly string[]): string {
  const kind = (name: string | undefined) => name?.replace(/:\d+$/, '');
  return [...new Set(devices.filter((name) => kind(name) === kind(devices[0])))].sort().join(',');
}

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

/** What a method declares that sets its terms apart from those of one that has nothing but the rows at hand, as `keeps rows`. */
export const marksOf = ({ bound, rehearsal, pseudoRehearsal, taskIdentity }: Capabilities): string[] =>
  [...(bound ? ['bound'] : []), ...(rehearsal ? ['keeps rows'] : []), ...(pseudoRehearsal ? ['writes rows'] : []), ...(taskIdentity ? ['told the task'] : [])];

/** The fields of a budget, each as `rank 48`. */
export const budgetWords = (budget: BudgetChange): string[] => Object.entries(budget).map(([name, value]) => `${name} ${[value].flat().join(' ')}`);

/** What sets runs of a suite apart from others of its size, as `leaky prompts` and `rank 48`: each has a table of its own. */
export const departuresOf = ({ prompts, changed = {} }: Pick<RunIdentity['suite'], 'prompts' | 'changed'>): string[] =>
  [...(prompts === undefined ? [] : [`${prompts} prompts`]), ...budgetWords(changed)];

/** What a table of runs of a suite is called. */
export const suiteLabel = (suite: RunIdentity['suite']): string => [`${suite.id} ${suite.version}`, `size ${suite.size}`, ...departuresOf(suite)].join(', ');

/** The words of a command line that ask for prompts and a budget which are not the suite's own. */
export const departureWords = (
  { prompts, changed = {} }: { readonly prompts?: string | undefined; readonly changed?: BudgetChange | undefined },
): string[] => [
  ...(prompts === undefined ? [] : [`--prompts ${quoted(prompts)}`]),
  ...Object.entries(changed).map(([name, value]) => `--training ${quoted(`${name}=${String(value)}`)}`),
];
