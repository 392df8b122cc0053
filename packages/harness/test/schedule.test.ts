import { type TrainingBudget, createRandom } from '@lethe/core';
import type { Device } from '@lethe/engine';
import { expect } from 'chai';
import { trainTask } from '../src/trainer.js';
import { Lora } from './learners.js';
import { Host } from '../src/host.js';
import { eagerDevice, tinyModel } from './tiny.js';

const BUDGET: TrainingBudget = {
  epochs: 10, batch: 1, learningRate: 0.5, warmup: 0.2, weightDecay: 0, clip: 1, rank: 2, alpha: 2, sites: ['q'], maxTokens: 16,
};
const CAPABILITIES = { rehearsal: false, taskIdentity: false, growth: 'none', bound: false } as const;

/** The learning rates of ten steps of training, as programs are given them. */
async function ratesOf(budget: TrainingBudget): Promise<number[]> {
  const rates: number[] = [];
  const eager = eagerDevice();
  const device: Device = {
    ...eager,
    async compile(definition) {
      const program = await eager.compile(definition);
      return { ...program, run: (feeds) => (rates.push(feeds['rate']![0]!), program.run(feeds)) };
    },
  };
  const model = tinyModel();
  const host = new Host(device, model, budget, createRandom(1), CAPABILITIES);
  const learner = new Lora(host);
  await trainTask({
    device, forward: { model, learner, sites: host.sites }, rows: [{ prompt: [5, 6], answer: [1] }], index: 1, stageOf: () => 1, budget, makesRows: false,
    random: createRandom(1), name: 'test', stop: () => false, onStep: () => undefined,
  });
  return rates;
}

describe('the learning rate', () => {
  // by hand; after the rise what transformers' get_linear_, get_constant_ and get_cosine_schedule_with_warmup give
  const cosine = Array.from({ length: 8 }, (_, k) => 0.25 * (1 + Math.cos((Math.PI * k) / 8)));
  for (const [schedule, after] of [
    ['linear', [0.5, 0.4375, 0.375, 0.3125, 0.25, 0.1875, 0.125, 0.0625]], ['constant', Array<number>(8).fill(0.5)], ['cosine', cosine],
  ] as const) {
    it(`rises for as long as the budget says, and then goes as its schedule does: ${schedule}`, async () => {
      (await ratesOf({ ...BUDGET, schedule })).forEach((rate, i) => expect(rate, `step ${i + 1}`).to.be.closeTo([0.25, 0.5, ...after][i]!, 1e-6));
    });
  }

  it('falls along a line where nothing is said, and from the first step where there is no rise', async () => {
    expect(await ratesOf(BUDGET)).to.deep.equal(await ratesOf({ ...BUDGET, schedule: 'linear' }));
    expect((await ratesOf({ ...BUDGET, warmup: 0 }))[0]).to.equal(0.5);
    expect((await ratesOf({ ...BUDGET, warmup: 0, schedule: 'cosine' }))[0]).to.equal(0.5);
  });
});
