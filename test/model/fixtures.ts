import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Arrays, type Example, type Learner, type Scope, type Site, type SuiteData, type TaskData, type TrainingBudget, sha256 } from '@lethe/core';
import { loraDelta } from '@lethe/core/tensor';
import { type Device, openDevice } from '@lethe/engine';
import { type EncodedExample, type Forward, type Job, Scorer, batchFeeds, compileTrainingStep, packTraining, trainingRow, trainingShape } from '@lethe/harness';
import { type LanguageModel, type StoredTensor, loadModel } from '@lethe/model';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

/** Checkpoints and the numbers that `make_models.py` in this folder made of them. */
export const FIXTURES = path.join(root, 'test/fixtures');
/** A checkpoint trained on English text, where it is there. */
export const ENGLISH_MINI = path.resolve(root, '../shared/models/english-mini');
export const hasEnglishMini = existsSync(ENGLISH_MINI);

/** What `make_models.py` writes beside each small checkpoint. */
export interface Expected {
  readonly sequences: readonly { readonly text: string; readonly ids: readonly number[] }[];
  readonly rows: readonly Omit<Example, 'id'>[];
  readonly training: TrainingBudget;
  readonly loss: number;
  readonly losses: readonly number[];
  /** The tokens that follow each sequence by the most likely next one, of the model and of the model with the initial adapters. */
  readonly greedy: Readonly<Record<'base' | 'adapted', readonly (readonly number[])[]>>;
  readonly scores: Readonly<Record<'base' | 'adapted' | 'trained', readonly (readonly number[])[]>>;
}

export function readJson<T>(...parts: string[]): T {
  return JSON.parse(readFileSync(path.join(FIXTURES, ...parts), 'utf8')) as T;
}

/** A model of the fixtures, a device to compute on and an empty folder; `close` lets go of the last two. */
export interface Opened {
  readonly model: LanguageModel;
  readonly device: Device;
  readonly folder: string;
  readonly close: () => Promise<void>;
}

export async function openFixture(variant: string, deviceName = 'cpu'): Promise<Opened> {
  const [model, device] = [await loadModel(path.join(FIXTURES, variant)), await openDevice({ name: deviceName })];
  const folder = mkdtempSync(path.join(tmpdir(), 'lethe-test-'));
  return {
    model, device, folder,
    async close() {
      await device.dispose();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A run of the method `adapter` over one task, which is trained and scored on these rows of a fixture. */
export function runOn(rows: readonly Example[], training: TrainingBudget, model: LanguageModel, outDir: string, device = 'cpu'): { suite: SuiteData; job: Job } {
  const splits = { train: rows, validation: [], test: rows };
  const task: TaskData = { id: 'task', title: 'Task', ...splits, sha256: sha256(splits) };
  const order = { id: '1', tasks: ['task'] };
  const suite: SuiteData = {
    id: 'goldens', version: '1.0.0', kind: 'general', title: 'Goldens', size: 'full', tasks: [task], orders: [order], training, probes: [],
  };
  const job: Job = {
    identity: {
      suite: { id: suite.id, version: suite.version, size: suite.size },
      method: { id: 'adapter', version: '1.0.0', options: {}, capabilities: { rehearsal: false, taskIdentity: false, growth: 'none', bound: false } },
      model: { id: model.id, sha256: model.sha256 }, order, seed: 1, training,
    },
    codePath: '', stream: 'continual', suite: { reference: '', suitesDir: '', builtDir: '' }, modelDir: '', device, threads: 1, outDir,
    origin: { lethe: '0.1.0', git: null },
  };
  return { suite, job };
}

/** The adapters of a group of what `make_models.py` computed (`initial`, `gradient`, `trained`), copied: training writes into them. */
export const adaptersOf = (stored: ReadonlyMap<string, StoredTensor>, group: string): Arrays => Object.fromEntries([...stored]
  .filter(([name]) => name.startsWith(`${group}.`))
  .map(([name, { shape, data }]) => [name.slice(group.length + 1), { shape, data: data.slice() }]));

/** The rows of a fixture as a suite has them. */
export const examplesOf = ({ rows }: Expected): Example[] => rows.map((row, i) => ({ id: `row-${i}`, ...row }));

/** Numbers of any nesting, each within `tolerance` of the expected one. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  expect(actual.length, `${what}: length`).to.equal(expected.length);
  for (let i = 0; i < actual.length; i++) expect(actual[i], `${what}[${i}]`).to.be.closeTo(expected[i]!, tolerance);
}

/** The scores of all options of rows, (rows, options). */
export async function scoresOf(device: Device, forward: Forward, rows: readonly EncodedExample[]): Promise<readonly (readonly number[])[]> {
  const scorer = new Scorer(device, forward);
  try {
    return await scorer.score(rows);
  } finally {
    await scorer.dispose();
  }
}

/** The gradient of the task loss by the one trainable array of a learner, from the first step of training on `rows` at once. */
export async function gradientOf(device: Device, forward: Forward, rows: readonly EncodedExample[], training: TrainingBudget): Promise<readonly number[]> {
  const { model: { tokenizer }, learner: { trainable, frozen } } = forward;
  const batch = rows.map(trainingRow);
  const shape = trainingShape(tokenizer, batch, batch, batch.length);
  const step = await compileTrainingStep({ device, forward, budget: { ...training, clip: 1e9 } }, shape);
  const flat = Object.values(trainable)[0]!.data;
  const [zero, one] = [new Float32Array(flat.length), Float32Array.of(1)];
  try {
    const { m } = await step.run({
      ...batchFeeds(packTraining(tokenizer, batch, shape), true),
      ...Object.fromEntries(Object.entries(frozen).map(([name, { data }]) => [`frozen.${name}`, data])),
      flat, m: zero, v: zero, rate: one, first: one, second: one,
    });
    // without clipping, the first moment after one step is a tenth of the gradient
    return [...m as Float32Array].map((v) => 10 * v);
  } finally {
    await step.dispose();
  }
}

/**
 * Logits of whole sequences, padded to one length, (batch, tokens, vocabulary), through the compiled program. An encoder-decoder reads
 * each sequence, and writes it as its answer.
 */
export async function logitsOf(device: Device, model: LanguageModel, rows: readonly (readonly number[])[]): Promise<Float32Array> {
  const tokens = Math.max(...rows.map((row) => row.length));
  const grid = (value: (id: number | undefined, i: number, row: readonly number[]) => number) =>
    Int32Array.from(rows.flatMap((row) => Array.from({ length: tokens }, (_, i) => value(row[i], i, row))));
  const spec = { shape: [rows.length, tokens], dtype: 'int32' } as const;
  const start = model.tokenizer.decoderStart;
  const program = await device.compile({
    name: 'logits',
    inputs: { ids: spec, positions: spec, segments: spec, ...(start === undefined ? {} : { answers: spec }) },
    constants: model.weights,
    compute: (inputs, weights) => {
      const [ids, positions, segments] = [inputs['ids'] as tf.Tensor2D, inputs['positions'] as tf.Tensor2D, inputs['segments'] as tf.Tensor2D];
      const answers = inputs['answers'] as tf.Tensor2D | undefined;
      const batch = { ids: answers ?? ids, positions, segments, ...(answers ? { source: { ids, segments } } : {}) };
      return { logits: model.logits(model.hidden(batch, weights, null), weights) };
    },
  });
  try {
    const feeds = {
      ids: grid((id) => id ?? 0), positions: grid((id, i) => (id === undefined ? 0 : i)), segments: grid((id) => (id === undefined ? 0 : 1)),
      ...(start === undefined ? {} : { answers: grid((_, i, row) => [start, ...row][i] ?? 0) }),
    };
    return (await program.run(feeds))['logits'] as Float32Array;
  } finally {
    await program.dispose();
  }
}

/** A learner with one adapter of given values: scale (x A) B at the sites whose arrays are there. */
export function adapterLearner(trainable: Arrays, scale: number): Learner {
  return {
    trainable,
    frozen: {},
    begin: () => undefined,
    adapt: (site: Site, x: tf.Tensor3D, { params }: Scope) => {
      const [a, b] = [params[`${site.name}.a`], params[`${site.name}.b`]];
      return a && b ? loraDelta(x, a, b, scale) : null;
    },
    end: () => undefined,
    save: () => ({ trainable, frozen: {}, stored: {}, json: null }),
    restore: () => undefined,
  };
}
