import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Capabilities, type Learner, type LetheError, type MethodHost, type Row, type Scope, type StepGradients, type Tensors, zeros } from '@lethe/core';
import { type Device, openDevice } from '@lethe/engine';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { runStream } from '../src/index.js';
import { Lora, Rehearses } from './learners.js';
import { eagerDevice, tinyJob, tinyModel, tinySuite } from './tiny.js';

const [suite, model] = [tinySuite(), tinyModel()];
const REHEARSES = { rehearsal: true } as const;
const BATCH = suite.training.batch;

/** What a test does with the gradients of a step. */
type Transform = NonNullable<Learner['transformGradients']>;

/** Trains as another learner does, on gradients that a test has changed. */
const changing = (made: new (host: MethodHost) => Learner, transform?: Transform) => (host: MethodHost): Learner =>
  Object.assign(new made(host), transform ? { transformGradients: transform } : {});

const all = (weight: number) => tf.fill([BATCH], weight) as tf.Tensor1D;
const summed = (a: Tensors, b: Tensors): Tensors => Object.fromEntries(Object.keys(a).map((name) => [name, a[name]!.add(b[name]!)]));

/** Held to 0 so hard that it learns nothing else. */
class Held extends Lora {
  penalty({ params }: Scope): tf.Scalar {
    return tf.addN(Object.keys(this.trainable).map((name) => tf.sum(tf.square(params[name]!)).mul(100))) as tf.Scalar;
  }
}

/** Has kept rows, four of them, in the first half of every step. */
class RehearsesHalf extends Rehearses {
  override batch(drawn: readonly Row[]): readonly Row[] {
    return drawn.map((row, i) => (i < BATCH / 2 ? this.rows[i] ?? row : row));
  }
}

/** Once there are kept rows, learns from these alone. */
class LearnsFromKept extends RehearsesHalf {
  transformGradients({ loss, of, kept }: StepGradients): Tensors {
    return this.rows.length > 0 ? of(kept().div(BATCH / 2)) : loss;
  }
}

/** Has a value for every place of a step, which nothing reads. */
class Marks extends RehearsesHalf {
  constructor(host: MethodHost) {
    super(host);
    this.trainable = { ...this.trainable, places: zeros([BATCH]) };
  }
}

/** Counts its steps, and sums the gradients that were found in them; keeps the sums of each task. */
class Counts extends Lora {
  running = { steps: zeros([]), sums: zeros(this.trainable[this.first]!.shape) };
  readonly seen: { readonly steps: number; readonly sums: readonly number[] }[] = [];
  private get first(): string {
    return Object.keys(this.trainable)[0]!;
  }
  track({ loss }: StepGradients, { params }: Scope): Tensors {
    return { sums: params['sums']!.add(loss[this.first]!), steps: params['steps']!.add(1) };
  }
  transformGradients({ loss }: StepGradients, { params }: Scope): Tensors {
    return { ...loss, [this.first]: loss[this.first]!.add(params['sums']!) };
  }
  override end(): void {
    this.seen.push({ steps: this.running.steps.data[0]!, sums: [...this.running.sums.data] });
  }
}

describe('gradients that a method changes', () => {
  let outDir: string;
  let runs = 0;
  beforeEach(async () => { outDir = await mkdtemp(join(tmpdir(), 'lethe-gradients-')); });
  afterEach(() => rm(outDir, { recursive: true }));

  /** Runs a method; gives what it trains, by name, as it was before the first step and as it is in the end. */
  async function trained(create: (host: MethodHost) => Learner, capabilities: Partial<Capabilities> = {}, device: Device = eagerDevice()) {
    const made: { readonly learner: Learner; readonly first: Record<string, number[]> }[] = [];
    const values = ({ trainable }: Learner) => Object.fromEntries(Object.entries(trainable).map(([name, { data }]) => [name, [...data]]));
    const method = {
      create: (host: MethodHost) => {
        const learner = create(host);
        made.push({ learner, first: values(learner) });
        return learner;
      },
    };
    await runStream(tinyJob(outDir, `method-${runs++}`, capabilities), { device, model, suite, method }, () => undefined);
    const { learner, first } = made.at(-1)!;
    return { learner, first, last: values(learner) };
  }

  const expectAlike = (found: Record<string, number[]>, wanted: Record<string, number[]>) => {
    for (const [name, values] of Object.entries(wanted)) values.forEach((value, i) => expect(found[name]![i], `${name}[${i}]`).to.be.closeTo(value, 2e-3));
  };
  const away = (found: Record<string, number[]>, wanted: Record<string, number[]>) =>
    Math.max(...Object.entries(wanted).flatMap(([name, values]) => values.map((value, i) => Math.abs(value - found[name]![i]!))));

  it('are those of the loss, and as good as none where they are left alone', async () => {
    const free = await trained(changing(Lora));
    expect((await trained(changing(Lora, ({ loss }) => loss))).last).to.deep.equal(free.last);
    const none = await trained(changing(Lora, ({ loss }) => Object.fromEntries(Object.entries(loss).map(([name, g]) => [name, tf.zerosLike(g)]))));
    expect(none.last).to.deep.equal(none.first);
    expect(away(free.last, free.first)).to.be.above(0.1);
  }).timeout(60_000);

  it('of rows are those of their own loss, the penalty left out', async () => {
    const mean: Transform = ({ of }) => of(all(1 / BATCH));
    const free = await trained(changing(Lora));
    expectAlike((await trained(changing(Lora, mean))).last, free.last);
    const held = await trained(changing(Held));
    expect(away(held.last, free.last)).to.be.above(0.1);
    expectAlike((await trained(changing(Held, mean))).last, free.last);
  }).timeout(60_000);

  it('of rows add up, and know which rows are kept ones', async () => {
    const rows = (which: 'kept' | 'drawn') => ({ of, kept }: StepGradients) => of((which === 'kept' ? kept() : tf.sub(1, kept())).div(BATCH));
    const whole = await trained(changing(Rehearses), REHEARSES);
    const both = await trained(changing(Rehearses, (gradients) => summed(rows('kept')(gradients), rows('drawn')(gradients))), REHEARSES);
    expectAlike(both.last, whole.last);
    // all of a step are the four kept rows, each twice: their mean is that of the half of a step which they are here
    expectAlike((await trained(changing(LearnsFromKept), REHEARSES)).last, whole.last);
    const places = async (transform: Transform) => (await trained(changing(Marks, transform), REHEARSES)).last['places']!.map((value) => value !== 0);
    // nothing is kept in the first task, and in the second one the first half of every step
    expect(await places(({ loss, kept }) => ({ ...loss, places: kept() }))).to.deep.equal(Array.from({ length: BATCH }, (_, i) => i < BATCH / 2));
    // a method that chooses no rows has none that are kept
    const none = await trained(changing(Lora, ({ loss, kept }) => Object.fromEntries(Object.entries(loss).map(([name, g]) => [name, g.mul(kept().sum())]))));
    expect(none.last).to.deep.equal(none.first);
  }).timeout(60_000);

  it('are compiled to what they are op by op, features of the batch among them', async () => {
    const transform: Transform = ({ loss, of, kept }, scope) => {
      const others = of(kept().mul(scope.features().mean(1).abs()));
      return Object.fromEntries(Object.entries(loss).map(([name, g]) => [name, g.sub(others[name]!.mul(tf.sum(tf.mul(g, others[name]!)).less(0)))]));
    };
    const device = await openDevice({ name: 'cpu', threads: 1 });
    try {
      const compiled = await trained(changing(Rehearses, transform), REHEARSES, device);
      expectAlike(compiled.last, (await trained(changing(Rehearses, transform), REHEARSES)).last);
      expect(away(compiled.last, compiled.first)).to.be.above(0.1);
    } finally {
      await device.dispose();
    }
  }).timeout(60_000);

  it('may be summed up from step to step, and the sums seen in the next one', async () => {
    const device = await openDevice({ name: 'cpu', threads: 1 });
    try {
      const [compiled, plain] = [await trained(changing(Counts), {}, device), await trained(changing(Counts))] as const;
      const steps = suite.training.epochs * (suite.tasks[0]!.train.length / BATCH);
      // what `begin` does not put back goes on in the next task
      for (const { learner } of [compiled, plain]) expect((learner as Counts).seen.map((seen) => seen.steps)).to.deep.equal([steps, 2 * steps]);
      expectAlike(compiled.last, plain.last);
      const [a, b] = [compiled, plain].map(({ learner }) => (learner as Counts).seen[0]!.sums);
      a!.forEach((value, i) => expect(value).to.be.closeTo(b![i]!, 1e-3));
      expect(Math.max(...a!.map(Math.abs))).to.be.above(0.01);
      expect(away(plain.last, (await trained(changing(Lora))).last)).to.be.above(0.01);
    } finally {
      await device.dispose();
    }
  }).timeout(60_000);

  it('are of the shape of what trains, one for each, and made without predictions', async () => {
    const refusal = async (transform: Transform) => {
      try {
        await trained(changing(Lora, transform));
        return 'nothing';
      } catch (error) {
        return `${(error as LetheError).code} ${(error as LetheError).message}`;
      }
    };
    const A = `lora.${model.sites[0]!.name}.A`;
    expect(await refusal(() => ({}))).to.equal(`LETHE_METHOD_FAILED transformGradients gives undefined for "${A}" instead of a tensor [16, 4]`);
    expect(await refusal((({ loss }: StepGradients) => ({ ...loss, [A.toLowerCase()]: loss[A] })) as Transform))
      .to.equal(`LETHE_METHOD_FAILED transformGradients gives a value for "${A.toLowerCase()}", which is no trainable array. Did you mean "${A}"?`);
    expect(await refusal(({ loss }, scope) => ({ ...loss, [A]: loss[A]!.mul(scope.predictions().logp.sum()) }))).to.match(/^LETHE_METHOD_FAILED .*predictions/);
  }).timeout(60_000);
});
