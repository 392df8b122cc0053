import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { HUB_URL, HubApiError, downloadFile as openBlob, fileDownloadInfo } from '@huggingface/hub';
import { LetheError, sha256 } from '@lethe/core';
import { GITHUB_ENDPOINT, addressOf, githubFile, isOnGithub } from './github.js';

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
}

export interface DownloadOptions {
  /** Bytes on disk so far, and of the whole file. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** How often a connection that breaks is opened again, and the first pause in ms; it doubles. */
const ATTEMPTS = 4;
const PAUSE = 250;

/** The address of the hub: `HF_ENDPOINT`, which names a mirror, or the public one. */
export const hubAddress = (): string => (process.env['HF_ENDPOINT'] ?? HUB_URL).replace(/\/+$/, '');

/** sha256 in hexadecimal of a file, read as a stream. */
export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

const nameOf = (file: HubFile) => (isOnGithub(file) ? addressOf(file) : `${hubAddress()}/${file.repo}@${file.revision}: ${file.path}`);
const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => undefined))?.size ?? 0;

/** What is wrong with the hub or the file, as one clear error; the caller's own abort is passed on as it is. */
function explained(file: HubFile, cause: unknown, signal: AbortSignal | undefined): unknown {
  if (cause instanceof LetheError || signal?.aborted) return cause;
  const where = nameOf(file);
  if (cause instanceof HubApiError) {
    const closed = cause.statusCode === 401 || cause.statusCode === 403;
    return new LetheError('LETHE_HUB_FILE', `the hub does not give out the file: ${cause.statusCode} ${cause.message}`, {
      where, cause, remedy: closed ? 'accept its terms on the page of the repository, and set HF_TOKEN' : 'check repository, revision and path',
    });
  }
  const reason = cause instanceof Error ? [cause.message, cause.cause instanceof Error ? cause.cause.message : ''].filter(Boolean).join(': ') : String(cause);
  const [place, mirror] = isOnGithub(file) ? ['GitHub', GITHUB_ENDPOINT] : ['the hub', 'HF_ENDPOINT'];
  return new LetheError('LETHE_HUB_UNREACHABLE', `${place} cannot be reached: ${reason}`, {
    where, cause, remedy: `try again with a network, set ${mirror} to a mirror, or put the file there by hand`,
  });
}

/** A file as it can be had: its bytes from any place on. */
export interface RemoteFile {
  /** In bytes. */
  readonly size: number;
  /** Another one for other bytes. */
  readonly etag: string;
  /** @param from place of the first byte */
  open(from: number): Promise<ReadableStream<Uint8Array>>;
}

async function remoteOf(file: HubFile, signal: AbortSignal | undefined): Promise<RemoteFile> {
  if (isOnGithub(file)) return githubFile(file, signal);
  const accessToken = process.env['HF_TOKEN'];
  const request = {
    repo: file.repo, path: file.path, revision: file.revision, hubUrl: hubAddress(),
    fetch: ((input, init) => fetch(input, { ...init, ...(signal && { signal }) })) as typeof fetch,
    ...(accessToken && { accessToken }),
  };
  const info = await fileDownloadInfo(request);
  if (!info) throw new LetheError('LETHE_HUB_FILE', 'the repository has no such file', { where: nameOf(file), remedy: 'check revision and path' });
  return { size: info.size, etag: info.etag, open: async (from) => (await openBlob({ ...request, downloadInfo: info }))!.slice(from).stream() };
}

/**
 * Downloads a file of the hub or of GitHub. What was begun is kept beside it as `.part` and gone on with, in this call or the next; the file
 * itself appears whole and checked, or not at all.
 *
 * @param to path of the file; its folder is made
 * @throws LetheError LETHE_HUB_UNREACHABLE without a network, LETHE_HUB_FILE for one that is not there, closed, or not the one expected
 */
export async function downloadFile(file: HubFile, to: string, { onProgress = () => undefined, signal }: DownloadOptions = {}): Promise<void> {
  try {
    const remote = await remoteOf(file, signal);
    // a part belongs to these very bytes: of another revision nothing is gone on with
    const part = `${to}.${sha256([file.repo, file.path, remote.etag, remote.size]).slice(0, 8)}.part`;
    await mkdir(dirname(to), { recursive: true });
    await fill(part, remote, onProgress, signal);
    await check(part, file, remote.size);
    await rename(part, to);
  } catch (cause) {
    throw explained(file, cause, signal);
  }
}

/** Appends to a part until it is whole. A connection that breaks is opened again from where it broke. */
async function fill(part: string, { size, open }: RemoteFile, onProgress: (done: number, total: number) => void, signal?: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    let done = await sizeOf(part);
    onProgress(done, size);
    if (done >= size) return size === 0 ? pipeline(Readable.from([]), createWriteStream(part)) : undefined;
    const count = async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        yield chunk;
        onProgress(done += chunk.length, size);
      }
    };
    try {
      const bytes = await open(done);
      await pipeline(Readable.fromWeb(bytes as never), count, createWriteStream(part, { flags: 'a' }), ...(signal ? [{ signal }] : []));
      if ((await sizeOf(part)) >= size) return;
      throw new Error('the connection ended early');
    } catch (cause) {
      if (signal?.aborted || attempt === ATTEMPTS || cause instanceof HubApiError || cause instanceof LetheError) throw cause;
      await delay(PAUSE * 2 ** (attempt - 1), undefined, signal ? { signal } : {});
    }
  }
}

/** Throws LETHE_HUB_FILE, and drops the part, where it is not what was expected. */
async function check(part: string, file: HubFile, size: number): Promise<void> {
  const found = await sizeOf(part);
  const hash = file.sha256 === undefined ? undefined : await sha256OfFile(part);
  const fault = found !== size ? `it has ${found} bytes, not ${size}` : hash !== file.sha256 ? `its sha256 is ${hash}, not ${file.sha256}` : undefined;
  if (fault === undefined) return;
  await rm(part, { force: true });
  throw new LetheError('LETHE_HUB_FILE', `another file came than was expected: ${fault}`, {
    where: nameOf(file), remedy: 'check the revision; the hash belongs to one commit',
  });
}
