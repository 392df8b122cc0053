import path from 'node:path';
import { type Arrays, type LetheError, type Row, type TrainingBudget, capabilitiesOf, clone, createRandom, declaredOptions } from '@lethe/core';
import { type Device, openDevice } from '@lethe/engine';
import { Host, stepsFor, trainTask } from '@lethe/harness';
import { type LanguageModel, loadModel } from '@lethe/model';
import { methodBeside } from '@lethe/testkit';
import { expect } from 'chai';
import { FIXTURES } from '../model/fixtures.js';

const BUDGET: TrainingBudget = {
  epochs: 1, batch: 8, learningRate: 0.01, warmup: 0, weightDecay: 0, clip: 1, rank: 4, alpha: 4, sites: ['q', 'v'], maxTokens: 48,
};
/** Methods that add to the loss, choose rows, or read gradients: what a part of a step could make something else of. Those of one penalty on arrays stand for others. */
const METHODS = ['lora-sequential', 'ewc', 'si', 'replay', 'der', 'lamol', 'lwf', 'o-lora', 'gainlora', 'sapt', 'seta', 'l2p', 'per-task'];
/** The loss that spreads its load is of the batch as one. */
const OPTIONS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = { der: { budget: 6, share: 0.4 }, replay: { budget: 6 }, lamol: { share: 0.4 }, 'moe-lora': { balance: 0 } };

/** Rows of a task: a word of its own, others, and one of two answers, of one token or two. */
const rowsOf = (task: number): Row[] => Array.from({ length: 12 }, (_, i) => ({
  prompt: [10 + task, ...Array.from({ length: 2 + (i % 4) }, (__, k) => 20 + ((i * 5 + k * 3 + task) % 40))], answer: i % 2 === 0 ? [5] : [6, 7],
}));

describe('steps in micro-batches', () => {
  let device: Device;
  let model: LanguageModel;
  before(async () => {
    device = await openDevice({ name: 'cpu' });
    model = await loadModel(path.join(FIXTURES, 'llama/tied'));
  });
  after(() => device.dispose());

  /** What a method has trained on two tasks, the second one in parts. */
  async function trained(name: string, microBatch?: number): Promise<{ before: Arrays; after: Arrays }> {
    const { manifest, method, options } = await methodBeside(new URL(`../../plugins/${name}/index.js`, import.meta.url).href, OPTIONS[name] ?? {});
    const capabilities = capabilitiesOf(manifest, options);
    const host = new Host(device, model, BUDGET, createRandom(1, name), capabilities);
    const learner = method.create(host, declaredOptions(options));
    host.learner = learner;
    let before: Arrays = {};
    for (const index of [1, 2]) {
      const rows = rowsOf(index);
      const view = { index, rows: rows.length, steps: stepsFor(rows.length, BUDGET) };
      host.show(rows);
      await learner.begin(view);
      before = Object.fromEntries(Object.entries(learner.trainable).map(([key, array]) => [key, clone(array)]));
      await trainTask({
        device, rows, index, stageOf: () => 1, budget: BUDGET,
        forward: { model, learner, sites: host.sites, told: capabilities.taskIdentity, ...(index === 2 && microBatch !== undefined && { microBatch }) },
        makesRows: capabilities.pseudoRehearsal ?? false, random: createRandom(1, 'train', index), name,
        stop: () => false, onStep: () => undefined,
      });
      if (index === 1) await learner.end(view);
    }
    return { before, after: learner.trainable };
  }

  for (const name of [...METHODS, 'moe-lora']) {
    it(`train ${name} as whole steps do, within a thousandth of what these move`, async () => {
      const [whole, parts] = [await trained(name), await trained(name, 3)];
      let [moved, apart] = [0, 0];
      for (const [key, { data }] of Object.entries(whole.after)) {
        data.forEach((value, i) => {
          moved += (value - whole.before[key]!.data[i]!) ** 2;
          apart += (value - parts.after[key]!.data[i]!) ** 2;
        });
      }
      expect(moved).to.be.above(0);
      expect(Math.sqrt(apart / moved)).to.be.below(1e-3);
    });
  }

  it('are refused to a-gem, which weighs gradients of some rows against those of others', async () => {
    expect(await trained('a-gem', 3).then(() => 'none', ({ code }: LetheError) => code)).to.equal('LETHE_METHOD_FAILED');
  });
});
