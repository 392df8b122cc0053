import { LetheError } from '@lethe/core';
import type { HubAccess } from './access.js';
import type { HubFile, RemoteFile } from './download.js';
import { isOfFiles, transportError } from './library.js';

const PUBLIC = 'https://raw.githubusercontent.com';
const PREFIX = 'github:';

export const isOnGithub = ({ repo }: HubFile): boolean => repo.startsWith(PREFIX);

/** Where GitHub, or the mirror that LETHE_GITHUB_ENDPOINT names, has a file of a commit. */
function addressOf({ repo, revision, path }: HubFile): string {
  const place = (process.env['LETHE_GITHUB_ENDPOINT'] ?? PUBLIC).replace(/\/+$/, '');
  return [place, repo.slice(PREFIX.length), revision, ...path.split('/').map(encodeURIComponent)].join('/');
}

/**
 * Asks GitHub for a file of a commit.
 *
 * @throws LetheError LETHE_HUB_UNREACHABLE without a network or where nobody is to be asked, LETHE_HUB_FILE for what is not there,
 * LETHE_HUB_STORE where the disk does not take it; the caller's own abort is passed on as it is
 */
export async function askGithub(file: HubFile, { offline }: HubAccess, signal: AbortSignal | undefined, store: (remote: RemoteFile) => Promise<void>): Promise<void> {
  const where = addressOf(file);
  if (offline) {
    throw new LetheError('LETHE_HUB_UNREACHABLE', 'nobody is to be asked (HF_HUB_OFFLINE)', { where, remedy: 'put the file there by hand, or unset HF_HUB_OFFLINE' });
  }
  try {
    await store(await remoteFile(where, signal));
  } catch (cause) {
    throw signal?.aborted || cause instanceof LetheError ? cause : transportError(['GitHub', 'LETHE_GITHUB_ENDPOINT'], where, cause);
  }
}

async function remoteFile(address: string, signal: AbortSignal | undefined): Promise<RemoteFile> {
  const ask = async (method: 'HEAD' | 'GET', from = 0): Promise<Response> => {
    // as it is: a compressed answer has another length, and cannot be gone on with
    const headers = { 'Accept-Encoding': 'identity', ...(from > 0 && { Range: `bytes=${from}-` }) };
    const response = await fetch(address, { method, headers, ...(signal && { signal }) });
    if (response.status >= 500) throw new Error(`it answers with status ${response.status}`);
    if (response.ok && (from === 0 || response.status === 206)) return response;
    throw new LetheError('LETHE_HUB_FILE', `GitHub does not give it out: it answers with status ${response.status}`, {
      where: address, remedy: 'check repository, commit and path',
    });
  };
  const { headers } = await ask('HEAD');
  return {
    size: Number(headers.get('content-length')), etag: headers.get('etag') ?? '',
    open: async (from) => (await ask('GET', from)).body!,
    isPassing: (cause) => !(cause instanceof LetheError || isOfFiles(cause)),
  };
}
