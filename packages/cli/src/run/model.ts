import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LetheError, didYouMean, isPath, parseHubReference } from '@lethe/core';
import { type HubModel, fetchModel } from '@lethe/model';
import { listed } from '../list.js';
import { PATHS } from '../paths.js';

const MEGABYTE = 1e6;

/**
 * Finds a model by its folder, by the name of an installed one, or by `owner/name[@revision]` on the hub, from where it is
 * downloaded when it is not on this machine yet. A folder of that name wins.
 *
 * @param note told of what is downloaded
 * @returns its folder, and its id where that is not the name of the folder
 * @throws LETHE_MODEL_MISSING for a name that is none of these; LETHE_MODEL_HUB for a model that the hub does not give
 */
export async function findModel(name: string, note: (text: string) => void): Promise<Pick<HubModel, 'folder'> & Partial<HubModel>> {
  if (existsSync(join(name, 'config.json'))) return { folder: resolve(name) };
  const reference = existsSync(name) ? undefined : parseHubReference(name);
  if (reference) {
    return fetchModel(reference, {
      onFile: (file, bytes) => note(`downloading ${reference.repo}: ${file}, ${(bytes / MEGABYTE).toFixed(1)} MB`),
    });
  }
  if (isPath(name)) return { folder: resolve(name) };
  const known = listed('models').map((model) => model.name);
  if (known.includes(name)) return { folder: join(PATHS.models, name) };
  throw new LetheError('LETHE_MODEL_MISSING', `There is no model "${name}".${didYouMean(name, known)}`, {
    where: PATHS.models,
    remedy: `${known.length ? `choose one of: ${known.join(', ')}, or ` : ''}give a folder with --model DIR, or a model of the hub with --model OWNER/NAME`,
  });
}
