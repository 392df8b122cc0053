import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LetheError, type RunIdentity, didYouMean, isPath, parseHubReference } from '@lethe/core';
import { type HubModel, type LanguageModel, fetchModel, loadModel, mergeAdapter, readBase } from '@lethe/model';
import { listed } from '../list.js';
import { PATHS } from '../paths.js';
import type { RunRequest } from './request.js';

const MEGABYTE = 1e6;
const DEFAULT_MODEL = 'lethe-nano';

/**
 * Finds a model by its folder, by the name of an installed one, or by `owner/name[@revision]` on the hub, from where it is
 * downloaded when it is not on this machine yet. A folder of that name wins.
 *
 * @param note told of what is downloaded
 * @returns its folder, and its id where that is not the name of the folder
 * @throws LETHE_MODEL_MISSING for a name that is none of these; LETHE_MODEL_HUB for a model that the hub does not give
 */
async function findModel(name: string, note: (text: string) => void): Promise<Pick<HubModel, 'folder'> & Partial<HubModel>> {
  if (existsSync(join(name, 'config.json'))) return { folder: resolve(name) };
  if (existsSync(join(name, 'adapter_config.json'))) {
    throw new LetheError('LETHE_MODEL_MISSING', 'The folder holds an adapter, not a model.', { where: name, remedy: `start from it with --adapter ${name}` });
  }
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

/**
 * The model that a user names, with an adapter in its weights where one is to be started from.
 *
 * @param request its model as {@link findModel} takes it (without one the model that the adapter was trained on, or the one that is
 * installed), the folder of an adapter, and whether its chat template is used
 * @param note told of what is downloaded
 * @throws the errors of `findModel`, `loadModel`, `readBase` and `mergeAdapter`
 */
export async function openNamed(
  { model: name, adapter, chat = false }: Pick<RunRequest, 'model' | 'adapter' | 'chat'>, note: (text: string) => void,
): Promise<{ model: LanguageModel; dir: string; adapterDir?: string }> {
  const base = name === undefined && adapter !== undefined ? readBase(adapter) : { name: name ?? DEFAULT_MODEL };
  const { folder: dir, id } = await findModel('revision' in base ? `${base.name}@${base.revision}` : base.name, note);
  const loaded = await loadModel(dir, { chat });
  const model = { ...loaded, id: id ?? loaded.id };
  if (adapter === undefined) return { model, dir };
  return { model: await mergeAdapter(model, adapter), dir, adapterDir: resolve(adapter) };
}

/** What results say of a model. */
export function identityOf({ id, sha256, chat, merged }: LanguageModel): RunIdentity['model'] {
  return { id, sha256, ...(chat && { chat }), ...(merged && { adapter: { id: merged.id, sha256: merged.sha256, base: merged.base } }) };
}
