import { type Arrays, type Row, type Scope, type Site, type TaskView, type TrainingBudget, createRandom } from '@lethe/core';
import type * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { Host } from '../src/host.js';
import { trainTask } from '../src/trainer.js';
import { Lora } from './learners.js';
import { eagerDevice, tinyModel } from './tiny.js';

const model = tinyModel();
const TOKENS = 8;
const BUDGET: TrainingBudget = {
  epochs: 6, batch: 8, learningRate: 1e-9, warmup: 0, weightDecay: 0, clip: 1, rank: 2, alpha: 2, sites: ['q'], maxTokens: 32,
};
/** Alike, so that what differs was drawn. */
const ROWS: readonly Row[] = Array.from({ length: 8 }, () => ({ prompt: [5, 6, 7, 8, 9, 10, 11], answer: [1] }));

/** What a site gave a learner to read, (rows, tokens, in), in training and otherwise. */
interface Seen {
  readonly training: boolean;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Keeps what its site gives it to read. */
class Reader extends Lora {
  readonly seen: Seen[] = [];
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    this.seen.push({ training: scope.training, shape: x.shape, values: x.dataSync<'float32'>().slice() });
    return super.adapt(site, x, scope);
  }
}

interface Trained {
  readonly seen: readonly Seen[];
  readonly arrays: Arrays;
}

async function trained(dropout: number | undefined, change: { seed?: number; microBatch?: number; rows?: readonly Row[] } = {}, made: typeof Reader = Reader): Promise<Trained> {
  const { seed = 1, microBatch, rows = ROWS } = change;
  const budget = { ...BUDGET, ...(dropout !== undefined && { dropout }) };
  const device = eagerDevice();
  const host = new Host(device, model, budget, createRandom(1), { rehearsal: false, taskIdentity: false, growth: 'none', bound: false }, { microBatch });
  const learner = new made(host);
  host.learner = learner;
  host.show(rows);
  await trainTask({
    device, forward: host.forward(), rows, index: 1, stageOf: () => 1, budget, makesRows: false, random: createRandom(seed), name: 'test', stop: () => false,
    onStep: () => undefined,
  });
  return { seen: learner.seen, arrays: learner.trainable };
}

/** By what each input of every token was scaled: 0 for one that was dropped, 1 where none are. (steps, rows, inputs), the inputs of all tokens in one list. */
async function scales(dropout: number, change: Parameters<typeof trained>[1] = {}): Promise<number[][][]> {
  const [some, all] = [await trained(dropout, change), await trained(undefined, change)];
  return some.seen.map(({ shape: [rows], values }, step) => {
    const whole = all.seen[step]!.values;
    const length = values.length / rows!;
    return Array.from({ length: rows! }, (_, row) => Array.from({ length }, (__, i) => values[row * length + i]! / whole[row * length + i]!));
  });
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const gone = (list: readonly number[]) => list.map((scale) => Number(scale === 0));

describe('dropout', () => {
  for (const share of [0.1, 0.5]) {
    it(`drops its share of what is read, and scales the rest up: ${share}`, async () => {
      const all = (await scales(share)).flat(2);
      const exact = Math.round(share * 1021) / 1021;
      expect(all).to.have.length(BUDGET.epochs * ROWS.length * TOKENS * 16);
      expect(mean(gone(all))).to.be.closeTo(exact, 4 * Math.sqrt((exact * (1 - exact)) / all.length));
      all.filter((scale) => scale !== 0).forEach((scale) => expect(scale).to.be.closeTo(1 / (1 - exact), 1e-5));
    });
  }

  it('draws for every step, row, token and input by itself', async () => {
    const steps = (await scales(0.5)).map((rows) => rows.map(gone));
    const tokens = steps.flatMap((rows) => rows.flatMap((row) => Array.from({ length: TOKENS }, (_, t) => row.slice(t * 16, (t + 1) * 16))));
    expect(new Set(tokens.map(String)).size).to.be.above(0.99 * tokens.length);
    // how many of the inputs of a token go: as many as of independent ones, with the same spread
    const counts = tokens.map((list) => list.reduce((sum, one) => sum + one, 0));
    const spread = mean(counts.map((count) => (count - mean(counts)) ** 2));
    expect(spread).to.be.closeTo(16 / 4, 4 * 4 * Math.sqrt(2 / counts.length));
    // no two inputs go together, and none with the one of the next token
    const error = 4 * Math.sqrt(0.1875 / tokens.length);
    for (let i = 0; i < 16; i++) {
      expect(mean(tokens.slice(1).map((list, at) => list[i]! * tokens[at]![i]!)), `input ${i} of two tokens`).to.be.closeTo(0.25, error);
      for (let k = 0; k < i; k++) expect(mean(tokens.map((list) => list[i]! * list[k]!)), `inputs ${i} and ${k}`).to.be.closeTo(0.25, error);
    }
  });

  it('draws the same for the same seed, and other inputs for another', async () => {
    const [first, again, other] = [await trained(0.3), await trained(0.3), await trained(0.3, { seed: 2 })];
    expect(again).to.deep.equal(first);
    expect(other.seen.map(({ values }) => values)).not.to.deep.equal(first.seen.map(({ values }) => values));
  });

  it('is nothing at 0, and where it is left out', async () => {
    expect(await trained(0)).to.deep.equal(await trained(undefined));
  });

  it('is the same in micro-batches, whatever the length to which rows are padded', async () => {
    const rows = ROWS.map((row, i) => ({ ...row, prompt: Array.from({ length: 2 + i * 2 }, () => 5) }));
    const masks = async (microBatch?: number) => {
      const { seen } = await trained(0.4, { rows, ...(microBatch !== undefined && { microBatch }) });
      // the first inputs of a row are those of its first token, which every row has
      return seen.flatMap(({ shape: [count], values }) => Array.from({ length: count! }, (_, row) => String(gone([...values.slice(row * (values.length / count!)).slice(0, 16)]))));
    };
    expect(await masks(3)).to.deep.equal(await masks());
  });

  it('is not in what is computed of rows outside of the steps, nor in what a step compares itself with', async () => {
    class Asks extends Reader {
      penalty(scope: Scope): null {
        scope.predictions({}).logp.dataSync();
        return null;
      }
    }
    const { seen } = await trained(0.5, {}, Asks);
    const dropsSome = ({ values }: Seen) => values.includes(0);
    expect(seen.filter(({ training }) => training).every(dropsSome)).to.equal(true);
    expect(seen.filter(({ training }) => !training)).to.have.length(BUDGET.epochs);
    expect(seen.filter(({ training }) => !training).some(dropsSome)).to.equal(false);

    const device = eagerDevice();
    const host = new Host(device, model, { ...BUDGET, dropout: 0.5 }, createRandom(1), { rehearsal: false, taskIdentity: false, growth: 'none', bound: false });
    const learner = new Reader(host);
    host.learner = learner;
    host.show(ROWS);
    const view: TaskView = { index: 1, rows: ROWS.length, steps: 1 };
    for await (const found of host.gradients(view, { names: Object.keys(learner.trainable), rows: 8, batch: 8 })) expect(Object.keys(found)).to.have.length(2);
    await host.predictions(view, ROWS);
    expect(learner.seen).to.have.length.above(1);
    expect(learner.seen.some(dropsSome)).to.equal(false);
  });
});
