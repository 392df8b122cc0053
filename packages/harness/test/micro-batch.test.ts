import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Arrays, type CompletedRun, type LetheError, type MethodHost, type Row, type Scope, type StepGradients, type TaskView, type Tensors, type TrainingBudget, createRandom, zeros,
} from '@lethe/core';
import type { Device } from '@lethe/engine';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { Host } from '../src/host.js';
import { runStream } from '../src/index.js';
import { trainTask } from '../src/trainer.js';
import { Lora } from './learners.js';
import { eagerDevice, tinyJob, tinyModel, tinySuite } from './tiny.js';

const model = tinyModel();
const BUDGET: TrainingBudget = {
  epochs: 2, batch: 8, learningRate: 0.02, warmup: 0, weightDecay: 0.01, clip: 0.5, rank: 4, alpha: 4, sites: ['q'], maxTokens: 32,
};
/** Of different lengths, so that parts of a step are padded otherwise than the whole. */
const ROWS: readonly Row[] = Array.from({ length: 20 }, (_, i) => ({
  prompt: Array.from({ length: 2 + (i % 5) }, (__, k) => 3 + ((i * 7 + k * 5) % 28)), answer: Array.from({ length: 1 + (i % 3) }, (__, k) => 1 + ((i + k) % 2)),
}));

/** Held to where it began, whatever the rows. */
class Anchored extends Lora {
  override readonly frozen = Object.fromEntries(Object.entries(this.trainable).map(([name, { shape, data }]) => [`old.${name}`, { shape, data: data.slice() }]));
  penalty({ params }: Scope): tf.Scalar {
    return tf.addN(Object.keys(this.trainable).map((name) => params[name]!.sub(params[`old.${name}`]!).square().sum<tf.Scalar>()));
  }
}

/** Held to what the model alone predicts of the rows. */
class Distilled extends Lora {
  penalty(scope: Scope): tf.Scalar {
    const silent = Object.fromEntries(Object.entries(this.trainable).map(([name, { shape }]) => [name, tf.zeros([...shape])]));
    const [own, teacher] = [scope.predictions(), scope.predictions(silent)];
    return tf.neg(teacher.logp.exp().mul(own.logp).sum(1).mul(own.weights).sum());
  }
}

/** Sums squared gradients, and takes smaller steps where they were large. */
class Summed extends Lora {
  running = Object.fromEntries(Object.entries(this.trainable).map(([name, { shape }]) => [`sum.${name}`, zeros(shape)]));
  track({ loss }: StepGradients, { params }: Scope): Tensors {
    return Object.fromEntries(Object.entries(loss).map(([name, g]) => [`sum.${name}`, params[`sum.${name}`]!.add(g.square())]));
  }
  transformGradients({ loss }: StepGradients, { params }: Scope): Tensors {
    return Object.fromEntries(Object.entries(loss).map(([name, g]) => [name, g.div(params[`sum.${name}`]!.mul(100).add(1))]));
  }
}

/** Scales what it adds to the rows of a step by the step. */
class Noisy extends Lora {
  stepArrays(step: number, kept: readonly number[]): Arrays {
    return { scale: { shape: [kept.length, 1, 1], data: new Float32Array(kept.length).fill(1 + step / 10) } };
  }
  override adapt(...[site, x, scope]: Parameters<Lora['adapt']>): tf.Tensor3D {
    const delta = super.adapt(site, x, scope);
    return scope.params['scale'] ? delta.mul(scope.params['scale']) : delta;
  }
}

type Made = new (host: MethodHost) => Lora;

/** A device, and the most rows that a program of it has had at once. */
function watched(): { device: Device; most: () => number } {
  let most = 0;
  const eager = eagerDevice();
  const device: Device = {
    ...eager,
    async compile(definition) {
      most = Math.max(most, definition.inputs['ids']?.shape[0] ?? 0);
      return eager.compile(definition);
    },
  };
  return { device, most: () => most };
}

/** Trains a learner; gives its arrays in the end, the losses of its steps, and the most rows that a program had at once. */
async function trained(made: Made, microBatch?: number) {
  const { device, most } = watched();
  const host = new Host(device, model, BUDGET, createRandom(1), { rehearsal: false, taskIdentity: false, growth: 'none', bound: false });
  const learner = new made(host);
  const losses: number[] = [];
  const { tokens } = await trainTask({
    device, forward: { model, learner, sites: host.sites, ...(microBatch !== undefined && { microBatch }) }, rows: ROWS, index: 1, stageOf: () => 1, budget: BUDGET, makesRows: false,
    random: createRandom(1), name: 'test', stop: () => false, onStep: (_, __, loss) => losses.push(loss),
  });
  const { running = {} } = learner as { running?: Arrays };
  return { arrays: { ...learner.trainable, ...running } as Arrays, losses, tokens, most: most() };
}

describe('a step in micro-batches', () => {
  for (const [what, made] of [
    ['of a loss alone', Lora], ['with a penalty on arrays', Anchored], ['with a penalty on predictions', Distilled], ['whose gradients are summed up and changed', Summed],
    ['that has arrays of its own', Noisy],
  ] as const) {
    it(`moves arrays as the whole step does: ${what}`, async () => {
      const whole = await trained(made);
      expect(whole.most).to.equal(8);
      for (const size of [1, 3]) {
        const parts = await trained(made, size);
        expect(parts.most, 'rows at once').to.equal(size);
        expect(parts.tokens).to.equal(whole.tokens);
        parts.losses.forEach((loss, i) => expect(loss, `loss of step ${i + 1}`).to.be.closeTo(whole.losses[i]!, 1e-4));
        for (const [name, { data }] of Object.entries(whole.arrays)) data.forEach((value, i) => expect(parts.arrays[name]!.data[i], `${name}[${i}]`).to.be.closeTo(value, 2e-4));
      }
    });
  }

  it('is the whole step to the bit where it holds all rows', async () => {
    expect(await trained(Distilled, 8)).to.deep.equal(await trained(Distilled));
  });

  it('bounds what a whole run has in memory, scoring and what the method asks for among it', async () => {
    const outDir = await mkdtemp(join(tmpdir(), 'lethe-micro-batch-'));
    const asks = (host: MethodHost) => Object.assign(new Lora(host), {
      begin: async (task: TaskView) => {
        await host.moments(task, 12);
        await host.predictions(task, ROWS.slice(0, 12));
      },
    });
    const run = async (name: string, microBatch?: number) => {
      const { device, most } = watched();
      const job = { ...tinyJob(outDir, name), ...(microBatch !== undefined && { microBatch }) };
      const done = await runStream(job, { device, model, suite: tinySuite(), method: { create: asks } }, () => undefined) as CompletedRun;
      return { done, most: most() };
    };
    try {
      const [whole, parts] = [await run('whole'), await run('parts', 3)];
      expect([whole.most, parts.most]).to.deep.equal([16, 3]);
      expect(parts.done.matrix).to.deep.equal(whole.done.matrix);
      expect([whole.done.environment.microBatch, parts.done.environment.microBatch]).to.deep.equal([undefined, 3]);
    } finally {
      await rm(outDir, { recursive: true });
    }
  });

  it('stops between two of its parts when it is asked to', async () => {
    const eager = eagerDevice();
    const host = new Host(eager, model, BUDGET, createRandom(1), { rehearsal: false, taskIdentity: false, growth: 'none', bound: false });
    let asked = 0;
    const stopped = await trainTask({
      device: eager, forward: { model, learner: new Lora(host), sites: host.sites, microBatch: 3 }, rows: ROWS, index: 1, stageOf: () => 1, budget: BUDGET, makesRows: false,
      random: createRandom(1), name: 'test', stop: () => ++asked > 2, onStep: () => undefined,
    }).then(() => 'none', ({ code, message }: LetheError) => `${code} ${message}`);
    expect(stopped).to.equal('LETHE_RUN_STOPPED Stopped in the midst of step 1.');
  });

  it('is refused to what makes more of a step than its summed gradients', async () => {
    const refusal = async (make: (gradients: StepGradients, scope: Scope) => unknown, base: Made = Lora) => {
      const made = class extends base {
        transformGradients(gradients: StepGradients, scope: Scope): Tensors {
          make(gradients, scope);
          return gradients.loss;
        }
      };
      await trained(made);
      return trained(made, 3).then(() => 'none', ({ code, message }: LetheError) => `${code} ${message}`);
    };
    expect(await refusal(() => undefined)).to.equal('none');
    expect(await refusal(({ of }, { batch }) => of(tf.fill([batch], 1 / batch) as tf.Tensor1D))).to.match(/^LETHE_METHOD_FAILED .*gradients of some rows of a whole step/);
    expect(await refusal(({ kept }) => kept())).to.match(/^LETHE_METHOD_FAILED .*kept rows of a whole step/);
    expect(await refusal((_, scope) => scope.features())).to.match(/^LETHE_METHOD_FAILED .*features of a whole step/);
    expect(await refusal(() => undefined, Noisy)).to.match(/^LETHE_METHOD_FAILED .*arrays of a whole step/);
  });
});
