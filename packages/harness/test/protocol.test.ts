import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Arrays, CompletedRun, LetheError, Method, ReportTable, Row, RunEvent, Scope, TaskData, TaskView } from '@lethe/core';
import { clone } from '@lethe/core';
import { loraArrays, loraDelta, loraNames } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';
import type { Constant } from '@lethe/engine';
import { expect } from 'chai';
import { resultsHash, validateResults } from '@lethe/metrics';
import { type Job, runStream } from '../src/index.js';
import { Lora } from './learners.js';
import { eagerDevice, silent, tinyJob, tinyModel, tinySuite } from './tiny.js';

const suite = tinySuite();
const model = tinyModel();

/** Sequential low-rank adaptation that also asks its host for what hosts offer. */
const lora: Method = {
  create: (host) => {
    let trainable: Arrays = {};
    let norm = 0;
    return {
      get trainable() { return trainable; },
      frozen: {},
      begin: (task) => { if (task.index === 1) trainable = loraArrays(host.sites, host.rank, host.random.fork('init')); },
      adapt: (site, x, scope) => {
        const { a, b } = loraNames(site);
        return loraDelta(x, scope.params[a]!, scope.params[b]!, host.scale);
      },
      end: async (task) => {
        for await (const gradients of host.gradients(task, { names: Object.keys(trainable), rows: 3, batch: 1 })) {
          norm += Object.values(gradients).reduce((sum, { data }) => sum + data.reduce((s, g) => s + g * g, 0), 0);
        }
        const { shape } = await host.features(task, 5);
        norm += shape[0] * shape[1];
      },
      save: () => ({ trainable, frozen: {}, stored: {}, json: norm }),
      restore: (state) => { trainable = state.trainable; norm = state.json as number; },
      report: () => [{ title: 'Norm', rows: { title: 'task', names: ['1'] }, columns: { title: 'of', names: ['gradients'] }, cells: [[norm]] }],
      gates: (scope) => ({ parts: ['first', 'never'], open: tf.concat([scope.features().slice([0, 0], [-1, 1]), tf.zeros([scope.batch, 1])], 1) }),
    };
  },
};

describe('runStream', () => {
  let outDir: string;
  beforeEach(async () => { outDir = await mkdtemp(join(tmpdir(), 'lethe-run-')); });
  afterEach(() => rm(outDir, { recursive: true }));

  const job = (stream: Job['stream'] = 'continual') => tinyJob(outDir, `lora-${stream}`, { bound: stream === 'joint' }, stream);
  const go = async (given: Job, events: RunEvent[] = [], stop?: () => boolean, runs: Record<string, number> = {}) =>
    (await runStream(given, { device: eagerDevice(runs), model, suite, method: lora }, (e) => events.push(e), stop)) as CompletedRun;
  const codeOf = (promise: Promise<unknown>) => promise.then(() => 'none', (error: LetheError) => error.code);

  it('learns a stream and states numbers that can be recomputed', async () => {
    const run = await go(job());
    expect(run.matrix).to.have.length(3);
    expect(run.matrix[1]![0]).to.be.above(run.matrix[0]![0]!);
    expect(run.matrix[2]![1]).to.be.above(run.matrix[0]![1]!);
    expect(run.cost.trainableParameters).to.equal(16 * 4 * 2);
    expect(run.cost.storedBytes).to.equal(16 * 4 * 2 * 4);
    validateResults({ schema: 'lethe.results/1', sha256: resultsHash([run]), runs: [run] });
  }).timeout(60_000);

  it('reports what the method says, with names of tasks, and its gates by the task of test rows', async () => {
    const run = await go(job());
    const [said, gates, ...others] = run.report as readonly ReportTable[];
    expect(others).to.deep.equal([]);
    expect(said).to.include({ title: 'Norm' });
    expect(said!.rows.names).to.deep.equal([`1 ${run.order.tasks[0]!}`]);
    expect(gates!.columns.names).to.deep.equal(['first', 'never']);
    expect(gates!.rows.names).to.deep.equal([...suite.tasks, ...suite.probes].map(({ id }) => id));
    // the first feature of a prompt is the mean of what its tokens have there in the table of embeddings
    const embed = model.weights['embed'] as Constant;
    const size = embed.shape[1]!;
    gates!.cells.forEach(([open, never], i) => {
      const { test } = [...suite.tasks, ...suite.probes][i]!;
      const firsts = test.map(({ prompt }) => {
        const ids = model.tokenizer.encode(prompt);
        return ids.reduce((sum, id) => sum + (embed.data as Float32Array)[id * size]!, 0) / ids.length;
      });
      expect(open).to.be.closeTo(firsts.reduce((a, b) => a + b, 0) / firsts.length, 1e-3);
      expect(never).to.equal(0);
    });
  }).timeout(60_000);

  it('tells of the rows of each task that are cut, training rows where they are learned and scored ones with the base model', async () => {
    const long = Array.from({ length: 40 }, (_, i) => 5 + (i % 6)).join(' ');
    const lengthen = (rows: TaskData['train'], count: number) => rows.map((row, i) => (i < count ? { ...row, prompt: long } : row));
    const [first, second] = suite.tasks as [TaskData, TaskData];
    const cut = { ...suite, tasks: [{ ...first, train: lengthen(first.train, 3), test: lengthen(first.test, 1) }, second] };
    const events: RunEvent[] = [];
    await runStream(job(), { device: eagerDevice({}), model, suite: cut, method: lora }, (event) => events.push(event));
    const told = { type: 'rows-cut', run: 'lora-continual', task: 'first', maxTokens: 32, answers: 0 };
    const place = (event: RunEvent): unknown[] => (event.type === 'rows-cut' ? [{ ...event, run: 'lora-continual' }] : event.type === 'step-finished' ? [event.step] : []);
    expect(events.flatMap<unknown>(place)).to.deep.equal([{ ...told, split: 'test', of: 20, prompts: 1 }, 0, { ...told, split: 'train', of: 24, prompts: 3 }, 1, 2]);
  }).timeout(60_000);

  it('trains on steps that hold rows alone, a last one of fewer rows too', async () => {
    const training = { ...suite.training, batch: 7 }; // 24 rows: three steps of seven and one of three
    const seen: number[] = [];
    const told: string[] = [];
    const counts: Method = { create: (host, options) => Object.defineProperties(lora.create(host, options), Object.getOwnPropertyDescriptors({
      penalty: (scope: Scope) => {
        const weakest = tf.min(tf.sum(tf.square(scope.features()), 1)); // that of padding is not a number
        seen.push(scope.batch);
        told.push(String(weakest.dataSync()[0]! > 0));
        return tf.mean(tf.min(tf.abs(scope.features()), 1)) as tf.Scalar;
      },
    })) };
    const given = { ...job(), identity: { ...job().identity, training } };
    const run = (await runStream(given, { device: eagerDevice({}), model, suite: { ...suite, training }, method: counts }, () => undefined)) as CompletedRun;
    expect(run.status).to.equal('completed');
    expect(seen.slice(0, 5)).to.deep.equal([7, 7, 7, 3, 7]);
    expect([...new Set(told)]).to.deep.equal(['true']);
  }).timeout(60_000);

  it('goes through every row of a task once an epoch, in another order each time', async () => {
    const drawn: string[] = [];
    const watches: Method = { create: (host) => Object.assign(new Lora(host), {
      batch: (rows: readonly Row[]) => (drawn.push(...rows.map(({ prompt }) => model.tokenizer.decode(prompt))), rows),
    }) };
    const { identity, ...others } = tinyJob(outDir, 'watches', { rehearsal: true });
    const given = { ...others, identity: { ...identity, order: { id: '1', tasks: ['first'] } } };
    await runStream(given, { device: eagerDevice(), model, suite, method: watches }, () => undefined);
    const { tasks: [first], training: { epochs } } = suite;
    const count = first!.train.length;
    const orders = Array.from({ length: epochs }, (_, epoch) => drawn.slice(epoch * count, (epoch + 1) * count));
    for (const order of orders) expect(order).to.have.members(first!.train.map(({ prompt }) => prompt));
    expect(new Set(orders.map(String))).to.have.property('size', epochs);
  }).timeout(60_000);

  it('refuses a report that is not a list of tables', async () => {
    const talks: Method = { create: (host, options) => Object.assign(lora.create(host, options), { report: () => ({ norm: 1 }) }) };
    const failing = runStream(job(), { device: eagerDevice({}), model, suite, method: talks }, () => undefined);
    expect(await codeOf(failing)).to.equal('LETHE_METHOD_FAILED');
  }).timeout(60_000);

  it('says of a method that breaks its contract what is missing, and where it threw', async () => {
    const broken = (more: object): Method => ({ create: (host, options) => Object.defineProperties(lora.create(host, options), Object.getOwnPropertyDescriptors(more)) });
    const errorOf = async (method: Method) => {
      const error = await runStream({ ...job(), codePath: fileURLToPath(import.meta.url) }, { device: eagerDevice({}), model, suite, method }, () => undefined)
        .then(() => null, (thrown: LetheError) => thrown);
      return `${error?.code} ${error?.message} ${error?.where}`;
    };
    expect(await errorOf({ create: () => undefined as never })).to.match(/^LETHE_METHOD_FAILED create gives undefined instead of a learner .*lora-continual, /);
    const misspells: Method = { create: (host, options) => { void options['strenght']; return lora.create(host, options); } };
    expect(await errorOf(misspells)).to.match(/^LETHE_METHOD_FAILED The option "strenght" is none of those that plugin\.json declares\. .*protocol\.test\.ts:\d+, lora-continual, /);
    expect(await errorOf(broken({ end: undefined }))).to.contain('no function "end"');
    expect(await errorOf(broken({ trainable: undefined }))).to.contain('trainable is undefined');
    expect(await errorOf(broken({ get frozen(): Arrays { throw new Error('not yet'); } }))).to.match(/^LETHE_METHOD_FAILED not yet .*protocol\.test\.ts:\d+, lora-continual, /);
    expect(await errorOf(broken({ save: () => { throw new Error('full'); } }))).to.match(/^LETHE_METHOD_FAILED full .*protocol\.test\.ts:\d+, lora-continual on /);
    expect(await errorOf(broken({ save: () => ({ trainable: {}, frozen: {}, stored: {}, json: { owners: new Map() } }) }))).to.contain('json.owners is a Map');
    expect((await readdir(join(outDir, 'steps'))).filter((name) => name.endsWith('.step'))).to.have.length(1);
    const misnames: Method = { create: (host, options) => Object.assign(lora.create(host, options), {
      async end(task: TaskView) { for await (const gradients of host.gradients(task, { names: ['lora.layers.0.q.a'], rows: 1, batch: 1 })) void gradients; },
    }) };
    expect(await errorOf(misnames)).to.match(/^LETHE_METHOD_FAILED There is no array .*Did you mean "lora\.layers\.0\.q\.A"\? .*protocol\.test\.ts:\d+, lora-continual on /);
    const lateIn = (stage: 'begin' | 'end'): Method => ({ create: (host, options) => Object.assign(lora.create(host, options), {
      async [stage](task: TaskView) { void host.moments(task, 4); },
    }) });
    for (const stage of ['begin', 'end'] as const) {
      expect(await errorOf(lateIn(stage))).to.match(/^LETHE_METHOD_FAILED A method asked for host\.moments and went on without it\. .*protocol\.test\.ts:\d+, lora-continual on /);
    }
    const replaces: Method = { create: (host, options) => {
      const learner = lora.create(host, options);
      return Object.defineProperty(learner, 'penalty', { value: () => {
        const others = Object.fromEntries(Object.entries(learner.trainable).map(([name, array]) => [name, clone(array)]));
        learner.restore({ ...learner.save(), trainable: others });
        return null;
      } });
    } };
    expect(await errorOf(replaces)).to.match(/^LETHE_METHOD_FAILED .*"trainable" were replaced while they were trained\. lora-continual on /);
  }).timeout(60_000);
  for (const [what, members, message] of [
    ['a number as delta', { adapt: () => 1 }, /^adapt gives a number \(1\) at layers\.0\.q instead of a tensor/],
    ['no delta', { adapt: () => undefined }, /^adapt gives undefined at layers\.0\.q .* or null/],
    ['a delta of another shape', { adapt: (_: unknown, x: tf.Tensor) => x.sum(1, true) }, /^adapt gives \[\d+, 1, 16\] at layers\.0\.q instead of \[\d+, \d+, 16\]/],
    ['a number as penalty', { penalty: () => 1 }, /^penalty gives a number \(1\) instead of a scalar/],
    ['no arrays', { trainable: null }, /^trainable is null instead of arrays by name/],
    ['no state', { save: () => undefined }, /^save gives undefined instead of/],
  ] as const) {
    it(`refuses a method that gives ${what}`, async () => {
      const nonsense: Method = { create: (host, options) => Object.defineProperties(lora.create(host, options), Object.getOwnPropertyDescriptors(members)) as never };
      const error = await runStream(job(), { device: eagerDevice({}), model, suite, method: nonsense }, () => undefined).then(() => undefined, (thrown: LetheError) => thrown);
      expect(error).to.include({ code: 'LETHE_METHOD_FAILED' });
      expect(error!.message).to.match(message);
    }).timeout(60_000);
  }

  it('goes on where it was stopped, to the same numbers', async () => {
    const whole = await go(job());
    await rm(join(outDir, 'steps'), { recursive: true });
    const events: RunEvent[] = [];
    const stopped = go(job(), events, () => events.some((e) => e.type === 'train-progress' && e.step === 2));
    expect(await codeOf(stopped)).to.equal('LETHE_RUN_STOPPED');
    events.length = 0;
    const resumed = await go(job(), events);
    expect(resultsHash([resumed])).to.equal(resultsHash([whole]));
    const reused = events.flatMap((e) => (e.type === 'step-finished' ? [e.reused] : []));
    expect(reused).to.deep.equal([true, true, false]);
    const runs: Record<string, number> = {};
    await go(job(), [], undefined, runs);
    expect(runs).to.deep.equal({});
  }).timeout(60_000);

  it('goes on with a stream of one task more: neither trains nor scores again what is the same, and comes to the numbers of a run from the start', async () => {
    const [first, second] = suite.tasks as [TaskData, TaskData];
    // the cues of the first task, so that learning it changes both
    const third = { ...first, id: 'third', title: 'third', sha256: '3'.repeat(64) };
    const longer = { ...suite, tasks: [first, second, third], orders: [{ id: '1', tasks: ['first', 'second', 'third'] }] };
    const longerJob = (to: string): Job => ({ ...job(), outDir: to, identity: { ...job().identity, order: longer.orders[0]! } });
    const events: RunEvent[] = [];
    const goLonger = async (to: string) => {
      events.length = 0;
      return (await runStream(longerJob(to), { device: eagerDevice(), model, suite: longer, method: lora }, (event) => events.push(event))) as CompletedRun;
    };
    await go(job());
    const extended = await goLonger(outDir);
    const trained = new Set(events.flatMap((event) => (event.type === 'train-progress' ? [event.step] : [])));
    expect([...trained]).to.deep.equal([3]);
    const reused = events.flatMap((event) => (event.type === 'step-finished' ? [event.reused] : []));
    expect(reused).to.deep.equal([true, true, true, false]);
    // the rows of two tasks and a probe have their answers: the first batch that is scored after the first step is one of the third task
    const scored = events.flatMap((event) => (event.type === 'score-progress' && event.step === 1 ? [event.done] : []));
    expect(scored).to.deep.equal([20, 40, 56, 60, 80]);
    const fresh = await goLonger(join(outDir, 'fresh'));
    expect(new Set(events.flatMap((event) => (event.type === 'train-progress' ? [event.step] : [])))).to.have.property('size', 3);
    expect(resultsHash([extended])).to.equal(resultsHash([fresh]));
    expect(extended.report).to.deep.equal(fresh.report);
    // and back: a task less has all its answers
    events.length = 0;
    await runStream({ ...job(), outDir: join(outDir, 'fresh') }, { device: eagerDevice(), model, suite, method: lora }, (event) => events.push(event));
    expect(events.filter(({ type }) => type === 'train-progress')).to.deep.equal([]);
  }).timeout(60_000);

  it('scores the base model once for all budgets that read as much of a row', async () => {
    const reused = async (training: Partial<Job['identity']['training']>) => {
      const events: RunEvent[] = [];
      const { identity, ...others } = tinyJob(outDir, 'silent');
      const given = { ...others, identity: { ...identity, training: { ...identity.training, ...training } } };
      await runStream(given, { device: eagerDevice(), model, suite, method: { create: () => silent } }, (event) => events.push(event));
      return events.flatMap((event) => (event.type === 'step-finished' ? [event.reused] : []));
    };
    expect(await reused({})).to.deep.equal([false, false, false]);
    expect(await reused({ batch: 4 })).to.deep.equal([true, false, false]);
    expect(await reused({ maxTokens: 31 }), 'rows may be cut elsewhere').to.deep.equal([false, false, false]);
  }).timeout(60_000);

  it('trains anew after a task whose rows are others', async () => {
    await go(job());
    const [first, second] = suite.tasks as [TaskData, TaskData];
    const changed = { ...suite, tasks: [first, { ...second, train: second.train.slice(1), sha256: '4'.repeat(64) }] };
    const events: RunEvent[] = [];
    await runStream(job(), { device: eagerDevice(), model, suite: changed, method: lora }, (event) => events.push(event));
    expect(new Set(events.flatMap((event) => (event.type === 'train-progress' ? [event.step] : [])))).to.deep.equal(new Set([2]));
    const scored = events.flatMap((event) => (event.type === 'score-progress' && event.step === 1 ? [event.done] : []));
    expect(scored, 'the changed task is asked again').to.have.length.above(3);
  }).timeout(60_000);

  it('names a damaged artefact', async () => {
    await go(job());
    for (const file of await readdir(join(outDir, 'steps'))) await truncate(join(outDir, 'steps', file), 50);
    expect(await codeOf(go(job()))).to.equal('LETHE_RUN_DAMAGED');
  }).timeout(60_000);

  it('trains jointly in one stage', async () => {
    const run = await go(job('joint'));
    expect(run.matrix[1]).to.deep.equal([null, null]);
    expect(run.metrics.averageAccuracy).to.be.above((run.matrix[0]![0]! + run.matrix[0]![1]!) / 2);
    expect(run.metrics.backwardTransfer).to.equal(null);
  }).timeout(60_000);
});
