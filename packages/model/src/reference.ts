/** The full name of a commit. */
export const COMMIT = /^[0-9a-f]{40}$/;

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
