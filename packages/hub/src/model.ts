import { join } from 'node:path';
import { LetheError } from '@lethe/core';
import { type HubAccess, hubAccess } from './access.js';
import type { HubFile } from './download.js';
import { askHub, library } from './library.js';

/** The full name of a commit. */
export const COMMIT = /^[0-9a-f]{40}$/;

/** A file of a model as the hub lists it: pinned to its commit, with the hash of its bytes. */
export interface ListedFile extends HubFile {
  readonly bytes: number;
}

/**
 * What the hub has of a model. Large files are listed with their sha256, the others with the name that git gives them.
 *
 * @returns the commit that the revision stands for now, and its files by path
 * @throws LetheError LETHE_HUB_UNREACHABLE, LETHE_HUB_FILE
 */
export async function listModel(
  repo: string, revision: string, access: HubAccess = hubAccess(),
): Promise<{ commit: string; files: ReadonlyMap<string, ListedFile> }> {
  return askHub(`${repo}@${revision}`, access, undefined, async (hub, connection) => {
    const { sha: commit } = await hub.modelInfo({ name: repo, revision, additionalFields: ['sha'], ...connection });
    if (!COMMIT.test(commit)) {
      throw new LetheError('LETHE_HUB_FILE', `the hub gives ${JSON.stringify(commit)} as the commit of ${revision}`, { where: repo, remedy: 'name the commit: owner/name@COMMIT' });
    }
    const files = new Map<string, ListedFile>();
    for await (const { path, size, oid, lfs } of hub.listFiles({ repo, revision: commit, ...connection })) {
      files.set(path, { repo, revision: commit, path, bytes: size, ...(lfs ? { sha256: lfs.oid } : { blob: oid! }) });
    }
    return { commit, files };
  });
}

/**
 * The folder of a model in the cache that the hub's own libraries share: snapshots of commits in it, and what branches stood for.
 *
 * @param cache the folder of that cache; that of the user where it is left out
 */
export async function modelFolder(repo: string, cache?: string): Promise<string> {
  const hub = await library();
  return join(cache ?? hub.getHFHubCachePath(), hub.getRepoFolderName({ type: 'model', name: repo }));
}
