import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Arrays, MethodHost } from '@lethe/core';
import { createRandom, loadMethod } from '@lethe/core';
import { openDevice } from '@lethe/engine';
import { batchFeeds, compileTrainingStep, encodeRow, flatten, packTraining, trainingRow, trainingShape } from '@lethe/harness';
import { loadModel, readSafetensors } from '@lethe/model';
import { ROWS, ToyStream } from '@lethe/testkit';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { type Expected, FIXTURES, expectClose, readJson } from '../model/fixtures.js';

type Values = Readonly<Record<string, readonly number[]>>;
interface Penalties { readonly fisher: Values; readonly online: number; readonly separate: number }
/** Made by `make.py` beside it. */
interface Baselines {
  readonly tasks: readonly { readonly x: readonly number[]; readonly y: readonly number[] }[];
  readonly adapters: Readonly<Record<'first' | 'second' | 'third', Values>>;
  readonly deltas: Values;
  readonly ewc: Readonly<Record<'factors' | 'product', Penalties>>;
  readonly lwf: number;
  readonly magmax: readonly number[];
  readonly incLora: readonly number[];
  readonly perTask: readonly (readonly number[])[];
  readonly full: { readonly answers: readonly number[]; readonly gradient: Values };
  readonly replay: readonly (readonly number[])[];
  readonly lwfOnCheckpoint: number;
}

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const expected = JSON.parse(readFileSync(path.join(root, 'test/fixtures/baselines/expected.json'), 'utf8')) as Baselines;
const { first, second, third } = expected.adapters;

/** A module in the folder of a plugin. */
const pluginUrl = (name: string) => new URL(`../../plugins/${name}/index.js`, import.meta.url).href;

/** A method on the rows of the fixture. */
async function open(name: string, options: Readonly<Record<string, unknown>> = {}): Promise<ToyStream> {
  const stream = await ToyStream.open(pluginUrl(name), options);
  expected.tasks.forEach(({ x, y }, t) => {
    const rows = stream.rows[t]!;
    stream.rows[t] = { ...rows, x: { ...rows.x, data: Float32Array.from(x) }, y: { ...rows.y, data: Float32Array.from(y) } };
  });
  return stream;
}

/** Writes values into arrays, as training does. */
function put(arrays: Arrays, values: Values): void {
  for (const [name, { data }] of Object.entries(arrays)) data.set(values[name]!);
}

/** Goes through a task whose training ends in these values. */
async function learn(stream: ToyStream, task: number, values: Values): Promise<void> {
  const view = await stream.begin(task);
  put(stream.learner.trainable, values);
  await stream.end(view);
}

describe('baselines, against PyTorch', () => {
  for (const on of ['factors', 'product'] as const) {
    it(`ewc on the ${on}: Fisher information and penalty, online and separate`, async () => {
      const { fisher, online, separate } = expected.ewc[on];
      for (const penalties of ['online', 'separate'] as const) {
        const stream = await open('ewc', { on, penalties, lambda: 10, gamma: 0.5, rows: ROWS, fisher: 'absolute' });
        await learn(stream, 1, first);
        for (const [name, values] of Object.entries(fisher)) {
          const { data } = stream.learner.frozen[`fisher.${on === 'factors' ? name : `change.${name}`}`]!;
          data.forEach((f, i) => expect(f, name).to.be.closeTo(values[i]!, 1e-4 * (1 + values[i]!)));
        }
        await learn(stream, 2, second);
        const before = stream.penalty(2)!;
        put(stream.learner.trainable, third);
        const wanted = penalties === 'online' ? online : separate;
        expect(stream.penalty(2)! - before, penalties).to.be.closeTo(wanted, 1e-4 * Math.abs(wanted));
      }
    });
  }

  it('lwf: the divergence from the model before the task', async () => {
    const stream = await open('lwf', { temperature: 2, lambda: 3 });
    await learn(stream, 1, first);
    await stream.begin(2);
    expect(stream.penalty()).to.be.closeTo(0, 1e-6);
    put(stream.learner.trainable, second);
    expect(stream.penalty()).to.be.closeTo(3 * expected.lwf, 1e-5);
  });

  it('lwf on a checkpoint of transformers: the same through the compiled step, rows packed and padded', async () => {
    const { rows, training } = readJson<Expected>('llama/tied/expected.json');
    const stored = await readSafetensors(path.join(FIXTURES, 'llama/tied/expected.safetensors'));
    const model = await loadModel(path.join(FIXTURES, 'llama/tied'));
    const sites = model.sites.filter(({ kind }) => kind === 'q' || kind === 'v');
    const valuesOf = (prefix: string): Values => Object.fromEntries(sites.flatMap(({ name }) => ['A', 'B'].map((half) =>
      [`lora.${name}.${half}`, [...stored.get(`${prefix}.${name}.${half.toLowerCase()}`)!.data]])));
    const scale = training.alpha / training.rank;
    // all that the method asks of its host
    const host = { sites, rank: training.rank, scale, random: createRandom(1) } as unknown as MethodHost;
    const learner = (await loadMethod(fileURLToPath(pluginUrl('lwf')))).create(host, { lambda: 1, temperature: 2 });
    put(learner.trainable, valuesOf('trained'));
    await learner.begin({ index: 2, rows: rows.length, steps: 1 });
    put(learner.trainable, valuesOf('initial'));

    const device = await openDevice({ name: 'cpu' });
    try {
      const batch = rows.map((row, i) => trainingRow(encodeRow(model.tokenizer, { id: `row-${i}`, ...row }, training.maxTokens)));
      const shape = trainingShape(model.tokenizer, batch, batch, batch.length + 2); // two rows of padding
      const program = await compileTrainingStep({ device, forward: { model, learner, sites }, budget: training }, shape);
      const packed = packTraining(model.tokenizer, batch, shape);
      const flat = flatten(learner.trainable);
      const out = await program.run({
        ...batchFeeds(packed, true),
        ...Object.fromEntries(Object.entries(learner.frozen).map(([name, { data }]) => [`frozen.${name}`, data])),
        flat, m: new Float32Array(flat.length), v: new Float32Array(flat.length),
        rate: Float32Array.of(0), first: Float32Array.of(1), second: Float32Array.of(1),
      });
      expect(out['loss']![0]! - out['task']![0]!).to.be.closeTo(expected.lwfOnCheckpoint, 1e-4);
    } finally {
      await device.dispose();
    }
  });

  it('magmax: answers of the merge of both task vectors', async () => {
    const stream = await open('magmax', { lambda: 0.5 });
    await learn(stream, 1, first);
    await learn(stream, 2, second);
    expectClose(stream.predict(1), expected.magmax, 1e-4, 'answers');
  });

  it('inc-lora: answers of both adapters added', async () => {
    const stream = await open('inc-lora');
    await learn(stream, 1, first);
    await learn(stream, 2, second);
    expectClose(stream.predict(1), expected.incLora, 1e-4, 'answers');
  });

  it('per-task: answers of the adapter of each row\'s task, and of the model alone for a task that was not learned', async () => {
    const stream = await open('per-task');
    await learn(stream, 1, first);
    expectClose(stream.predict(2), stream.base(2), 1e-6, 'answers to what was not learned');
    await learn(stream, 2, second);
    expected.perTask.forEach((answers, t) => expectClose(stream.predict(t + 1), answers, 1e-4, `answers to task ${t + 1}`));
  });

  it('full: answers of whole changes, and the gradient of the loss by them', async () => {
    const stream = await open('full');
    await stream.begin(1);
    put(stream.learner.trainable, expected.deltas);
    expectClose(stream.predict(1), expected.full.answers, 1e-4, 'answers');
    const names = Object.keys(expected.deltas);
    const gradients = tf.grads(stream.lossOf(names, 1))(names.map((name) => {
      const { shape, data } = stream.learner.trainable[name]!;
      return tf.tensor(data, [...shape]);
    }));
    names.forEach((name, i) => expectClose(gradients[i]!.dataSync(), expected.full.gradient[name]!, 1e-4, `gradient by ${name}`));
  });

  it('replay: a step has the loss of the rows that it was given, new and kept', async () => {
    const stream = await open('replay', { budget: 6, share: 0.25 });
    await learn(stream, 1, first);
    await stream.begin(2);
    put(stream.learner.trainable, second);
    const drawn = Array.from({ length: ROWS }, (_, row) => ({ prompt: [2, row], answer: [2] }));
    const rows = stream.learner.batch!(drawn, 1).map(({ prompt: [task, row] }) => [task!, row!] as const);
    expect(rows.filter(([task]) => task === 1)).to.have.length(4);
    const wanted = rows.reduce((sum, [task, row]) => sum + expected.replay[task - 1]![row]! / ROWS, 0);
    expect(stream.train(1)[0]).to.be.closeTo(wanted, 1e-4);
  });
});
