import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { pipeline } from 'node:stream/promises';
import type { ListFileEntry } from '@huggingface/hub';
import { type HubReference, LetheError } from '@lethe/core';
import { CHAT_TEMPLATE, TOKENIZER_SETTINGS } from './chat.js';
import { INDEX, REQUIRED, WHOLE, weightFiles } from './shards.js';

type Hub = typeof import('@huggingface/hub');

/** The full name of a commit. */
export const COMMIT = /^[0-9a-f]{40}$/;

/** What some models have: the tokens that end a text, and the template of a chat. */
const OPTIONAL = ['generation_config.json', CHAT_TEMPLATE, TOKENIZER_SETTINGS];

/** How the hub is reached. */
export interface Access {
  /** Its address, where it is not the public one. */
  readonly hubUrl?: string;
  readonly accessToken?: string;
  /** Told of every file before it is downloaded, with its size in bytes. */
  readonly onFile?: (name: string, bytes: number) => void;
}

const refuse = (message: string, where: string, remedy: string) => new LetheError('LETHE_MODEL_HUB', message, { where, remedy });

/** What the bytes of a file must hash to: large files are listed with their sha256, the others with the name that git gives them. */
function digestOf({ lfs, oid, size }: ListFileEntry) {
  return lfs ? { hash: createHash('sha256'), wanted: lfs.oid } : { hash: createHash('sha1').update(`blob ${size}\0`), wanted: oid };
}

/** Writes what a stream gives as a file, whole or not at all, and only where it is what the hub lists. */
async function store(stream: ReadableStream, entry: ListFileEntry, file: string, where: string): Promise<void> {
  const partial = `${file}.${process.pid}.incomplete`;
  const { hash, wanted } = digestOf(entry);
  try {
    await pipeline(Readable.fromWeb(stream), async function* (source: AsyncIterable<Uint8Array>) {
      for await (const chunk of source) {
        hash.update(chunk);
        yield chunk;
      }
    }, createWriteStream(partial));
    const found = hash.digest('hex');
    if (found !== wanted) throw refuse(`The file that came hashes to ${found}; the hub lists ${String(wanted)}.`, where, 'Try again; nothing of it was kept.');
    await rename(partial, file);
  } finally {
    await rm(partial, { force: true });
  }
}

/**
 * Downloads the files of a model that are not there yet.
 *
 * @param folderOf the folder for the files of a commit
 * @returns the commit that the revision stands for now
 * @throws LETHE_MODEL_HUB for a model without the files that are needed, and a file that is not what the hub lists; what the
 * hub's library and the file system throw
 */
export async function download(
  hub: Hub, { repo, revision }: HubReference, folderOf: (commit: string) => string, { hubUrl, accessToken, onFile }: Access,
): Promise<string> {
  const at = { ...(hubUrl ? { hubUrl } : {}), ...(accessToken ? { accessToken } : {}) };
  const { sha: commit } = await hub.modelInfo({ name: repo, revision, additionalFields: ['sha'], ...at });
  if (!COMMIT.test(commit)) throw refuse(`The hub gives ${JSON.stringify(commit)} as the commit of ${revision}.`, repo, 'Name the commit: owner/name@COMMIT.');
  const listed = new Map<string, ListFileEntry>();
  for await (const entry of hub.listFiles({ repo, revision: commit, ...at })) listed.set(entry.path, entry);
  const folder = folderOf(commit);
  await mkdir(folder, { recursive: true });

  const get = async (name: string): Promise<void> => {
    const where = `${repo}@${commit}: ${name}`;
    const entry = listed.get(name);
    const lacking = () => refuse(`The model has no file ${name}.`, where, 'Choose a model with a config.json, a tokenizer.json and weights as safetensors.');
    if (!entry) throw lacking();
    const file = join(folder, name);
    if (await access(file).then(() => true, () => false)) return;
    onFile?.(name, entry.size);
    const blob = await hub.downloadFile({ repo, path: name, revision: commit, ...at });
    if (!blob) throw lacking();
    await store(blob.stream() as ReadableStream, entry, file, where);
  };
  for (const name of REQUIRED) await get(name);
  for (const name of OPTIONAL) if (listed.has(name)) await get(name);
  await get(listed.has(INDEX) && !listed.has(WHOLE) ? INDEX : WHOLE);
  for (const shard of (await weightFiles(folder)).files) await get(basename(shard));
  return commit;
}
