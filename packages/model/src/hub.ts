import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type HubReference, LetheError, makeFolder, writeWhole } from '@lethe/core';
import { COMMIT, type HubAccess, type ListedFile, downloadFile, hubAccess, listModel, modelFolder } from '@lethe/hub';
import { CHAT_TEMPLATE, SPECIAL_TOKENS, TOKENIZER_SETTINGS } from './chat.js';
import { INDEX, REQUIRED, WHOLE, isThere, missingFiles, weightFiles } from './shards.js';

/** What some models have: the tokens that end a text, the template of a chat, and its special tokens. */
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

const isOfHub = (cause: unknown): cause is LetheError => cause instanceof LetheError && cause.code.startsWith('LETHE_HUB_');

/** Where the files of a commit are, and where the libraries of the hub note that it has no file of a name. */
const placesOf = (storage: string, commit: string) => ({ folder: join(storage, 'snapshots', commit), absent: join(storage, '.no_exist', commit) });
type Places = ReturnType<typeof placesOf>;

/** The optional files of which it is not known whether the model has them. */
async function openQuestions({ folder, absent }: Places): Promise<string[]> {
  const known = await Promise.all(OPTIONAL.map(async (name) => (await isThere(join(folder, name))) || isThere(join(absent, name))));
  return OPTIONAL.filter((_, i) => !known[i]);
}

type RemoteOptions = Pick<FetchOptions, 'onFile'> & { readonly access: HubAccess };

/** What the hub lists of a model, to be downloaded where it is not there yet. */
class Remote {
  /** @param id `owner/name@commit` */
  constructor(
    private readonly id: string, private readonly files: ReadonlyMap<string, ListedFile>, private readonly places: Places,
    private readonly options: RemoteOptions,
  ) {}

  has(name: string): boolean {
    return this.files.has(name);
  }

  /** Throws LETHE_MODEL_HUB for a file that the model lacks, and the errors of `downloadFile`. */
  async get(name: string): Promise<void> {
    const file = this.files.get(name);
    if (!file) {
      throw new LetheError('LETHE_MODEL_HUB', `The model has no file ${name}.`, {
        where: `${this.id}: ${name}`, remedy: 'Choose a model with a config.json, a tokenizer.json and weights as safetensors.',
      });
    }
    const to = join(this.places.folder, name);
    if (await isThere(to)) return;
    this.options.onFile?.(name, file.bytes);
    await downloadFile(file, to, { access: this.options.access });
  }

  /** The optional files that the model has. What it has not is noted, so that nobody is asked again. */
  async getOptional(): Promise<void> {
    for (const name of OPTIONAL) if (this.has(name)) await this.get(name);
    const { absent } = this.places;
    try {
      makeFolder(absent);
      for (const name of OPTIONAL) if (!this.has(name)) await writeFile(join(absent, name), '');
    } catch {
      // the cache of others may be closed to writing; then the hub is asked again next time
    }
  }
}

/**
 * Downloads the files of a model that are not there yet.
 *
 * @param storage the folder of the model in the cache
 * @returns the commit that the revision stands for now
 * @throws LETHE_MODEL_HUB for a model without the files that are needed, LETHE_MODEL_WEIGHTS for an index that names files elsewhere,
 * and the errors of `listModel` and `downloadFile`
 */
async function download({ repo, revision }: HubReference, storage: string, options: RemoteOptions): Promise<string> {
  const { commit, files } = await listModel(repo, revision, options.access);
  const places = placesOf(storage, commit);
  const remote = new Remote(`${repo}@${commit}`, files, places, options);
  for (const name of REQUIRED) await remote.get(name);
  await remote.getOptional();
  await remote.get(remote.has(INDEX) && !remote.has(WHOLE) ? INDEX : WHOLE);
  for (const shard of (await weightFiles(places.folder)).files) await remote.get(basename(shard));
  return commit;
}

/**
 * Downloads the optional files that a snapshot of another tool lacks: the tokens that end a text would differ from machine to machine.
 * Where the hub does not answer, the snapshot is taken as it is.
 *
 * @throws LETHE_MODEL_HUB for a file that the hub lists and that does not come
 */
async function complete(id: string, { repo }: HubReference, commit: string, places: Places, options: RemoteOptions): Promise<void> {
  const asked = options.access.offline ? [] : await openQuestions(places);
  if (asked.length === 0) return;
  const listed = await listModel(repo, commit, options.access).catch((cause: unknown) => {
    if (isOfHub(cause)) return undefined;
    throw cause;
  });
  if (!listed) return;
  try {
    await new Remote(id, listed.files, places, options).getOptional();
  } catch (cause) {
    if (!isOfHub(cause)) throw cause;
    const lacking = asked.filter((name) => listed.files.has(name)).join(', ');
    throw new LetheError('LETHE_MODEL_HUB', `Model ${id} has ${lacking}, the copy on this machine has not, and ${cause.message}.`, {
      where: places.folder, remedy: `Set HF_HUB_OFFLINE=1 to take the copy as it is; or: ${cause.remedy}.`, cause,
    });
  }
}

/**
 * Finds a model of the hub on this machine, and downloads it where it is not there. A branch or tag is looked up once: after
 * that the model is found without a network, at the commit that it had. A snapshot that another tool made gets the optional files that it
 * lacks, where the hub answers.
 *
 * @throws LETHE_MODEL_HUB, naming the files that are wanted and where to put them, where the model is neither here nor to be had
 */
export async function fetchModel(reference: HubReference, { cacheDir, access = hubAccess(), ...rest }: FetchOptions = {}): Promise<HubModel> {
  const options = { ...rest, access };
  const { repo, revision } = reference;
  const storage = await modelFolder(repo, cacheDir);
  const commit = await knownCommit(storage, revision);
  const places = placesOf(storage, commit ?? revision);
  const { folder } = places;
  const missing = await missingFiles(folder);
  if (commit !== undefined && missing.length === 0) {
    const id = `${repo}@${commit}`;
    if (COMMIT.test(commit)) await complete(id, reference, commit, places, options);
    return { id, folder };
  }
  try {
    const found = await download(reference, storage, options);
    if (found !== revision) {
      const note = join(storage, 'refs', revision);
      makeFolder(dirname(note));
      await writeWhole(note, found);
    }
    return { id: `${repo}@${found}`, folder: placesOf(storage, found).folder };
  } catch (cause) {
    if (!isOfHub(cause)) throw cause;
    const files = missing.map((name) => (name === WHOLE ? `${WHOLE} (or ${INDEX} and its shards)` : name)).join(', ');
    throw new LetheError('LETHE_MODEL_HUB', `Model ${repo} at revision ${revision} is not on this machine, and ${cause.message}.`, {
      where: folder, remedy: `Put ${files} into that folder, or give the folder where they are with --model DIR; or: ${cause.remedy}.`, cause,
    });
  }
}
