import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type HubReference, LetheError, type RunIdentity, didYouMean, isFolder, isPath, parseHubReference, refuseBroken } from '@lethe/core';
import { type HubModel, type LanguageModel, fetchModel, loadModel, mergeAdapter, readBase } from '@lethe/model';
import { installedPlugins, ofKind } from '../installed.js';
import { PATHS, typed } from '../paths.js';
import type { Configuration } from './configuration.js';
import type { RunRequest } from './request.js';

const MEGABYTE = 1e6;
const DEFAULT_MODEL = 'lethe-nano';

/** The folder of a model of the hub. Its code is refused: it is a stranger's, which nobody has asked to run. */
async function fetched(reference: HubReference, note: (text: string) => void): Promise<HubModel> {
  const model = await fetchModel(reference, {
    onFile: (file, bytes) => note(`downloading ${reference.repo}: ${file}, ${(bytes / MEGABYTE).toFixed(1)} MB`),
  });
  const file = join(model.folder, 'plugin.json');
  if (!existsSync(file)) return model;
  throw new LetheError('LETHE_MODEL_HUB', `${reference.repo} is a plugin, and models of the hub bring no code here.`, {
    where: file, remedy: `Where you trust it, name its folder: --model ${model.folder}`,
  });
}

/**
 * Finds a model by its folder, by the name of an installed one, or by `owner/name[@revision]` on the hub, from where it is
 * downloaded when it is not on this machine yet. A folder of that name wins.
 *
 * @param plugins folders of plugins beside those that are installed
 * @param note told of what is downloaded
 * @returns its folder, and its id where loading does not tell it
 * @throws LETHE_MODEL_MISSING for a name that is none of these; LETHE_MODEL_HUB for a model that the hub does not give, or that has a
 * plugin.json; what is wrong with an installed one that is broken; the errors of `installedPlugins`
 */
async function findModel(
  name: string, plugins: readonly string[] | undefined, note: (text: string) => void,
): Promise<Pick<HubModel, 'folder'> & Partial<HubModel>> {
  if (existsSync(join(name, 'config.json'))) return { folder: resolve(name) };
  if (existsSync(join(name, 'adapter_config.json'))) {
    throw new LetheError('LETHE_MODEL_MISSING', 'The folder holds an adapter, not a model.', { where: name, remedy: `start from it with --adapter ${name}` });
  }
  const reference = existsSync(name) ? undefined : parseHubReference(name);
  if (reference && isFolder(dirname(name))) {
    throw new LetheError('LETHE_MODEL_MISSING', `There is no folder ${basename(name)} in ${dirname(name)}.`, {
      where: resolve(name), remedy: `check the path; for ${reference.repo} of the hub, go to another folder first, where there is no ${dirname(name)}`,
    });
  }
  if (reference) return fetched(reference, note);
  if (isPath(name)) return { folder: resolve(name) };
  const installed = installedPlugins(plugins);
  const models = ofKind('model', installed.plugins);
  const found = models.find(({ manifest }) => manifest.name === name);
  if (found) return { folder: dirname(found.file) };
  refuseBroken(installed, 'model', name);
  const known = models.map(({ manifest }) => manifest.name);
  throw new LetheError('LETHE_MODEL_MISSING', `There is no model "${name}".${didYouMean(name, known)}`, {
    remedy: `choose one of: ${known.join(', ')}; or give a folder with --model DIR, or a model of the hub with --model OWNER/NAME`,
  });
}

async function openFound(name: string, plugins: RunRequest['plugins'], chat: boolean, note: (text: string) => void): Promise<{ model: LanguageModel; dir: string }> {
  const { folder: dir, id } = await findModel(name, plugins, note);
  const model = await loadModel(dir, { chat });
  return { model: { ...model, id: id ?? model.id }, dir };
}

/** Opens the model that an adapter says it was trained on; an error of one that is not here says so. */
async function openBase<T>(adapter: string, open: (name: string) => Promise<T>): Promise<T> {
  const { name, revision } = readBase(adapter);
  try {
    return await open(revision === undefined ? name : `${name}@${revision}`);
  } catch (error) {
    if (!(error instanceof LetheError) || error.code !== 'LETHE_MODEL_MISSING') throw error;
    throw error.with({
      message: `The adapter was trained on "${name}", as its adapter_config.json says, which is not here. ${error.message}`,
      remedy: 'Name that model, as it is called here, with --model.',
    });
  }
}

/**
 * The model that a user names, with an adapter in its weights where one is to be started from.
 *
 * @param request its model as {@link findModel} takes it (without one the model that the adapter was trained on, or the one that comes
 * with Lethe), folders of plugins, the folder of an adapter, and whether its chat template is used
 * @param note told of what is downloaded
 * @throws the errors of `findModel`, `loadModel`, `readBase` and `mergeAdapter`
 */
export async function openNamed(
  { model: name, plugins, adapter, chat = false }: Pick<RunRequest, 'model' | 'plugins' | 'adapter' | 'chat'>, note: (text: string) => void,
): Promise<{ model: LanguageModel; dir: string; adapterDir?: string }> {
  const { model, dir } = name === undefined && adapter !== undefined
    ? await openBase(adapter, (base) => openFound(base, plugins, chat, note)) : await openFound(name ?? DEFAULT_MODEL, plugins, chat, note);
  if (adapter === undefined) return { model, dir };
  return { model: await mergeAdapter(model, adapter), dir, adapterDir: resolve(adapter) };
}

/** The model of a configuration in the words of a command line; none for the one that comes with Lethe. */
export function modelWords({ dir, adapterDir, chat }: Configuration['model']): string[] {
  if (dir === join(PATHS.models, DEFAULT_MODEL) && adapterDir === undefined) return [];
  return [`--model ${typed(dir)}`, ...(adapterDir === undefined ? [] : [`--adapter ${typed(adapterDir)}`]), ...(chat ? ['--chat'] : [])];
}

/** What results say of a model. */
export function identityOf({ id, sha256, chat, merged }: LanguageModel): RunIdentity['model'] {
  return { id, sha256, ...(chat && { chat }), ...(merged && { adapter: { id: merged.id, sha256: merged.sha256, base: merged.base } }) };
}
