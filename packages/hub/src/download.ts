import { type Hash, createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { LetheError, makeFolder, sha256 } from '@lethe/core';
import { type HubAccess, hubAccess } from './access.js';
import { askGithub, isOnGithub } from './github.js';
import { askHub, isPassing } from './library.js';

/** One file of a repository of the hub or of GitHub. */
export interface HubFile {
  /** `owner/name` of a model, `datasets/owner/name` of a data set, `github:owner/name` of a repository of GitHub. */
  readonly repo: string;
  /** A commit, so that it is the same file tomorrow; or a branch or tag. */
  readonly revision: string;
  /** Path inside of the repository. */
  readonly path: string;
  /** What the file must be, where that is known. */
  readonly sha256?: string;
  /** The same by the name that git gives to the bytes: sha1 of them behind a header with their number. */
  readonly blob?: string;
}

export interface DownloadOptions {
  /** Bytes on disk so far, and of the whole file. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
  /** What the environment says where it is left out. */
  readonly access?: HubAccess;
}

/** How often a connection that breaks is opened again, and the first pause in ms; it doubles. */
const ATTEMPTS = 4;
const PAUSE = 250;

async function digestOf(file: string, hash: Hash): Promise<string> {
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** sha256 in hexadecimal of a file, read as a stream. */
export const sha256OfFile = (file: string): Promise<string> => digestOf(file, createHash('sha256'));

const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => undefined))?.size ?? 0;

/** A file as it can be had: its bytes from any place on. */
export interface RemoteFile {
  /** In bytes. */
  readonly size: number;
  /** Another one for other bytes. */
  readonly etag: string;
  /** @param from place of the first byte */
  open(from: number): Promise<ReadableStream<Uint8Array>>;
  /** Whether asking again may help after this was thrown. */
  isPassing(cause: unknown): boolean;
}

/**
 * Downloads a file of the hub or of GitHub. What was begun is kept beside it as `.part` and gone on with, in this call or the next; the file
 * itself appears whole and checked, or not at all.
 *
 * @param to path of the file; its folder is made
 * @throws LetheError LETHE_HUB_UNREACHABLE without a network, LETHE_HUB_FILE for one that is not there, closed, or not the one expected,
 * LETHE_HUB_STORE where it cannot be written
 */
export async function downloadFile(
  file: HubFile, to: string, { onProgress = () => undefined, signal, access = hubAccess() }: DownloadOptions = {},
): Promise<void> {
  const { repo, path, revision } = file;
  const name = `${repo}@${revision}: ${path}`;
  const store = async (remote: RemoteFile): Promise<void> => {
    // a part belongs to these very bytes: of another revision nothing is gone on with
    const part = `${to}.${sha256([repo, path, remote.etag, remote.size]).slice(0, 8)}.part`;
    makeFolder(dirname(to));
    await fill(part, remote, onProgress, signal);
    await check(part, name, file, remote.size);
    await rename(part, to);
  };
  if (isOnGithub(file)) return askGithub(file, access, signal, store);
  await askHub(name, access, signal, async (hub, connection) => {
    const request = { repo, path, revision, ...connection };
    const info = await hub.fileDownloadInfo(request);
    if (!info) throw new LetheError('LETHE_HUB_FILE', 'the repository has no such file', { where: name, remedy: 'check revision and path' });
    await store({
      size: info.size, etag: info.etag, isPassing: (cause) => isPassing(hub, cause),
      open: async (from) => (await hub.downloadFile({ ...request, downloadInfo: info }))!.slice(from).stream(),
    });
  });
}

/** Appends to a part until it is whole. A connection that breaks is opened again from where it broke. */
async function fill(part: string, remote: RemoteFile, onProgress: (done: number, total: number) => void, signal?: AbortSignal): Promise<void> {
  const { size } = remote;
  for (let attempt = 1; ; attempt++) {
    let done = await sizeOf(part);
    onProgress(done, size);
    if (done >= size) return size === 0 ? pipeline(Readable.from([]), createWriteStream(part)) : undefined;
    const bytes = await remote.open(done);
    const count = async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        yield chunk;
        onProgress(done += chunk.length, size);
      }
    };
    try {
      await pipeline(Readable.fromWeb(bytes as never), count, createWriteStream(part, { flags: 'a' }), ...(signal ? [{ signal }] : []));
      if ((await sizeOf(part)) >= size) return;
      throw new Error('the connection ended early');
    } catch (cause) {
      if (signal?.aborted || attempt === ATTEMPTS || !remote.isPassing(cause)) throw cause;
      await delay(PAUSE * 2 ** (attempt - 1), undefined, signal ? { signal } : {});
    }
  }
}

/** What a part is beside what was expected, or undefined where it is that. */
async function faultOf(part: string, { sha256: hash, blob }: HubFile, size: number): Promise<string | undefined> {
  const found = await sizeOf(part);
  if (found !== size) return `it has ${found} bytes, not ${size}`;
  const digests: readonly [kind: string, hash: () => Hash, wanted: string | undefined][] = [
    ['sha256', () => createHash('sha256'), hash], ['git hash', () => createHash('sha1').update(`blob ${size}\0`), blob],
  ];
  for (const [kind, make, wanted] of digests) {
    const digest = wanted === undefined ? undefined : await digestOf(part, make());
    if (digest !== wanted) return `its ${kind} is ${digest}, not ${wanted}`;
  }
  return undefined;
}

/** Throws LETHE_HUB_FILE, and drops the part, where it is not what was expected. */
async function check(part: string, name: string, file: HubFile, size: number): Promise<void> {
  const fault = await faultOf(part, file, size);
  if (fault === undefined) return;
  await rm(part, { force: true });
  throw new LetheError('LETHE_HUB_FILE', `another file came than was expected: ${fault}`, {
    where: name, remedy: 'try again, or check the revision; the hash belongs to one commit',
  });
}
