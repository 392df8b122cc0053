import { LetheError } from '@lethe/core';
import type { HubFile, RemoteFile } from './download.js';

/** Name of the variable that holds the address of a mirror. */
export const GITHUB_ENDPOINT = 'LETHE_GITHUB_ENDPOINT';
const PUBLIC = 'https://raw.githubusercontent.com';
const PREFIX = 'github:';

export const isOnGithub = ({ repo }: Pick<HubFile, 'repo'>): boolean => repo.startsWith(PREFIX);

/** Where GitHub has a file of a commit. */
export function addressOf({ repo, revision, path }: HubFile): string {
  const place = (process.env[GITHUB_ENDPOINT] ?? PUBLIC).replace(/\/+$/, '');
  return [place, repo.slice(PREFIX.length), revision, ...path.split('/').map(encodeURIComponent)].join('/');
}

/**
 * A file of a commit of a repository of GitHub.
 *
 * @throws LetheError LETHE_HUB_FILE where there is none; what fetch throws without a network
 */
export async function githubFile(file: HubFile, signal?: AbortSignal): Promise<RemoteFile> {
  const address = addressOf(file);
  const ask = async (method: 'HEAD' | 'GET', from = 0): Promise<Response> => {
    // as it is: a compressed answer has another length, and cannot be gone on with
    const headers = { 'Accept-Encoding': 'identity', ...(from > 0 && { Range: `bytes=${from}-` }) };
    const response = await fetch(address, { method, headers, ...(signal && { signal }) });
    if (response.status >= 500) throw new Error(`${response.status} ${response.statusText}`);
    if (response.ok && (from === 0 || response.status === 206)) return response;
    throw new LetheError('LETHE_HUB_FILE', `GitHub does not give out the file: ${response.status} ${response.statusText}`, {
      where: address, remedy: 'check repository, commit and path',
    });
  };
  const { headers } = await ask('HEAD');
  return { size: Number(headers.get('content-length')), etag: headers.get('etag') ?? '', open: async (from) => (await ask('GET', from)).body! };
}
