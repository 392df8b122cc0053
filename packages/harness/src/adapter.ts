import type { Adapter, Arrays, Learner } from '@lethe/core';
import { LetheError } from '@lethe/core';
import { loraDelta } from '@lethe/core/tensor';
import type { LanguageModel } from '@lethe/model';
import { baseModel } from './evaluate.js';
import type { Forward } from './loss.js';

/** The learner that adds an adapter and learns nothing, e.g. one that PEFT made: to score or to generate with. */
export function adapterLearner(adapter: Adapter): Learner {
  const names = (site: string) => ({ a: `${site}.A`, b: `${site}.B` });
  const frozen: Arrays = Object.fromEntries(Object.entries(adapter).flatMap(([site, { a, b }]) => [[names(site).a, a], [names(site).b, b]]));
  return {
    ...baseModel,
    frozen,
    adapt: ({ name }, x, { params }) => {
      const update = adapter[name];
      const { a, b } = names(name);
      return update ? loraDelta(x, params[a]!, params[b]!, update.scale) : null;
    },
    save: () => ({ ...baseModel.save(), frozen }),
    adapter: () => adapter,
  };
}

/** A model with an adapter, or as it is: what the scorer and generation compute with. */
export function forwardOf(model: LanguageModel, adapter: Adapter = {}): Forward {
  return { model, learner: adapterLearner(adapter), sites: model.sites };
}

/**
 * What a learner adds to its model, as an adapter.
 *
 * @param method its name, for messages
 * @throws LETHE_ADAPTER_NONE for a method whose update is no low-rank adapter
 */
export function adapterOf({ learner }: Forward, method: string): Adapter {
  const adapter = learner.adapter?.();
  if (adapter) return adapter;
  throw new LetheError('LETHE_ADAPTER_NONE', `What "${method}" adds to the model is not a low-rank adapter.`, {
    where: method, remedy: 'Export a method without a gate, such as lora-sequential; a learner that adds one has a function "adapter".',
  });
}
