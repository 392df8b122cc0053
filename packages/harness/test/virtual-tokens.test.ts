import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CompletedRun, Learner, LetheError, Method, MethodHost, OptionPredictions, Row, RunEvent, Scope, SuiteData, TaskView } from '@lethe/core';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { runStream } from '../src/index.js';
import { eagerDevice, silent, tinyJob, tinyModel, tinySuite } from './tiny.js';

const model = tinyModel();
const POSITIONS = model.config.maxPositions;
const LONG = Array.from({ length: 40 }, (_, i) => 5 + (i % 6)).join(' ');

/** The tiny suite with its first rows longer than any budget here. */
function longSuite(maxTokens: number): SuiteData {
  const suite = tinySuite();
  const lengthen = (rows: SuiteData['tasks'][number]['train']) => rows.map((row, i) => (i < 3 ? { ...row, prompt: `${9 + i} ${LONG} ${12 + i}` } : row));
  const tasks = suite.tasks.map((task) => ({ ...task, train: lengthen(task.train), test: lengthen(task.test) }));
  return { ...suite, tasks, training: { ...suite.training, maxTokens } };
}

/** Trains vectors before every row: as many as are said for each task. */
class Prefix implements Learner {
  readonly frozen = {};
  trainable: Learner['trainable'] = {};
  virtualTokens = 0;

  constructor(protected readonly host: MethodHost, private readonly counts: readonly number[]) {}

  begin({ index }: TaskView): void {
    this.virtualTokens = this.counts[index - 1]!;
    const shape = [this.virtualTokens, this.host.width] as const;
    this.trainable = { prefix: { shape, data: this.host.random.fork('prefix', index).normals(shape[0] * shape[1], 0.3) } };
  }

  prefix({ params, batch }: Scope): tf.Tensor3D { return tf.tile(params['prefix']!.expandDims(0), [batch, 1, 1]); }
  adapt(): null { return null; }
  end(): void {}
  save(): ReturnType<Learner['save']> { return { trainable: this.trainable, frozen: {}, stored: {}, json: null }; }
  restore({ trainable }: ReturnType<Learner['save']>): void { this.trainable = trainable; }
}

describe('virtual tokens in a stream', () => {
  let outDir: string;
  beforeEach(async () => { outDir = await mkdtemp(join(tmpdir(), 'lethe-virtual-')); });
  afterEach(() => rm(outDir, { recursive: true }));

  async function run(suite: SuiteData, create: Method['create'], rehearsal = false): Promise<{ run: CompletedRun; events: RunEvent[] }> {
    const { identity, ...job } = tinyJob(join(outDir, `${suite.training.maxTokens}`), 'prefix', { rehearsal, growth: 'linear' });
    const events: RunEvent[] = [];
    const made = await runStream({ ...job, identity: { ...identity, training: suite.training } }, { device: eagerDevice(), model, suite, method: { create } },
      (event) => events.push(event));
    return { run: made as CompletedRun, events };
  }

  const refused = (create: Method['create'], rehearsal = false): Promise<LetheError | null> =>
    run(longSuite(32), create, rehearsal).then(() => null, (error: unknown) => error as LetheError);

  it('shorten the rows that the model has no positions left for, as a budget of fewer tokens does', async () => {
    const create: Method['create'] = (host) => new Prefix(host, [40, 40]);
    const [behind, short] = [await run(longSuite(32), create), await run(longSuite(POSITIONS - 40), create)];
    // the base model reads all that the budget allows
    const answered = ({ predictions }: CompletedRun) => Object.values(predictions).map((of) => (of as OptionPredictions).chosen.slice(1));
    expect(answered(behind.run)).to.deep.equal(answered(short.run));
    expect(behind.run.cost.trainTokens).to.equal(short.run.cost.trainTokens);
    const longer = await run(longSuite(31), (host) => new Prefix(host, [33, 33]));
    expect(longer.run.cost.trainTokens).to.be.above(short.run.cost.trainTokens);
  }).timeout(60_000);

  it('are told of with the rows that they shorten, where a task brings more of them too', async () => {
    const rooms: number[] = [];
    const { events } = await run(longSuite(32), (host) => {
      const learner = new Prefix(host, [20, 40]);
      learner.end = () => { rooms.push(host.room); };
      return learner;
    });
    expect(rooms).to.deep.equal([31, 23]); // without the end of text
    const cut = { run: 'prefix', of: 24, prompts: 3, answers: 0, split: 'train' };
    const scored = { ...cut, of: 20, split: 'test' };
    const told = events.flatMap<unknown>((event) => {
      if (event.type !== 'rows-cut') return event.type === 'step-finished' ? [event.step] : [];
      const { type: _, ...rest } = event;
      return [{ ...rest, run: 'prefix' }];
    });
    expect(told).to.deep.equal([
      { ...scored, task: 'first', maxTokens: 32 }, { ...scored, task: 'second', maxTokens: 32 }, 0,
      { ...cut, task: 'first', maxTokens: 32, virtualTokens: 20 }, 1,
      { ...cut, task: 'second', maxTokens: 24, virtualTokens: 40 },
      { ...scored, task: 'first', maxTokens: 24, virtualTokens: 40 }, { ...scored, task: 'second', maxTokens: 24, virtualTokens: 40 }, 2,
    ]);
  }).timeout(60_000);

  it('are refused where they leave rows less than half of their length, and begin at rows of the embedding', async () => {
    let drawn: readonly number[][] = [];
    const error = await refused((host) => ({
      ...silent,
      get virtualTokens() { return drawn.length === 0 ? 0 : 49; },
      begin: async () => {
        const { shape: [count, width], data } = await host.embeddings(3, host.random.fork('prompt'));
        expect([count, width]).to.deep.equal([3, host.width]);
        drawn = Array.from({ length: 3 }, (_, i) => [...data.subarray(i * host.width, (i + 1) * host.width)]);
      },
    }));
    expect(error).to.include({ code: 'LETHE_MODEL_LENGTH' });
    expect(error!.message).to.match(/49 virtual tokens .* leave 15 of the 64 .* up to 32/);
    expect(error!.remedy).to.match(/48 virtual tokens or fewer/);
    expect(error!.where).to.contain('prefix on first');
    const always = await refused(() => ({ ...silent, virtualTokens: 49 }));
    expect(always).to.deep.include({ code: error!.code, message: error!.message, where: error!.where });
    const [vocabulary, width] = model.weights['embed']!.shape as [number, number];
    const table = model.weights['embed']!.data as Float32Array;
    const rows = new Set(Array.from({ length: vocabulary }, (_, id) => [...table.subarray(id * width, (id + 1) * width)].join()));
    expect(drawn.map((values) => rows.has(values.join()))).to.deep.equal([true, true, true]);
  });

  it('leave room for the rows that a method keeps', async () => {
    const error = await refused((host) => {
      let rows: readonly Row[] = [];
      const learner = new Prefix(host, [20, 40]);
      return Object.defineProperty(Object.assign(learner, { end: (task: TaskView) => { rows = host.rows(task).slice(0, 2); } }), 'rows', { get: () => rows });
    }, true);
    expect(error).to.include({ code: 'LETHE_METHOD_FAILED' });
    expect(error!.message).to.match(/keeps a row of 31 tokens, .* room for 23/);
  }).timeout(60_000);
});
