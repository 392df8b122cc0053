import type { Arrays, Row, TrainingBudget } from '@lethe/core';
import { createRandom } from '@lethe/core';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { Host } from '../src/host.js';
import { Lora } from './learners.js';
import { eagerDevice, rowAlone, silent, tinyModel } from './tiny.js';

const TASK = { index: 1, rows: 40, steps: 10 };
const BUDGET: TrainingBudget = {
  epochs: 1, batch: 4, learningRate: 1e-2, warmup: 0, weightDecay: 0, clip: 1, rank: 2, alpha: 4, sites: ['q'], maxTokens: 16,
};
const CAPABILITIES = { rehearsal: false, taskIdentity: false, growth: 'none', bound: false } as const;
/** As of a file that is sorted by label: twenty rows that say 1, then twenty that say 2. */
const SORTED: readonly Row[] = Array.from({ length: 40 }, (_, i) => {
  const token = i < 20 ? 1 : 2;
  return { prompt: [token, token, token], answer: [token] };
});

function hostWith(rows: readonly Row[], seed = 1): Host {
  const host = new Host(eagerDevice(), tinyModel(), BUDGET, createRandom(seed), CAPABILITIES);
  host.learner = silent;
  host.show(rows);
  return host;
}

/** Which rows came, by the features of rows that are known: of the first kind or not. */
async function kinds(host: Host, count: number): Promise<boolean[]> {
  const [first] = await hostWith(SORTED.slice(0, 1)).features(TASK, 1).then(({ data }) => data);
  const { shape: [rows, size], data } = await host.features(TASK, count);
  return Array.from({ length: rows }, (_, i) => data[i * size] === first);
}

/** Which rows came for gradients, by those of a row of the first kind with the same adapter. */
async function differentiated(rows: number, seed = 1): Promise<boolean[]> {
  const of = async (shown: readonly Row[]): Promise<number[][]> => {
    const host = hostWith(shown, seed);
    const learner = new Lora(host);
    host.learner = learner;
    const found: number[][] = [];
    for await (const gradients of host.gradients(TASK, { names: Object.keys(learner.trainable), rows, batch: 1 })) {
      found.push(Object.values(gradients).flatMap(({ data }) => [...data]));
    }
    return found;
  };
  const [first] = await of(SORTED.slice(0, 1));
  return (await of(SORTED)).map((gradients) => gradients.join() === first!.join());
}

/** The mean of the moments of two kinds of rows, where so many of all are of the first. */
function mixed(of: readonly [Arrays, Arrays], share: number): number[] {
  const [one, two] = of.map((arrays) => arrays['layers.0.q']!.data) as [Float32Array, Float32Array];
  return Array.from(one, (value, i) => share * value + (1 - share) * two[i]!);
}

describe('the frozen matrix of a site', () => {
  it('is the method\'s own copy of what the model computes with', async () => {
    const model = tinyModel();
    const host = new Host(eagerDevice(), model, BUDGET, createRandom(1), CAPABILITIES);
    const [site] = host.sites;
    const { shape, data } = await host.weight(site!);
    expect(shape).to.deep.equal([site!.in, site!.out]);
    expect(data).to.deep.equal(model.weights[site!.name]!.data);
    data.fill(0);
    expect(model.weights[site!.name]!.data.some((value) => value !== 0)).to.equal(true);
  });
});

/** Log probabilities of the whole vocabulary where the model, by itself, is to predict the answer of a row and the end of text. */
function predictedAlone(row: Row): number[][] {
  const model = tinyModel();
  const { batch, weights } = rowAlone(model, row);
  const logp = tf.logSoftmax(model.logits(model.hidden(batch, weights, null), weights)).arraySync() as number[][];
  return logp.slice(row.prompt.length - 1);
}

describe('what the model predicts of rows', () => {
  it('is asked for row by row, of answers of any length, in and beyond one batch', async () => {
    const rows = Array.from({ length: 11 }, (_, i): Row => ({
      prompt: Array.from({ length: 2 + (i % 5) }, (__, k) => 1 + ((i * 7 + k * 3) % 30)), answer: Array.from({ length: 1 + (i % 3) }, (__, k) => 2 + i + k),
    }));
    const found = await hostWith(rows).predictions(TASK, rows);
    expect(found.map(({ shape }) => shape)).to.deep.equal(rows.map(({ answer }) => [answer.length + 1, 32]));
    rows.forEach((row, i) => predictedAlone(row).flat().forEach((value, n) => expect(found[i]!.data[n]).to.be.closeTo(value, 1e-4)));
    expect(await hostWith(rows).predictions(TASK, [])).to.deep.equal([]);
  });

  it('is not asked for outside of begin and end', async () => {
    const host = hostWith(SORTED);
    host.show(undefined);
    const error = await host.predictions(TASK, SORTED).catch((cause: unknown) => cause);
    expect(error).to.have.property('code', 'LETHE_METHOD_FAILED');
  });
});

describe('rows that a method asks the host for', () => {
  it('are drawn from all of the task, the same every time, others with another seed', async () => {
    const host = hostWith(SORTED);
    const drawn = await kinds(host, 16);
    expect(drawn.filter(Boolean)).to.have.length.within(3, 13);
    expect(await kinds(host, 16)).to.deep.equal(drawn);
    expect(await kinds(hostWith(SORTED), 16)).to.deep.equal(drawn);
    expect(await kinds(hostWith(SORTED, 2), 16)).to.not.deep.equal(drawn);
  });

  it('are drawn for gradients too', async () => {
    const drawn = await differentiated(16);
    expect(drawn).to.have.length(16);
    expect(drawn.filter(Boolean)).to.have.length.within(3, 13);
    expect(await differentiated(16)).to.deep.equal(drawn);
    expect(await differentiated(16, 2)).to.not.deep.equal(drawn);
  });

  it('are the same for features and moments', async () => {
    const share = (await kinds(hostWith(SORTED), 16)).filter(Boolean).length / 16;
    const of = async (rows: readonly Row[], count: number) => hostWith(rows).moments(TASK, count);
    const pure = [await of(SORTED.slice(0, 20), 20), await of(SORTED.slice(20), 20)] as const;
    const expected = mixed(pure, share);
    (await of(SORTED, 16))['layers.0.q']!.data.forEach((value, i) => expect(value).to.be.closeTo(expected[i]!, 1e-5));
  });

  it('are all of them in their order where as many, or more, are asked for', async () => {
    for (const count of [40, 1000]) {
      expect(await kinds(hostWith(SORTED), count)).to.deep.equal(SORTED.map(({ answer }) => answer[0] === 1));
    }
  });
});
