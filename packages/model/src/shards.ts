import { access, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LetheError } from '@lethe/core';

const WHOLE = 'model.safetensors';
const INDEX = `${WHOLE}.index.json`;

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

/**
 * Finds the weights of a model: `model.safetensors`, or the shards that `model.safetensors.index.json` names. Where there is
 * neither, the first is given, so that reading it says what is missing.
 *
 * @throws LETHE_MODEL_WEIGHTS for a damaged index, or one that names files elsewhere; LETHE_MODEL_MISSING for a shard that is not there
 */
export async function findWeights(directory: string): Promise<WeightFiles> {
  const there = (file: string) => access(file).then(() => true, () => false);
  const [whole, file] = [join(directory, WHOLE), join(directory, INDEX)];
  if ((await there(whole)) || !(await there(file))) return { files: [whole] };
  const bytes = await readFile(file);
  const places = parseIndex(file, bytes, directory);
  const files = [...new Set(places.values())].sort();
  for (const shard of files) {
    if (await there(shard)) continue;
    throw new LetheError('LETHE_MODEL_MISSING', `The weights are split over ${files.length} files, and ${basename(shard)} is not there.`, {
      where: file, remedy: `Put ${basename(shard)} into ${directory}.`,
    });
  }
  return { files, index: { file, bytes, places } };
}
