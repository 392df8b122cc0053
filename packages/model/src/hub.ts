import { mkdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type HubReference, LetheError } from '@lethe/core';
import { COMMIT, type HubAccess, downloadFile, hubAccess, listModel, modelFolder } from '@lethe/hub';
import writeFileAtomic from 'write-file-atomic';
import { CHAT_TEMPLATE, SPECIAL_TOKENS, TOKENIZER_SETTINGS } from './chat.js';
import { INDEX, REQUIRED, WHOLE, isThere, missingFiles, weightFiles } from './shards.js';

/** What some models have: the tokens that end a text, and the template of a chat. */
const OPTIONAL = ['generation_config.json', CHAT_TEMPLATE, TOKENIZER_SETTINGS, SPECIAL_TOKENS];

/** Where models of the hub are kept, and how they come. */
export interface FetchOptions {
  /** A folder in the layout that the hub's own libraries share; that of the user where it is left out. */
  readonly cacheDir?: string;
  /** What the environment says where it is left out. */
  readonly access?: HubAccess;
  /** Told of every file before it is downloaded, with its size in bytes. */
  readonly onFile?: (name: string, bytes: number) => void;
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
  return (await isThere(join(storage, 'snapshots', revision))) ? revision : undefined;
}

/**
 * Downloads the files of a model that are not there yet.
 *
 * @param folderOf the folder for the files of a commit
 * @returns the commit that the revision stands for now
 * @throws LETHE_MODEL_HUB for a model without the files that are needed, LETHE_MODEL_WEIGHTS for an index that names files elsewhere,
 * and the errors of `listModel` and `downloadFile`
 */
async function download(
  { repo, revision }: HubReference, folderOf: (commit: string) => string, access: HubAccess, onFile: FetchOptions['onFile'],
): Promise<string> {
  const { commit, files } = await listModel(repo, revision, access);
  const folder = folderOf(commit);
  const get = async (name: string): Promise<void> => {
    const file = files.get(name);
    if (!file) {
      throw new LetheError('LETHE_MODEL_HUB', `The model has no file ${name}.`, {
        where: `${repo}@${commit}: ${name}`, remedy: 'Choose a model with a config.json, a tokenizer.json and weights as safetensors.',
      });
    }
    if (await isThere(join(folder, name))) return;
    onFile?.(name, file.bytes);
    await downloadFile(file, join(folder, name), { access });
  };
  for (const name of REQUIRED) await get(name);
  for (const name of OPTIONAL) if (files.has(name)) await get(name);
  await get(files.has(INDEX) && !files.has(WHOLE) ? INDEX : WHOLE);
  for (const shard of (await weightFiles(folder)).files) await get(basename(shard));
  return commit;
}

/**
 * Finds a model of the hub on this machine, and downloads it where it is not there. A branch or tag is looked up once: after
 * that the model is found without a network, at the commit that it had.
 *
 * @throws LETHE_MODEL_HUB, naming the files that are wanted and where to put them, where the model is neither here nor to be had
 */
export async function fetchModel(reference: HubReference, { cacheDir, access = hubAccess(), onFile }: FetchOptions = {}): Promise<HubModel> {
  const { repo, revision } = reference;
  const storage = await modelFolder(repo, cacheDir);
  const folderOf = (commit: string) => join(storage, 'snapshots', commit);
  const commit = await knownCommit(storage, revision);
  const folder = folderOf(commit ?? revision);
  const missing = await missingFiles(folder);
  if (commit !== undefined && missing.length === 0) return { id: `${repo}@${commit}`, folder };
  try {
    const found = await download(reference, folderOf, access, onFile);
    if (found !== revision) {
      const note = join(storage, 'refs', revision);
      await mkdir(dirname(note), { recursive: true });
      await writeFileAtomic(note, found);
    }
    return { id: `${repo}@${found}`, folder: folderOf(found) };
  } catch (cause) {
    if (!(cause instanceof LetheError) || !cause.code.startsWith('LETHE_HUB_')) throw cause;
    const files = missing.map((name) => (name === WHOLE ? `${WHOLE} (or ${INDEX} and its shards)` : name)).join(', ');
    throw new LetheError('LETHE_MODEL_HUB', `Model ${repo} at revision ${revision} is not on this machine, and ${cause.message}.`, {
      where: folder, remedy: `Put ${files} into that folder, or give the folder where they are with --model DIR; or: ${cause.remedy}.`, cause,
    });
  }
}
