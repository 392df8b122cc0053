import type { Capabilities, Example, Learner, Row, Site, SuiteData, TaskData, Tensors } from '@lethe/core';
import { createRandom, sha256 } from '@lethe/core';
import { linear } from '@lethe/core/tensor';
import type { Constant, Device, Values } from '@lethe/engine';
import type { Adapt, BatchTensors, LanguageModel } from '@lethe/model';
import type { Job } from '../src/index.js';
import * as tf from '@tensorflow/tfjs';

const VOCABULARY = 32;
const HIDDEN = 16;

/** Trains nothing and adapts nothing. */
export const silent: Learner = {
  trainable: {}, frozen: {}, begin: () => undefined, adapt: () => null, end: () => undefined,
  save: () => ({ trainable: {}, frozen: {}, stored: {}, json: null }), restore: () => undefined,
};

/** A small random model whose only layer averages what a token may see and passes it through one adapter site. */
export function tinyModel(): LanguageModel {
  const random = createRandom(1, 'tiny');
  const weight = (name: string, shape: [number, number]): Constant =>
    ({ shape, dtype: 'float32', data: random.fork(name).normals(shape[0] * shape[1], 0.5) });
  const site: Site = { name: 'layers.0.q', index: 0, layer: 0, kind: 'q', in: HIDDEN, out: HIDDEN };
  const embed = (ids: tf.Tensor, weights: Tensors) => tf.gather(weights['embed']!, ids.cast('int32')) as tf.Tensor3D;
  return {
    id: 'tiny', sha256: 'a'.repeat(64), parameters: VOCABULARY * HIDDEN * 2 + HIDDEN * HIDDEN, featureSize: HIDDEN * 2, sites: [site],
    config: {
      architecture: 'llama',
      vocabSize: VOCABULARY, hiddenSize: HIDDEN, intermediateSize: HIDDEN, layers: 1, heads: 1, keyValueHeads: 1, headSize: HIDDEN,
      maxPositions: 64, normEpsilon: 1e-5, tiedHead: false,
    },
    tokenizer: {
      vocabSize: VOCABULARY, endOfText: 0,
      encode: (text) => text.trim().split(/\s+/).map(Number), decode: (ids) => ids.join(' '),
    },
    weights: { embed: weight('embed', [VOCABULARY, HIDDEN]), [site.name]: weight('q', [HIDDEN, HIDDEN]), head: weight('head', [HIDDEN, VOCABULARY]) },
    embed,
    hidden({ ids, segments, wanted }: BatchTensors, weights: Tensors, adapt: Adapt) {
      const x = embed(ids, weights);
      const tokens = ids.shape[1];
      const keys = segments.expandDims(1);
      const own = tf.logicalOr(keys.equal(1), keys.equal(segments.expandDims(2)));
      const causal = tf.linalg.bandPart(tf.ones([tokens, tokens]), -1, 0).expandDims(0);
      const seen = own.cast('float32').mul(keys.greater(0).cast('float32')).mul(causal);
      const share = seen.div(seen.sum(2, true).maximum(1));
      const mixed = tf.matMul(share, x) as tf.Tensor3D;
      const delta = adapt?.(site, mixed) ?? null;
      const out = linear(mixed, weights[site.name]!);
      const states = (delta ? out.add(delta) : out) as tf.Tensor3D;
      return wanted ? tf.gather(states.reshape([-1, HIDDEN]), wanted.cast('int32')) as tf.Tensor3D : states;
    },
    logits: (hidden, weights) => tf.matMul(hidden.reshape([-1, HIDDEN]) as tf.Tensor2D, weights['head'] as tf.Tensor2D),
    logProbabilities(hidden, { index, token }, weights) {
      const states = hidden.reshape([-1, HIDDEN]);
      const rows = index ? tf.gather(states, index.cast('int32')) : states;
      const logp = tf.logSoftmax(tf.matMul(rows as tf.Tensor2D, weights['head'] as tf.Tensor2D));
      return logp.mul(tf.oneHot(token.cast('int32'), VOCABULARY)).sum(1);
    },
    features({ ids, segments }, weights) {
      const mask = segments.equal(1).cast('float32').expandDims(2);
      const x = embed(ids, weights);
      const count = mask.sum(1);
      const mean = x.mul(mask).sum(1).div(count);
      const variance = tf.square(x.sub(mean.expandDims(1))).mul(mask).sum(1).div(count);
      return tf.concat([mean, tf.sqrt(variance.add(1e-6))], 1) as tf.Tensor2D;
    },
  };
}

/** A row with its answer as a batch by itself, and the weights of a model to read it with, as tensors. */
export function rowAlone(model: LanguageModel, { prompt, answer }: Row): { batch: BatchTensors; weights: Tensors } {
  const ids = [...prompt, ...answer];
  const grid = (values: readonly number[]) => tf.tensor2d([...values], [1, values.length], 'int32');
  return {
    batch: { ids: grid(ids), positions: grid(ids.map((_, i) => i)), segments: grid(ids.map((_, i) => (i < prompt.length ? 1 : 2))) },
    weights: Object.fromEntries(Object.entries(model.weights).map(([name, { data, shape }]) => [name, tf.tensor(data as Float32Array, [...shape])])),
  };
}

/** Runs programs eagerly on the cpu backend, counting them by name. */
export function eagerDevice(runs: Record<string, number> = {}): Device {
  const tensor = (data: Values, shape: readonly number[], dtype: 'float32' | 'int32' | 'bool') => tf.tensor(data, [...shape], dtype);
  return {
    name: 'eager', threads: 1,
    dispose: async () => undefined,
    compile: async ({ name, inputs, constants = {}, compute }) => ({
      name, inputs, outputs: {},
      dispose: async () => undefined,
      run: async (feeds) => {
        runs[name] = (runs[name] ?? 0) + 1;
        return tf.tidy(() => {
          const given = Object.fromEntries(Object.entries(inputs).map(([key, spec]) => [key, tensor(feeds[key]!, spec.shape, spec.dtype)]));
          const fixed = Object.fromEntries(Object.entries(constants).map(([key, spec]) => [key, tensor(spec.data, spec.shape, spec.dtype)]));
          return Object.fromEntries(Object.entries(compute(given, fixed)).map(([key, value]) => [key, value.dataSync().slice()]));
        });
      },
    }),
  };
}

/** Two tasks over other cue tokens with opposite labels, and a probe: learning the second one disturbs the first. */
export function tinySuite(): SuiteData {
  const task = (id: string, cues: readonly [number, number]): TaskData => {
    const rows = (split: string, n: number): Example[] => Array.from({ length: n }, (_, i) => {
      const random = createRandom(1, id, split, i);
      const answer = i % 2;
      const words = [cues[answer]!, 20 + random.below(6), cues[answer]!, 20 + random.below(6)];
      return { id: `${split}-${i}`, prompt: random.shuffle(words).join(' '), options: [' 1', ' 2'], answer };
    });
    const splits = { train: rows('train', 24), validation: [], test: rows('test', 20) };
    return { id, title: id, ...splits, sha256: sha256(splits) };
  };
  return {
    id: 'tiny', version: '1.0.0', kind: 'general', title: 'Tiny', size: 'full',
    tasks: [task('first', [5, 6]), task('second', [8, 7])], probes: [task('probe', [9, 10])],
    orders: [{ id: '1', tasks: ['first', 'second'] }],
    training: {
      epochs: 4, batch: 8, learningRate: 0.05, warmup: 0.1, weightDecay: 0, clip: 1, rank: 4, alpha: 4, sites: ['q'], maxTokens: 32,
    },
  };
}

/** A run of a method over the tiny suite. */
export function tinyJob(outDir: string, id: string, capabilities: Partial<Capabilities> = {}, stream: Job['stream'] = 'continual'): Job {
  const suite = tinySuite();
  return {
    identity: {
      suite: { id: 'tiny', version: '1.0.0', size: 'full' },
      method: {
        id, version: '1.0.0', options: {},
        capabilities: { rehearsal: false, taskIdentity: false, growth: 'none', bound: false, ...capabilities },
      },
      model: { id: 'tiny', sha256: tinyModel().sha256 }, order: suite.orders[0]!, seed: 1, training: suite.training,
    },
    codePath: '', stream, suite: { reference: 'tiny', suitesDir: '', builtDir: '' }, modelDir: '', device: 'eager', threads: 1, outDir,
    origin: { lethe: '0.1.0', git: null },
  };
}
