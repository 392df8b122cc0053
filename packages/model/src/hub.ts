import { access, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type HubReference, LetheError } from '@lethe/core';
import writeFileAtomic from 'write-file-atomic';
import { type Access, COMMIT, download } from './download.js';
import { INDEX, WHOLE, missingFiles } from './shards.js';

/** Where models of the hub are kept, and how the hub is reached. */
export interface HubOptions extends Access {
  /** A folder in the layout that the hub's own libraries share; that of the user where it is left out. */
  readonly cacheDir?: string;
  /** Ask nobody. */
  readonly offline?: boolean;
}

/** What the environment says of the hub: HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE, as for the hub's own libraries. */
export function hubEnvironment(variables: NodeJS.ProcessEnv): HubOptions {
  const { HF_ENDPOINT: hubUrl, HF_TOKEN: accessToken, HF_HUB_OFFLINE: offline = '' } = variables;
  return {
    ...(hubUrl ? { hubUrl: hubUrl.replace(/\/+$/, '') } : {}),
    ...(accessToken ? { accessToken } : {}),
    offline: ['1', 'ON', 'YES', 'TRUE'].includes(offline.toUpperCase()),
  };
}

/** A model of the hub on this machine. */
export interface HubModel {
  /** `owner/name@commit`. */
  readonly id: string;
  readonly folder: string;
}

/** The commit that a revision stood for when it was looked up, or the name of a folder that was put there by hand. */
async function knownCommit(storage: string, revision: string): Promise<string | undefined> {
  if (COMMIT.test(revision)) return revision;
  const commit = (await readFile(join(storage, 'refs', revision), 'utf8').catch(() => '')).trim();
  if (COMMIT.test(commit)) return commit;
  return access(join(storage, 'snapshots', revision)).then(() => revision, () => undefined);
}

/** Why the hub does not give a model, for the sentence "it is not on this machine, and …". */
function reasonOf(cause: unknown): string {
  const { statusCode, code, syscall, message, cause: inner } = cause as
    { statusCode?: number; code?: string; syscall?: string; message?: string; cause?: { code?: string } };
  if (statusCode === 401 || statusCode === 403) return 'the hub has no model of this name, or asks for a token that may read it (HF_TOKEN)';
  if (statusCode === 404) return 'the hub has no model or no revision of this name';
  if (statusCode !== undefined) return `the hub answers with status ${statusCode}`;
  if (code !== undefined && syscall !== undefined && !inner) return `its files cannot be stored (${code})`;
  return `the hub cannot be reached (${inner?.code ?? code ?? message ?? String(cause)})`;
}

/**
 * Finds a model of the hub on this machine, and downloads it where it is not there. A branch or tag is looked up once: after
 * that the model is found without a network, at the commit that it had.
 *
 * @throws LETHE_MODEL_HUB, naming the files that are wanted and where to put them, where the model is neither here nor to be had
 */
export async function fetchModel({ repo, revision }: HubReference, options: HubOptions = {}): Promise<HubModel> {
  // loaded for models of the hub only: most runs have none
  const hub = await import('@huggingface/hub');
  const storage = join(options.cacheDir ?? hub.getHFHubCachePath(), hub.getRepoFolderName({ type: 'model', name: repo }));
  const folderOf = (commit: string) => join(storage, 'snapshots', commit);
  const commit = await knownCommit(storage, revision);
  const folder = folderOf(commit ?? revision);
  const missing = await missingFiles(folder);
  if (commit !== undefined && missing.length === 0) return { id: `${repo}@${commit}`, folder };
  const absent = (why: string, cause?: unknown) => {
    const files = missing.map((name) => (name === WHOLE ? `${WHOLE} (or ${INDEX} and its shards)` : name)).join(', ');
    return new LetheError('LETHE_MODEL_HUB', `Model ${repo} at revision ${revision} is not on this machine, and ${why}.`, {
      where: folder, remedy: `Put ${files} into that folder, or give the folder where they are with --model DIR.`, cause,
    });
  };
  if (options.offline) throw absent('the hub is not to be asked (HF_HUB_OFFLINE)');
  try {
    const found = await download(hub, { repo, revision }, folderOf, options);
    if (found !== revision) {
      const reference = join(storage, 'refs', revision);
      await mkdir(dirname(reference), { recursive: true });
      await writeFileAtomic(reference, found);
    }
    return { id: `${repo}@${found}`, folder: folderOf(found) };
  } catch (cause) {
    throw cause instanceof LetheError ? cause : absent(reasonOf(cause), cause);
  }
}
