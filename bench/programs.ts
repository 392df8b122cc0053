import type { Arrays, Learner, NdArray } from '@lethe/core';
import { createRandom, sizeOf } from '@lethe/core';
import { loraArrays, loraDelta, loraNames } from '@lethe/core/tensor';
import type { Constant, Device, Program, TensorSpec, Values } from '@lethe/engine';
import { compileTrainingStep } from '@lethe/harness';
import { features, hidden, type LanguageModel, layoutOf, logProbabilities, logits, sitesOf } from '@lethe/model';
import * as tf from '@tensorflow/tfjs';
import { BUDGET, type Shape } from './shapes.js';

const random = createRandom(1, 'bench');

/** A model of this shape with random weights. */
export function randomModel({ id, config }: Shape): LanguageModel {
  const weights = Object.fromEntries(
    layoutOf(config).map(({ name, shape }): [string, Constant] => [
      name,
      { shape, dtype: 'float32', data: random.fork(id, name).normals(sizeOf(shape), shape.length === 1 ? 1 : 0.05) },
    ]),
  );
  return {
    id,
    config,
    weights,
    sha256: id,
    sites: sitesOf(config),
    featureSize: 2 * config.hiddenSize,
    parameters: Object.values(weights).reduce((sum, { data }) => sum + data.length, 0),
    tokenizer: {
      vocabSize: config.vocabSize,
      endOfText: 0,
      encode: (text) => text.trim().split(/\s+/).map(Number),
      decode: (ids) => ids.join(' '),
    },
    hidden: (batch, tensors, adapt) => hidden(config, batch, tensors, adapt),
    logits: (states, tensors) => logits(config, states, tensors),
    logProbabilities: (states, targets, tensors) => logProbabilities(config, states, targets, tensors),
    features: (batch, tensors) => features(config, batch, tensors),
  };
}

function batchOf({ batch, tokens, targets, config }: Shape): Record<string, Values> {
  const draw = random.fork('batch');
  const cells = batch * tokens;
  return {
    ids: Int32Array.from({ length: cells }, () => draw.below(config.vocabSize)),
    positions: Int32Array.from({ length: cells }, (_, n) => n % tokens),
    segments: Int32Array.from({ length: cells }, (_, n) => (n % tokens < tokens - targets ? 1 : 2)),
    index: Int32Array.from(
      { length: batch * targets },
      (_, n) => Math.floor(n / targets) * tokens + tokens - targets - 1 + (n % targets),
    ),
    token: Int32Array.from({ length: batch * targets }, () => draw.below(config.vocabSize)),
    weight: new Float32Array(batch * targets).fill(1 / (batch * targets)),
  };
}

function loraLearner(arrays: Arrays): Learner {
  return {
    trainable: arrays,
    frozen: {},
    begin: () => undefined,
    end: () => undefined,
    restore: () => undefined,
    save: () => ({ trainable: arrays, frozen: {}, stored: {}, json: null }),
    adapt: (site, x, { params }) => {
      const { a, b } = loraNames(site);
      return loraDelta(x, params[a]!, params[b]!, BUDGET.alpha / BUDGET.rank);
    },
  };
}

export interface Runner {
  /** One step; the next one goes on from its result. */
  readonly run: () => Promise<Readonly<Record<string, Values>>>;
  readonly program: Program;
}

/** The harness' own training step of low-rank adapters, every step fed with what the last one gave. */
export async function trainingRunner(device: Device, model: LanguageModel, shape: Shape): Promise<Runner> {
  const sites = model.sites.filter((site) => BUDGET.sites.includes(site.kind));
  const learner = loraLearner(loraArrays(sites, BUDGET.rank, random.fork('lora')));
  const size = { batch: shape.batch, tokens: shape.tokens, targets: shape.batch * shape.targets };
  const program = await compileTrainingStep({ device, forward: { model, learner, sites }, budget: BUDGET }, size);
  const batch = batchOf(shape);
  const joined = Float32Array.from(Object.values(learner.trainable).flatMap(({ data }: NdArray) => [...data]));
  let state: Record<string, Values> = { flat: joined, m: new Float32Array(joined.length), v: new Float32Array(joined.length) };
  let step = 0;
  return {
    program,
    run: async () => {
      step++;
      const { flat, m, v, ...rest } = await program.run({
        ...batch,
        ...state,
        rate: Float32Array.of(1e-3),
        first: Float32Array.of(1 / (1 - 0.9 ** step)),
        second: Float32Array.of(1 / (1 - 0.999 ** step)),
      });
      state = { flat: flat!, m: m!, v: v! };
      return { ...state, ...rest };
    },
  };
}

/** Log-probabilities of the targets under the model alone. */
export async function scoringRunner(device: Device, model: LanguageModel, shape: Shape): Promise<Runner> {
  const { weight: _, ...batch } = batchOf(shape);
  const grid: TensorSpec = { shape: [shape.batch, shape.tokens], dtype: 'int32' };
  const list: TensorSpec = { shape: [shape.batch * shape.targets], dtype: 'int32' };
  const program = await device.compile({
    name: 'score',
    inputs: { ids: grid, positions: grid, segments: grid, index: list, token: list },
    constants: model.weights,
    compute: ({ ids, positions, segments, index, token }, weights) => {
      const wanted = tf.reshape(index!, [shape.batch, shape.targets]) as tf.Tensor2D;
      const batchTensors = {
        ids: ids as tf.Tensor2D,
        positions: positions as tf.Tensor2D,
        segments: segments as tf.Tensor2D,
        wanted,
      };
      const states = model.hidden(batchTensors, weights, null);
      return { logp: model.logProbabilities(states, { index: null, token: token as tf.Tensor1D }, weights) };
    },
  });
  return { program, run: () => program.run(batch) };
}

/** Rows and columns of the large product. */
export const ROOF_SIZE = 1024;

/** One large matrix product with a constant right side: the roof of what the machine gives to products. */
export async function roofRunner(device: Device): Promise<Runner> {
  const draw = (name: string) => random.fork(name).normals(ROOF_SIZE * ROOF_SIZE, 1);
  const spec: TensorSpec = { shape: [ROOF_SIZE, ROOF_SIZE], dtype: 'float32' };
  const program = await device.compile({
    name: 'roof',
    inputs: { a: spec },
    constants: { b: { ...spec, data: draw('b') } },
    compute: ({ a }, { b }) => ({ y: tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D) }),
  });
  const a = draw('a');
  return { program, run: () => program.run({ a }) };
}
