import { type Arrays, type Site, sizeOf } from '@lethe/core';
import type { Tensor } from '@tensorflow/tfjs';
import { type Rule, STEPS, landmarkOf } from '../rule.js';
import { visited } from '../visit.js';

/** What is wrong with the arrays of a learner; null where nothing is. */
function malformed(group: string, arrays: Arrays): string | null {
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    if (!(data instanceof Float32Array)) return `${group} array "${name}" is no Float32Array`;
    if (data.length !== sizeOf(shape)) return `${group} array "${name}" has ${data.length} values, but shape [${shape.join(', ')}]`;
    if (!data.every(Number.isFinite)) return `${group} array "${name}" holds a value that is not finite`;
  }
  return null;
}

/** Every other rule asks for it: a method that cannot go through a stream shows nothing else. */
export const runs: Rule = {
  id: 'runs',
  title: 'goes through a stream with arrays, deltas and penalties of the right shape, all finite',
  remedy: 'Compare with the contract in packages/core/src/method.ts; shapes are written there.',
  async check(subject) {
    const wrong = new Set<string>();
    const stream = await subject.open(visited(subject.tested.method, (name, given, call) => {
      const result = call();
      if (name === 'adapt' && result !== null) {
        const [[site, x], shape] = [given as [Site, Tensor], (result as Tensor).shape];
        const wanted = [...x.shape.slice(0, 2), site.out];
        if (shape.join() !== wanted.join()) wrong.add(`adapt gives [${shape.join(', ')}] at ${site.name} instead of [${wanted.join(', ')}]`);
      }
      if (name === 'penalty' && result !== null && (result as Tensor).rank !== 0) wrong.add(`penalty gives [${(result as Tensor).shape.join(', ')}] instead of a scalar`);
      return result;
    }));
    for (let stage = 1; stage <= stream.stages; stage++) {
      const task = await stream.begin(stage);
      const loss = stream.train(STEPS).find((value) => !Number.isFinite(value));
      if (loss !== undefined) return `a loss of stage ${stage} is ${loss}`;
      await stream.end(task);
      const { state, predictions } = landmarkOf(stream);
      for (const group of ['trainable', 'frozen', 'stored'] as const) {
        const found = malformed(`saved ${group}`, state[group]) ?? (group === 'stored' ? null : malformed(group, stream.learner[group]));
        if (found) return `after stage ${stage}: ${found}`;
      }
      if (predictions.some((values) => !values.every(Number.isFinite))) return `a prediction after stage ${stage} is not finite`;
    }
    return wrong.size === 0 ? null : [...wrong].join('; ');
  },
};
