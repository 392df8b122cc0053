import type { Arrays, Learner, Predictions, Scope, Site, Tensors } from '@lethe/core';
import { LetheError, checkDelta, checkPrefix } from '@lethe/core';
import type { TensorSpec, Values } from '@lethe/engine';
import type { Adapt, BatchTensors, LanguageModel } from '@lethe/model';
import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs';

/** How a method that throws is mended. */
export const MEND = 'Mend the method there. LETHE_DEBUG=1 prints where it was called from.';

/** What one forward pass is about. */
export interface Pass extends Pick<Scope, 'params' | 'training' | 'batch'> {
  /** Gives {@link Scope.features}; called at most once. */
  readonly features: () => Tensor2D;
  /** Those of the model: {@link Scope.weight} and {@link Scope.bias} are among them. */
  readonly weights: Tensors;
  /** {@link Scope.task}, undefined for a method that is not told. */
  readonly task: Tensor1D | undefined;
  /** {@link Scope.predictions}; absent for a pass that ends before there are any. */
  readonly predictions?: (params?: Tensors) => Predictions;
}

/** The scope of one forward pass: what a method sees inside a traced function. */
export function createScope({ params, training, batch, features: make, weights, task, predictions }: Pass): Scope {
  const made = new Map<string, unknown>();
  let features: Tensor2D | undefined;
  return {
    params,
    training,
    batch,
    features: () => (features ??= make()),
    weight: (site) => weights[site.name] as Tensor2D,
    bias: (site) => (weights[`${site.name}.bias`] as Tensor1D | undefined) ?? null,
    once<T>(key: string, value: () => T): T {
      if (!made.has(key)) made.set(key, value());
      return made.get(key) as T;
    },
    task() {
      if (task) return task;
      throw new LetheError('LETHE_METHOD_CAPABILITY', 'A method asked for the task of a row, which its manifest does not declare.', {
        remedy: 'Set "taskIdentity" and "bound" in the capabilities of its plugin.json, or predict without it.',
      });
    },
    predictions: predictions ?? noPredictions,
  };
}

/** Throws LETHE_METHOD_FAILED: `adapt` cannot read what it takes part in. */
export function noPredictions(): never {
  throw new LetheError('LETHE_METHOD_FAILED', 'A method asked in "adapt" for predictions that are still being made.', { remedy: 'Ask in "penalty".' });
}

/**
 * The sites of a run: the model's linear layers of these kinds, numbered anew. A model without a gate has fewer kinds.
 *
 * @throws LETHE_MODEL_SITES where the model has none of them: nothing would be trained
 */
export function sitesOf(model: LanguageModel, kinds: readonly Site['kind'][]): readonly Site[] {
  const sites = model.sites.filter((site) => kinds.includes(site.kind)).map((site, index) => ({ ...site, index }));
  if (sites.length > 0) return sites;
  const known = [...new Set(model.sites.map(({ kind }) => kind))].join(', ');
  throw new LetheError('LETHE_MODEL_SITES', `The suite adapts layers of kind ${kinds.join(', ')}; the model has ${known}.`, {
    where: 'training.sites', remedy: `Choose training.sites among ${known}, or another model.`,
  });
}

/**
 * What a learner adds at a site. Layers differ in shape, so that whatever is thrown there says at which site it was, shapes that the compiler
 * refuses among it; another clear error passes as it is.
 */
function deltaAt(learner: Learner, site: Site, x: Tensor3D, scope: Scope): Tensor3D | null {
  try {
    return learner.adapt(site, x, scope);
  } catch (cause) {
    const message = `${(cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '')}, in adapt at ${site.name}.`;
    if (!(cause instanceof LetheError)) throw new LetheError('LETHE_METHOD_FAILED', message, { remedy: MEND, cause });
    throw cause.code === 'LETHE_ENGINE_SHAPE' ? cause.with({ message }) : cause;
  }
}

/**
 * Lets the learner add its deltas at the sites of the run, and nowhere else. Throws LETHE_METHOD_FAILED for what is no delta.
 *
 * @param onDelta told of every site where it adds one
 * @param drop what the learner reads of the input of a site; all of it where this is left out
 */
export function adaptWith(
  learner: Learner, sites: readonly Site[], scope: Scope, onDelta: (site: Site) => void, drop: (site: Site, x: Tensor3D) => Tensor3D = (_, x) => x,
): Adapt {
  const byName = new Map(sites.map((site) => [site.name, site]));
  return (modelSite, x) => {
    const site = byName.get(modelSite.name);
    const delta = site ? checkDelta(deltaAt(learner, site, drop(site, x), scope), site, x) : null;
    if (delta) onDelta(site!);
    return delta;
  };
}

/** The batch behind the vectors, of this size, that the learner puts before its text, where it has any. */
export function withPrefix(learner: Learner, scope: Scope, batch: BatchTensors, width: number): BatchTensors {
  const { virtualTokens } = learner;
  return virtualTokens ? { ...batch, prefix: checkPrefix(learner.prefix!(scope), scope.batch, virtualTokens, width) } : batch;
}

/** All of a learner's arrays, {@link Scope.params} outside of traced functions. */
export const paramsOf = ({ frozen, trainable }: Learner): Arrays => ({ ...frozen, ...trainable });

/** Prefix of the program inputs that hold all of a learner's arrays. */
export const PARAMS = 'params.';

/** Program inputs for named arrays, under a prefix that keeps them apart from the inputs of the batch. */
export function arrayInputs(arrays: Arrays, prefix: string): Record<string, TensorSpec> {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, { shape }]) => [prefix + name, { shape, dtype: 'float32' }]));
}

/** Values for {@link arrayInputs}. */
export function arrayFeeds(arrays: Arrays, prefix: string): Record<string, Values> {
  return Object.fromEntries(Object.entries(arrays).map(([name, { data }]) => [prefix + name, data]));
}

/** The tensors of {@link arrayInputs} inside the traced function, by their own names. */
export function arrayTensors(arrays: Arrays, prefix: string, inputs: Tensors): Tensors {
  return Object.fromEntries(Object.keys(arrays).map((name) => [name, inputs[prefix + name]!]));
}
