import type { Learner, NdArray, Site } from '@lethe/core';
import { createRandom } from '@lethe/core';
import { loraArrays, loraDelta, loraNames } from '@lethe/core/tensor';
import type { Device, TensorSpec, Values } from '@lethe/engine';
import { compileTrainingStep } from '@lethe/harness';
import type { LanguageModel } from '@lethe/model';
import * as tf from '@tensorflow/tfjs';
import { BUDGET, OPTIONS, type Shape, promptOf } from './shapes.js';

const random = createRandom(1, 'bench');

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

/** A learner of nothing but low-rank adapters, and its sites. */
export function loraLearner(model: LanguageModel): { learner: Learner; sites: readonly Site[] } {
  const sites = model.sites.filter((site) => BUDGET.sites.includes(site.kind));
  const arrays = loraArrays(sites, BUDGET.rank, random.fork('lora'));
  const learner: Learner = {
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
  return { learner, sites };
}

export interface Runner {
  /** One step; the next one goes on from its result. */
  readonly run: () => Promise<Readonly<Record<string, Values>>>;
}

/** The harness' own training step of low-rank adapters, every step fed with what the last one gave. */
export async function trainingRunner(device: Device, model: LanguageModel, shape: Shape): Promise<Runner> {
  const { learner, sites } = loraLearner(model);
  const size = { batch: shape.batch, tokens: shape.tokens, targets: shape.batch * shape.targets };
  const program = await compileTrainingStep({ device, forward: { model, learner, sites }, budget: BUDGET }, size);
  const batch = batchOf(shape);
  const joined = Float32Array.from(Object.values(learner.trainable).flatMap(({ data }: NdArray) => [...data]));
  let state: Record<string, Values> = { flat: joined, m: new Float32Array(joined.length), v: new Float32Array(joined.length) };
  let step = 0;
  return {
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

/**
 * Log-probabilities of the tokens of all options under the model alone. A row is its prompt and all options, each its own segment,
 * as the harness packs them.
 */
export async function scoringRunner(device: Device, model: LanguageModel, shape: Shape): Promise<Runner> {
  const { batch, tokens, targets } = shape;
  const prompt = promptOf(shape);
  const wanted = OPTIONS * targets;
  const draw = random.fork('score');
  const at = (of: (column: number, option: number) => number) =>
    Int32Array.from({ length: batch * tokens }, (_, n) => {
      const column = n % tokens;
      return of(column, column < prompt ? -1 : Math.floor((column - prompt) / targets));
    });
  const feeds = {
    ids: at(() => draw.below(model.config.vocabSize)),
    positions: at((column, option) => (option < 0 ? column : prompt + ((column - prompt) % targets))),
    segments: at((_, option) => option + 2),
    index: Int32Array.from({ length: batch * wanted }, (_, n) => {
      const place = n % wanted;
      // the first token of an option is predicted by the end of the prompt
      return Math.floor(n / wanted) * tokens + prompt - 1 + (place % targets === 0 ? 0 : place);
    }),
    token: Int32Array.from({ length: batch * wanted }, () => draw.below(model.config.vocabSize)),
  };
  const grid: TensorSpec = { shape: [batch, tokens], dtype: 'int32' };
  const list: TensorSpec = { shape: [batch * wanted], dtype: 'int32' };
  const program = await device.compile({
    name: 'score',
    inputs: { ids: grid, positions: grid, segments: grid, index: list, token: list },
    constants: model.weights,
    compute: ({ ids, positions, segments, index, token }, weights) => {
      const batchTensors = {
        ids: ids as tf.Tensor2D,
        positions: positions as tf.Tensor2D,
        segments: segments as tf.Tensor2D,
        wanted: tf.reshape(index!, [batch, wanted]) as tf.Tensor2D,
      };
      const states = model.hidden(batchTensors, weights, null);
      return { logp: model.logProbabilities(states, { index: null, token: token as tf.Tensor1D }, weights) };
    },
  });
  return { run: () => program.run(feeds) };
}

/** Rows and columns of the large products, and how many follow each other in one run. */
export const ROOF_SIZE = 1024;
export const ROOF_PRODUCTS = 8;

/**
 * Large matrix products with a constant right side: the roof of what the machine gives to products. Several in a run, of which
 * one number comes back: handing over the matrices takes as long as a third of one product on two threads.
 */
export async function roofRunner(device: Device): Promise<Runner> {
  const draw = (name: string) => random.fork(name).normals(ROOF_SIZE * ROOF_SIZE, 1 / Math.sqrt(ROOF_SIZE));
  const spec: TensorSpec = { shape: [ROOF_SIZE, ROOF_SIZE], dtype: 'float32' };
  const program = await device.compile({
    name: 'roof',
    inputs: { a: spec },
    constants: { b: { ...spec, data: draw('b') } },
    compute: ({ a }, { b }) => {
      const product = Array.from({ length: ROOF_PRODUCTS }).reduce<tf.Tensor>((y) => tf.matMul(y as tf.Tensor2D, b as tf.Tensor2D), a!);
      return { y: tf.max(product) };
    },
  });
  const a = draw('a');
  return { run: () => program.run({ a }) };
}
