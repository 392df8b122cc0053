import path from 'node:path';
import type { Scope, Site } from '@lethe/core';
import { runStream } from '@lethe/harness';
import { readSafetensors } from '@lethe/model';
import type * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { type Expected, adapterLearner, adaptersOf, examplesOf, FIXTURES, openFixture, readJson, runOn } from './fixtures.js';

/** What `dropout/make_dropout.py` writes of each checkpoint and share. */
interface Spread {
  readonly variant: string;
  readonly dropout: number;
  readonly draws: number;
  readonly whole: number;
  readonly mean: number;
  readonly deviation: number;
}

const STEPS = 1000;

/**
 * The losses of steps on all rows of a fixture that move its initial adapters by nothing.
 *
 * @param onRead told of what every site reads, on a device that runs op by op
 */
async function lossesOf(
  variant: string, dropout: number, steps = STEPS, deviceName = 'cpu', onRead: (site: Site, x: tf.Tensor3D, scope: Scope) => void = () => undefined,
): Promise<readonly number[]> {
  const expected = readJson<Expected>(variant, 'expected.json');
  const arrays = adaptersOf(await readSafetensors(path.join(FIXTURES, variant, 'expected.safetensors')), 'initial');
  const { model, device, folder, close } = await openFixture(variant, deviceName);
  const training = { ...expected.training, dropout, epochs: steps, learningRate: 1e-30, weightDecay: 0 };
  const { suite, job } = runOn(examplesOf(expected), training, model, folder, deviceName);
  const losses: number[] = [];
  const create = ({ scale }: { readonly scale: number }) => {
    const learner = adapterLearner(arrays, scale);
    return {
      ...learner,
      adapt(...[site, x, scope]: Parameters<typeof learner.adapt>) {
        onRead(site, x, scope);
        return learner.adapt(site, x, scope);
      },
    };
  };
  try {
    const method = { create };
    await runStream(job, { device, model, suite, method }, (event) => { if (event.type === 'train-progress') losses.push(event.loss); });
  } finally {
    await close();
  }
  return losses;
}

describe('dropout of what adapters read, against PEFT', () => {
  for (const { variant, dropout, draws, whole, mean, deviation } of readJson<Spread[]>('dropout', 'expected.json')) {
    it(`makes the same of the loss, on the mean and in its spread: ${dropout} of ${variant}`, async () => {
      const losses = await lossesOf(variant, dropout);
      expect(losses).to.have.length(STEPS);
      const own = losses.reduce((sum, loss) => sum + loss, 0) / STEPS;
      const spread = Math.sqrt(losses.reduce((sum, loss) => sum + (loss - own) ** 2, 0) / (STEPS - 1));
      const error = deviation * Math.sqrt(1 / STEPS + 1 / draws);
      expect(own, 'mean').to.be.closeTo(mean, 4 * error);
      expect(spread / deviation, 'deviation, as a part of theirs').to.be.closeTo(1, 4 * Math.sqrt((1 / STEPS + 1 / draws) / 2));
      expect(Math.min(...losses)).to.be.below(whole);
      expect(Math.max(...losses)).to.be.above(whole);
    });
  }

  it('is drawn for every site by itself, also for those that read the same', async () => {
    const share = 0.4;
    /** What the two sites of the first layer read in twelve steps, each value of every token. */
    const readBy = async (dropout: number): Promise<[q: number[], v: number[]]> => {
      const read: Record<string, (readonly number[])[]> = { 'layers.0.q': [], 'layers.0.v': [] };
      await lossesOf('llama/tied', dropout, 12, 'tfjs-cpu', ({ name }, x, { training }) => {
        if (training) read[name]?.push([...x.dataSync()]);
      });
      // a device that runs op by op tries a program on zeros first
      return [read['layers.0.q']!.slice(1).flat(), read['layers.0.v']!.slice(1).flat()];
    };
    const [[q, v], [whole, same]] = [await readBy(share), await readBy(0)];
    expect(same).to.deep.equal(whole);
    expect(whole).to.have.length.above(10_000).and.not.contain(0);
    const both = q.filter((value, i) => value === 0 && v[i] === 0).length / q.length;
    expect(both).to.be.closeTo(share ** 2, 4 * Math.sqrt((share ** 2 * (1 - share ** 2)) / q.length));
    // where neither was dropped, they read the same
    expect(q.every((value, i) => value === 0 || v[i] === 0 || value === v[i])).to.equal(true);
  });
});
