import { access, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LetheError } from '@lethe/core';

export const WHOLE = 'model.safetensors';
export const INDEX = `${WHOLE}.index.json`;
/** What every model has beside its weights. */
export const REQUIRED = ['config.json', 'tokenizer.json'];

/** The files that hold the weights of a model. */
export interface WeightFiles {
  /** Absolute or relative as the folder is, in the order of their names. */
  readonly files: readonly string[];
  /** Where the weights are split: the index, its bytes, and the file of every tensor. */
  readonly index?: { readonly file: string; readonly bytes: Buffer; readonly places: ReadonlyMap<string, string> };
}

/** Reads an index as Transformers writes it: `weight_map` names the file of every tensor. */
function parseIndex(file: string, bytes: Buffer, directory: string): ReadonlyMap<string, string> {
  const fail = (message: string, cause?: unknown): never => {
    throw new LetheError('LETHE_MODEL_WEIGHTS', message, { where: file, remedy: 'Copy or download the file again.', cause });
  };
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    fail('The index of the weights is not JSON.', cause);
  }
  const map = (json as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map) || Object.keys(map).length === 0) {
    return fail('The index of the weights has no "weight_map" that names the file of every tensor.');
  }
  return new Map(Object.entries(map).map(([tensor, name]): [string, string] => {
    // a shard lies beside its index: an index from somewhere else must not make other files be read
    if (typeof name !== 'string' || name === '' || name === '..' || name === '.' || name !== basename(name) || name.includes('\\')) {
      return fail(`The index places tensor "${tensor}" in ${JSON.stringify(name)}, which is not the name of a file beside it.`);
    }
    return [tensor, join(directory, name)];
  }));
}

/** Whether there is a file or folder of this path. */
export const isThere = (path: string): Promise<boolean> => access(path).then(() => true, () => false);

/**
 * The files that are to hold the weights of a model: `model.safetensors`, or the shards that `model.safetensors.index.json` names
 * where that is there instead. They need not be there.
 *
 * @throws LETHE_MODEL_WEIGHTS for a damaged index, or one that names files elsewhere
 */
export async function weightFiles(directory: string): Promise<WeightFiles> {
  const [whole, file] = [join(directory, WHOLE), join(directory, INDEX)];
  if ((await isThere(whole)) || !(await isThere(file))) return { files: [whole] };
  const bytes = await readFile(file);
  const places = parseIndex(file, bytes, directory);
  return { files: [...new Set(places.values())].sort(), index: { file, bytes, places } };
}

/** The files of {@link weightFiles}; throws LETHE_MODEL_MISSING besides, for a shard that is not there. */
export async function findWeights(directory: string): Promise<WeightFiles> {
  const found = await weightFiles(directory);
  if (!found.index) return found;
  for (const shard of found.files) {
    if (await isThere(shard)) continue;
    throw new LetheError('LETHE_MODEL_MISSING', `The weights are split over ${found.files.length} files, and ${basename(shard)} is not there.`, {
      where: found.index.file, remedy: `Put ${basename(shard)} into ${directory}.`,
    });
  }
  return found;
}

/** Names of the files of a model that a folder lacks; `model.safetensors` stands for weights of any kind. */
export async function missingFiles(directory: string): Promise<string[]> {
  const { files } = await weightFiles(directory);
  const wanted = [...REQUIRED.map((name) => join(directory, name)), ...files];
  const found = await Promise.all(wanted.map(isThere));
  return wanted.filter((_, i) => !found[i]).map((file) => basename(file));
}
