import { type Adapter, type Arrays, type Method } from '@lethe/core';
import { loraDelta } from '@lethe/core/tensor';
import { type Rule } from '../rule.js';
import { TASKS } from '../toy-world.js';

/** How far an answer of the adapter may be from the learner's, relative to 1 + the value. */
const ROUNDING = 1e-4;

/** The method that adds an adapter and nothing else. */
function adding(adapter: Adapter): Method {
  const frozen: Arrays = Object.fromEntries(Object.entries(adapter).flatMap(([site, { a, b }]) => [[`${site}.A`, a], [`${site}.B`, b]]));
  return {
    create: () => ({
      trainable: {}, frozen, begin: () => undefined, end: () => undefined, restore: () => undefined,
      adapt: ({ name }, x, { params }) => (adapter[name] ? loraDelta(x, params[`${name}.A`]!, params[`${name}.B`]!, adapter[name].scale) : null),
      save: () => ({ trainable: {}, frozen, stored: {}, json: null }),
    }),
  };
}

export const adapterAnswers: Rule = {
  id: 'adapter',
  title: 'exports, where it has "adapter", one that answers as it does',
  remedy: 'Give in adapter() all that adapt adds, A (in, rank), B (rank, out) and the scale of their product; leave the function out where a gate or virtual tokens decide.',
  async check(subject) {
    for (const [i, { state, predictions }] of (await subject.walked()).entries()) {
      const adapter = (await subject.open()).restored(state).learner.adapter?.();
      if (!adapter) return { why: 'it has no function "adapter"' };
      const alone = await subject.open(adding(adapter));
      for (let task = 1; task <= TASKS; task++) {
        const [own, answers] = [predictions[task - 1]!, alone.predict(task)];
        const at = answers.findIndex((value, k) => !(Math.abs(value - own[k]!) <= ROUNDING * (1 + Math.abs(own[k]!))));
        if (at >= 0) return `after stage ${i + 1} value ${at} of the answers to task ${task} is ${own[at]}, and ${answers[at]} by its adapter`;
      }
    }
    return null;
  },
};
