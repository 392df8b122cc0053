import {
  type Arrays, Asked, type GradientRequest, type Learner, LetheError, type MethodHost, type NdArray, type Random, type Row, type Site, type TaskView, type WritingRequest, type Written,
  didYouMean, randomOfTexts,
} from '@lethe/core';
import { namedGradients, picked } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';
import { FEATURES, ROOM, type Rows, SITES, WIDTH, arraysOf, batchOf, forward, rowsBetween, squaredError, tensorsOf, written } from './toy-world.js';

/** What a host must know of the stream that it serves. */
export interface Served {
  readonly learner: () => Learner;
  /** The rows at hand; throws where there are none. */
  readonly visible: () => Rows;
  /** The rows of a task as a method may keep them; absent where it may not. */
  readonly keepable: ((task: TaskView) => Row[]) | undefined;
  /** What rows that a method keeps stand for. */
  readonly rowsOf: (kept: readonly Row[]) => Rows;
  /** Whether the learner may ask for the task of a row. */
  readonly told: boolean;
}

/** Nothing that a method asks for is there at once, as on a language model: who does not wait for it is found out. */
const later = () => new Promise((done) => { setImmediate(done); });

/** The host of a method on the small stream. */
export class ToyHost implements MethodHost {
  readonly sites: readonly Site[] = SITES.map((site) => ({ ...site }));
  readonly rank = 4;
  readonly scale = 2;
  readonly featureSize = FEATURES;
  readonly width = WIDTH;
  readonly modelParameters = 72;
  readonly endOfText = 0;
  readonly room = ROOM;
  private readonly requests = new Asked();

  constructor(readonly random: Random, private readonly served: Served) {}

  /** Throws LETHE_METHOD_FAILED where the method did not wait for what it asked for. */
  checkAwaited(): Promise<void> {
    return this.requests.check();
  }

  rows(task: TaskView): readonly Row[] {
    this.served.visible();
    if (this.served.keepable) return this.served.keepable(task);
    throw new LetheError('LETHE_METHOD_CAPABILITY', 'A method asked for training rows to keep, which its manifest does not declare.');
  }

  gradients(_task: TaskView, request: GradientRequest): AsyncIterable<Arrays> {
    return this.requests.each('host.gradients', this.differentiated(request));
  }

  features(_task: TaskView, rows: number): Promise<{ shape: readonly [number, number]; data: Float32Array }> {
    return this.requests.during('host.features', async () => {
      await later();
      const { z } = this.served.visible();
      const count = Math.min(rows, z.shape[0]!);
      return { shape: [count, FEATURES] as const, data: z.data.slice(0, count * FEATURES) };
    });
  }

  predictions(_task: TaskView, rows: readonly Row[]): Promise<readonly NdArray[]> {
    return this.requests.during('host.predictions', async () => {
      await later();
      this.served.visible();
      const learner = this.served.learner();
      return rows.map((row) => tf.tidy(() => {
        const { scope } = forward(learner, tensorsOf(arraysOf(learner)), batchOf(this.served.rowsOf([row])), false, this.served.told);
        const { logp } = scope.predictions();
        return { shape: logp.shape, data: logp.dataSync<'float32'>().slice() };
      }));
    });
  }

  generate(_task: TaskView, prompts: readonly (readonly number[])[], { maxTokens, draw }: WritingRequest): Promise<readonly Written[]> {
    return this.requests.during('host.generate', async () => {
      await later();
      this.served.visible();
      const randoms = draw && randomOfTexts(draw.random.below(2 ** 31), prompts);
      return prompts.map((prompt, at) => written(this.served.learner(), prompt, this.served.told, maxTokens, randoms?.[at], draw?.temperature));
    });
  }

  async weight(site: Site): Promise<NdArray> {
    return { shape: [site.in, site.out], data: new Float32Array(site.in * site.out).fill(1 / site.in) };
  }

  async embeddings(count: number, random: Random): Promise<NdArray> {
    return { shape: [count, WIDTH], data: random.normals(count * WIDTH, 1) };
  }

  moments(_task: TaskView, rows: number, sites: readonly Site[] = this.sites): Promise<Arrays> {
    return this.requests.during('host.moments', async () => {
      await later();
      return this.observed(rows, sites);
    });
  }

  /** Second moments of what the sites read of the rows at hand. */
  private observed(rows: number, sites: readonly Site[]): Arrays {
    const all = this.served.visible();
    const learner = this.served.learner();
    const moments: Record<string, NdArray> = {};
    const observe: Learner['adapt'] = (site, x, scope) => {
      if (!sites.some(({ name }) => name === site.name)) return learner.adapt(site, x, scope);
      const flat = x.slice([0, learner.virtualTokens ?? 0, 0]).reshape([-1, site.in]) as tf.Tensor2D;
      const moment = tf.matMul(flat, flat, true, false).div(flat.shape[0]);
      moments[site.name] = { shape: moment.shape, data: moment.dataSync<'float32'>() };
      return learner.adapt(site, x, scope);
    };
    const observed = Object.create(learner, { adapt: { value: observe } }) as Learner;
    tf.tidy(() => {
      forward(observed, tensorsOf(arraysOf(learner)), batchOf(rowsBetween(all, 0, Math.min(rows, all.x.shape[0]!))), true, this.served.told);
    });
    return moments;
  }

  private async *differentiated({ names, rows, batch }: GradientRequest): AsyncIterable<Arrays> {
    await later();
    const learner = this.served.learner();
    const known = Object.keys(arraysOf(learner));
    const unknown = names.find((name) => !known.includes(name));
    if (unknown !== undefined) {
      throw new LetheError('LETHE_METHOD_FAILED', `There is no array "${unknown}" to differentiate by.${didYouMean(unknown, known)}`);
    }
    const all = this.served.visible();
    const count = Math.min(rows, all.x.shape[0]!);
    for (let from = 0; from < count; from += batch) {
      yield tf.tidy(() => {
        const params = tensorsOf(arraysOf(learner));
        const part = batchOf(rowsBetween(all, from, Math.min(count, from + batch)));
        const { gradients } = namedGradients(
          () => squaredError(forward(learner, params, part, true, this.served.told).output, part.y), picked(params, names));
        return Object.fromEntries(Object.entries(gradients).map(([name, g]) => [name, { shape: g.shape, data: g.dataSync<'float32'>() }]));
      });
    }
  }
}
