import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Capabilities, CompletedRun, Learner, LearnerState, LetheError, Method, MethodHost, OptionPredictions, Row, RunEvent, Scope, Site, StepGradients, TaskData, TaskView, Tensors } from '@lethe/core';
import { zeros } from '@lethe/core';
import { resultsHash } from '@lethe/metrics';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { runStream } from '../src/index.js';
import { Lora, Rehearses } from './learners.js';
import { eagerDevice, silent, tinyJob, tinyModel, tinySuite } from './tiny.js';

const [suite, model] = [tinySuite(), tinyModel()];

class RehearsesInSecret extends Lora {
  private kept: readonly Row[] = [];
  batch(drawn: readonly Row[]): readonly Row[] {
    return drawn.map((row, i) => this.kept[i] ?? row);
  }
  override end(task: TaskView): void {
    this.kept = this.host.rows(task);
  }
}

class ShortensSteps extends Lora {
  batch(drawn: readonly Row[]): readonly Row[] {
    return drawn.slice(1);
  }
}

/** Makes of every row one with the other answer, and of every fourth a text: the prompt behind the end of text. */
class TurnsRound extends Lora {
  batch(drawn: readonly Row[]): readonly Row[] {
    return drawn.map(({ prompt, answer: [token] }, i) => (i % 4 === 3 ? { prompt: [this.host.endOfText], answer: prompt } : { prompt, answer: [3 - token!] }));
  }
}

/** Leaves half of the rows of a step as they are, and sees which ones are told to be the task's. */
class AsksForMade extends TurnsRound {
  readonly seen: number[][] = [];
  override batch(drawn: readonly Row[]): readonly Row[] {
    return super.batch(drawn).map((row, i) => (i % 2 === 0 ? drawn[i]! : row));
  }
  transformGradients({ loss, kept }: StepGradients): Tensors {
    this.seen.push(kept().arraySync());
    return loss;
  }
}

class InventsRows extends Lora {
  readonly rows: readonly Row[] = [{ prompt: [1], answer: [2] }];
}

/** Silent for rows of the task that it is asked to be silent for. */
class Told extends Lora {
  constructor(host: MethodHost, private readonly silentFor: number) {
    super(host);
  }
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    const open = tf.notEqual(scope.task(), this.silentFor).cast('float32').reshape([scope.batch, 1, 1]);
    return super.adapt(site, x, scope).mul(open);
  }
}

/** Has a vector a task, which is added to the output for its rows, and says after every stage which of them moved. */
class RehearsesTold extends Rehearses {
  private readonly places = 4;
  private readonly site: Site;
  constructor(host: MethodHost, private readonly seen: string[]) {
    super(host);
    this.site = host.sites[0]!;
    this.trainable = this.vectors();
  }
  private vectors() {
    return { vectors: zeros([this.places, this.site.out]) };
  }
  override begin(): void {
    this.trainable = this.vectors();
  }
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    if (site.name !== this.site.name) return tf.zeros([x.shape[0], x.shape[1], site.out]);
    const own = tf.gather(scope.params['vectors']!, scope.task()) as tf.Tensor2D; // (batch, out)
    return tf.tile(own.expandDims(1), [1, x.shape[1], 1]) as tf.Tensor3D;
  }
  override end(task: TaskView): void {
    const { data } = this.trainable['vectors']!;
    const moved = Array.from({ length: this.places }, (_, k) => k)
      .filter((k) => data.subarray(k * this.site.out, (k + 1) * this.site.out).some((value) => value !== 0));
    this.seen.push(`${task.index} trains ${moved.join()}`);
    super.end(task);
  }
}

/** Reads another prompt in the place of its own. */
class Prompted extends Lora {
  readonly asked: { readonly room: number; readonly task: number }[] = [];
  constructor(host: MethodHost, private readonly length: number | null) {
    super(host);
  }
  prompt(prompt: readonly number[], room: number, task: number): readonly number[] {
    this.asked.push({ room, task });
    return this.length === null ? prompt : Array.from({ length: this.length }, () => 5);
  }
}

class AsksTooEarly extends Lora {
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    return super.adapt(site, x, scope).add(scope.predictions().logp.sum());
  }
}

/** Sees, as it trains, how far the log probabilities of both passes are from what the head makes of their states. */
class Represents extends Lora {
  readonly apart: number[] = [];
  penalty(scope: Scope): null {
    const { shape, data } = model.weights['head']!;
    const silent = Object.fromEntries(Object.entries(this.trainable).map(([name, array]) => [name, tf.zeros([...array.shape])]));
    for (const { states, logp } of [scope.predictions(), scope.predictions(silent)]) {
      const made = tf.logSoftmax(tf.matMul(states, tf.tensor2d(data as Float32Array, [...shape] as [number, number])));
      this.apart.push(made.sub(logp).abs().max().dataSync()[0]!);
    }
    return null;
  }
}

/** Trains one adapter and keeps arrays beside it: some that only its penalty reads, and one that predictions add. */
class Anchored extends Lora {
  override readonly frozen = {
    ...Object.fromEntries(Object.entries(this.trainable).map(([name, { shape }]) => [`anchor.${name}`, zeros(shape)])),
    shift: zeros([this.host.sites[0]!.out]),
  };
  penalty({ params }: Scope): tf.Scalar {
    return tf.addN(Object.keys(this.trainable).map((name) => tf.sum(tf.square(tf.sub(params[name]!, params[`anchor.${name}`]!))))) as tf.Scalar;
  }
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    return super.adapt(site, x, scope).add(scope.params['shift']!);
  }
  override save(): LearnerState {
    return { ...super.save(), frozen: this.frozen };
  }
}

/** Asks TensorFlow.js for an operation that its cpu backend has and the compiler has not. */
class Eager extends Anchored {
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    return tf.engine().runKernel('OfThisTest', { x: super.adapt(site, x, scope) }, {}) as tf.Tensor3D;
  }
}
tf.registerKernel({ kernelName: 'OfThisTest', backendName: 'cpu', kernelFunc: tf.getKernel('Identity', 'cpu').kernelFunc });
tf.registerGradient({ kernelName: 'OfThisTest', gradFunc: (dy) => ({ x: () => dy as tf.Tensor }) });

describe('capabilities of a method', () => {
  let outDir: string;
  beforeEach(async () => { outDir = await mkdtemp(join(tmpdir(), 'lethe-capabilities-')); });
  afterEach(() => rm(outDir, { recursive: true }));

  /** Runs a method that is made so; another one must have another name, or it finds the steps of this one. */
  const run = async (
    name: string, create: Method['create'], capabilities: Partial<Capabilities> = {}, stop?: (event: RunEvent) => boolean, learned = suite,
  ) => {
    let stopped = false;
    const method: Method = { create };
    return (await runStream(tinyJob(outDir, name, capabilities), { device: eagerDevice(), model, suite: learned, method },
      (event) => { stopped ||= stop?.(event) ?? false; }, () => stopped)) as CompletedRun;
  };
  let made = 0;
  const go = (create: Method['create'], capabilities: Partial<Capabilities> = {}) => run(`method-${made++}`, create, capabilities);
  const refusal = (promise: Promise<unknown>) => promise.then(() => 'none', ({ code, message }: LetheError) => `${code} ${message}`);

  it('rehearsal: trains on kept rows, counts them as stored and finds them again when it goes on', async () => {
    const rehearse = (stop?: (event: RunEvent) => boolean) => run('rehearses', (host) => new Rehearses(host), { rehearsal: true }, stop);
    const whole = await rehearse();
    // 4 tokens of a prompt and 1 of an answer, 4 rows a task, 4 bytes a token; the adapter beside them
    expect(whole.cost.storedBytes).to.equal(16 * 4 * 2 * 4 + 2 * 4 * 5 * 4);
    expect(whole.matrix[2]![0], 'what is rehearsed is not forgotten').to.be.at.least(whole.matrix[1]![0]!);
    await rm(join(outDir, 'steps'), { recursive: true });
    await refusal(rehearse((event) => event.type === 'train-progress' && event.step === 2));
    expect((await readdir(join(outDir, 'steps'))).filter((name) => name.endsWith('.step'))).to.have.length(2);
    expect(resultsHash([await rehearse()])).to.equal(resultsHash([whole]));
  }).timeout(60_000);

  it('rehearsal: is refused where the manifest does not declare it', async () => {
    for (const create of [(host: MethodHost) => new Rehearses(host), (host: MethodHost) => new InventsRows(host)]) {
      expect(await refusal(go(create))).to.match(/^LETHE_METHOD_CAPABILITY .*does not declare/);
    }
    const asks = (host: MethodHost): Learner => Object.assign(new Lora(host), { end: (task: TaskView) => { host.rows(task); } });
    expect(await refusal(go(asks))).to.match(/^LETHE_METHOD_CAPABILITY .*training rows/);
  }).timeout(60_000);

  it('rehearsal: keeps steps as large as those of others, and rows among those that are counted', async () => {
    expect(await refusal(go((host) => new ShortensSteps(host), { rehearsal: true }))).to.match(/^LETHE_METHOD_FAILED batch gives 7 rows instead of the 8 that were drawn/);
    expect(await refusal(go((host) => new RehearsesInSecret(host), { rehearsal: true }))).to.match(/^LETHE_METHOD_FAILED batch gives a row that is neither one of the task nor among its "rows".*in step 1/);
  }).timeout(60_000);

  it('pseudoRehearsal: trains on rows that it makes, longer answers among them, and tells them from the task\'s', async () => {
    const [plain, turned] = [await go((host) => new Lora(host)), await go((host) => new TurnsRound(host), { pseudoRehearsal: true })];
    expect(plain.matrix[1]![0], 'the right answers are learned').to.be.at.least(0.9);
    expect(turned.matrix[1]![0], 'and so are the others, where these are trained').to.be.below(0.1);
    let method: AsksForMade | undefined;
    await go((host) => (method = new AsksForMade(host)), { pseudoRehearsal: true });
    for (const kept of method!.seen) expect(kept).to.deep.equal([0, 1, 0, 1, 0, 1, 0, 1]);
    const { cost } = turned;
    expect(cost.storedBytes, 'nothing of them is kept').to.equal(plain.cost.storedBytes);
  }).timeout(60_000);

  it('pseudoRehearsal: makes no rows where the manifest does not declare it, and keeps none where it does', async () => {
    expect(await refusal(go((host) => new TurnsRound(host)))).to.match(/^LETHE_METHOD_CAPABILITY A method chooses the rows of a step/);
    expect(await refusal(go((host) => new TurnsRound(host), { rehearsal: true }))).to.match(/^LETHE_METHOD_FAILED batch gives a row that is neither/);
    expect(await refusal(go((host) => new InventsRows(host), { pseudoRehearsal: true }))).to.match(/^LETHE_METHOD_CAPABILITY A method keeps 1 rows/);
    const long = (host: MethodHost) => Object.assign(new TurnsRound(host), { batch: (drawn: readonly Row[]) => drawn.map(() => ({ prompt: Array<number>(host.room).fill(5), answer: [1] })) });
    expect(await refusal(go(long, { pseudoRehearsal: true }))).to.match(/^LETHE_METHOD_FAILED batch gives a row of 32 tokens where there is room for 31, in step 1/);
  }).timeout(60_000);

  it('predictions: come with the states that they are made of, of another pass too', async () => {
    let method: Represents | undefined;
    await go((host) => (method = new Represents(host)));
    expect(method!.apart).to.have.length.above(3);
    for (const apart of method!.apart) expect(apart).to.be.below(1e-5);
  }).timeout(60_000);

  it('added parameters: counts what predictions read, and no array that only training reads', async () => {
    const adapter = 16 * 4 * 2;
    const [free, anchored] = [await go((host) => new Lora(host)), await run('anchored', (host) => new Anchored(host))];
    expect(free.cost.addedParameters).to.equal(adapter);
    expect(anchored.cost.addedParameters).to.equal(adapter + 16);
    expect(anchored.cost.storedBytes).to.equal(4 * (2 * adapter + 16));
    const again = await run('anchored', (host) => new Anchored(host));
    expect(again.cost.addedParameters, 'with all steps found').to.equal(adapter + 16);
    const eager = await go((host) => new Eager(host));
    expect(eager.cost.addedParameters, 'all, where the compiler does not know what reads them').to.equal(2 * adapter + 16);
  }).timeout(120_000);

  it('taskIdentity: tells the task of a row once it was learned, 0 before and for probes', async () => {
    const free = await go((host) => new Lora(host));
    const silentAt = async (task: number) => go((host) => new Told(host, task), { taskIdentity: true, bound: true });
    // after the first task all that was not learned counts as 0
    const [zero, second] = [await silentAt(0), await silentAt(2)];
    expect(zero.matrix[1]).to.deep.equal([free.matrix[1]![0], free.matrix[0]![1]]);
    expect(zero.general.final).to.deep.equal(zero.general.base);
    expect(second.matrix[1]).to.deep.equal(free.matrix[1]);
    expect(second.matrix[2]![1], 'a task that is silent cannot be learned').to.equal(free.matrix[0]![1]);
    expect(await refusal(go((host) => new Told(host, 0)))).to.match(/^LETHE_METHOD_CAPABILITY .*task of a row/);
  }).timeout(120_000);

  it('taskIdentity: tells the task of a kept row, also after going on', async () => {
    const seen: string[] = [];
    const create = (host: MethodHost) => new RehearsesTold(host, seen);
    const rehearse = (stop?: (event: RunEvent) => boolean) => run('told', create, { rehearsal: true, taskIdentity: true, bound: true }, stop);
    await rehearse();
    // in its second stage it trains on rows of the first alone
    expect(seen).to.deep.equal(['1 trains 1', '2 trains 1']);
    await rm(join(outDir, 'steps'), { recursive: true });
    await refusal(rehearse((event) => event.type === 'train-progress' && event.step === 2));
    seen.length = 0;
    await rehearse();
    expect(seen).to.deep.equal(['2 trains 1']);
    const invents = (host: MethodHost) => Object.assign(new RehearsesTold(host, []), { rows: [{ prompt: [1], answer: [2] }] });
    expect(await refusal(go(invents, { rehearsal: true, taskIdentity: true, bound: true }))).to.match(/^LETHE_METHOD_FAILED .* one that is of no task/);
  }).timeout(120_000);

  it('taskIdentity: tells the task that had a kept row first, where a later one has it too', async () => {
    const seen: string[] = [];
    const [first, second] = suite.tasks as [TaskData, TaskData];
    const shares = { ...suite, tasks: [first, { ...second, train: first.train }] };
    await run('shares', (host) => new RehearsesTold(host, seen), { rehearsal: true, taskIdentity: true, bound: true }, undefined, shares);
    expect(seen).to.deep.equal(['1 trains 1', '2 trains 1']);
  }).timeout(60_000);

  it('prompt: is what the model reads, within the room, and is told a task only where that is declared', async () => {
    const seen: Prompted[] = [];
    const prompted = (length: number | null) => (host: MethodHost) => (seen.push(new Prompted(host, length)), seen.at(-1)!);
    const same = await go(prompted(null));
    expect(same.matrix).to.deep.equal((await go((host) => new Lora(host))).matrix);
    expect(new Set(seen[0]!.asked.map(({ task }) => task))).to.deep.equal(new Set([0]));
    expect(new Set(seen[0]!.asked.map(({ room }) => room))).to.deep.equal(new Set([32 - 1 - 1]));
    const other = await go(prompted(30));
    expect((other.predictions['first'] as OptionPredictions).chosen[2], 'every row reads the same prompt').to.satisfy((chosen: number[]) => new Set(chosen).size === 1);
    await go(prompted(null), { taskIdentity: true, bound: true });
    expect(seen.at(-1)!.asked.map(({ task }) => task)).to.include.members([0, 1, 2]);
    for (const length of [0, 31]) expect(await refusal(go(prompted(length)))).to.match(/^LETHE_METHOD_FAILED A prompt has .* room for 1 to 30/);
  }).timeout(120_000);

  it('prompt: is answered anew by a method that adds nothing else', async () => {
    const { predictions } = await go(() => ({ ...silent, prompt: () => [5, 5] }));
    for (const { chosen } of Object.values(predictions) as OptionPredictions[]) expect(chosen.map((options) => new Set(options).size)).to.deep.equal([2, 1, 1]);
  }).timeout(60_000);

  it('predictions: are not there while they are being made', async () => {
    expect(await refusal(go((host) => new AsksTooEarly(host)))).to.match(/^LETHE_METHOD_FAILED .*still being made/);
  }).timeout(60_000);
});
