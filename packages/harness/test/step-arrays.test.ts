import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Arrays, type Capabilities, type LetheError, type MethodHost, type Row, type Scope, type Site, type StepGradients, type TaskView, type Tensors, zeros } from '@lethe/core';
import { type Device, openDevice } from '@lethe/engine';
import type { Tensor3D } from '@tensorflow/tfjs';
import { expect } from 'chai';
import { runStream } from '../src/index.js';
import { Lora, Rehearses } from './learners.js';
import { eagerDevice, tinyJob, tinyModel, tinySuite } from './tiny.js';

const [suite, model] = [tinySuite(), tinyModel()];
const BATCH = suite.training.batch;
const STEPS = suite.training.epochs * (suite.tasks[0]!.train.length / BATCH);

/** Has a number of its own for every row of a step, by which it scales what it adds, and tells what the last step saw. */
class Scaled extends Rehearses {
  running = { seen: zeros([BATCH]) };
  readonly calls: { readonly step: number; readonly kept: readonly number[] }[] = [];
  readonly last: number[][] = [];

  override batch(drawn: readonly Row[]): readonly Row[] {
    return drawn.map((row, i) => (i < BATCH / 2 ? this.rows[3 - i] ?? row : row));
  }
  stepArrays(step: number, kept: readonly number[]): Arrays {
    this.calls.push({ step, kept });
    return { numbers: { shape: [kept.length], data: Float32Array.from(kept, (place, i) => step + place / 10 + i / 100) } };
  }
  override adapt(site: Site, x: Tensor3D, scope: Scope): Tensor3D {
    const delta = super.adapt(site, x, scope);
    const { numbers } = scope.params;
    return numbers ? delta.mul(numbers.reshape([-1, 1, 1]).div(STEPS)) : delta;
  }
  track(_: StepGradients, { params }: Scope): Tensors {
    return { seen: params['numbers']!.mul(1) };
  }
  override end(task: TaskView): void {
    super.end(task);
    this.last.push([...this.running.seen.data]);
  }
}

describe('arrays that a step alone reads', () => {
  let outDir: string;
  let runs = 0;
  beforeEach(async () => { outDir = await mkdtemp(join(tmpdir(), 'lethe-steps-')); });
  afterEach(() => rm(outDir, { recursive: true }));

  async function learned<T extends Lora>(made: new (host: MethodHost) => T, capabilities: Partial<Capabilities> = {}, device: Device = eagerDevice()): Promise<T> {
    const learners: T[] = [];
    const method = {
      create: (host: MethodHost) => {
        learners.push(new made(host));
        return learners.at(-1)!;
      },
    };
    await runStream(tinyJob(outDir, `method-${runs++}`, capabilities), { device, model, suite, method }, () => undefined);
    return learners.at(-1)!;
  }

  it('are asked for once a step, with the places of kept rows, and are what its functions see, compiled as op by op', async () => {
    const device = await openDevice({ name: 'cpu', threads: 1 });
    try {
      const [compiled, plain] = [await learned(Scaled, { rehearsal: true }, device), await learned(Scaled, { rehearsal: true })] as const;
      const none = new Array(BATCH).fill(-1);
      const some = none.map((_, i) => (i < BATCH / 2 ? 3 - i : -1)); // the second task finds four kept rows
      for (const { calls, last } of [compiled, plain]) {
        expect(calls).to.deep.equal([none, some].flatMap((kept) => Array.from({ length: STEPS }, (_, i) => ({ step: i + 1, kept }))));
        for (const [t, kept] of [none, some].entries()) last[t]!.forEach((value, i) => expect(value).to.be.closeTo(STEPS + kept[i] / 10 + i / 100, 1e-5));
      }
      for (const [name, { data }] of Object.entries(plain.trainable)) {
        data.forEach((value, i) => expect(compiled.trainable[name]!.data[i], `${name}[${i}]`).to.be.closeTo(value, 2e-3));
      }
    } finally {
      await device.dispose();
    }
  }).timeout(60_000);

  it('have the same names and shapes at every step, none of them that of another array', async () => {
    const refusal = async (stepArrays: (this: Lora, step: number, kept: readonly number[]) => unknown) => {
      try {
        await learned(class extends Lora { stepArrays = stepArrays as never; });
        return 'nothing';
      } catch (error) {
        return `${(error as LetheError).code} ${(error as LetheError).message}`;
      }
    };
    expect(await refusal((step) => ({ a: zeros([2, step]) })))
      .to.equal('LETHE_METHOD_FAILED stepArrays gives a [2, 2] in step 2, and gave a [2, 1] in an earlier one of 8 rows');
    expect(await refusal((step) => (step === 3 ? {} : { a: zeros([]) }))).to.equal('LETHE_METHOD_FAILED stepArrays gives nothing in step 3, and gave a [] in an earlier one of 8 rows');
    expect(await refusal(() => [])).to.equal('LETHE_METHOD_FAILED stepArrays is a list instead of arrays by name, {} where there are none');
    expect(await refusal(() => ({ a: new Float32Array(2) }))).to.match(/^LETHE_METHOD_FAILED stepArrays array "a" has no shape/);
    const A = `lora.${model.sites[0]!.name}.A`;
    expect(await refusal(() => ({ [A]: zeros([2]) }))).to.equal(`LETHE_METHOD_FAILED stepArrays gives an array "${A}", and the learner has another one of that name`);
  }).timeout(60_000);
});
