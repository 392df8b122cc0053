import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { ToyStream } from './toy-stream.js';

describe('method ewc', () => {
  it('keeps the mean of squared per-example gradients as Fisher information', async () => {
    const stream = await ToyStream.open('ewc', { rows: 5 });
    await stream.learn(1);
    const name = 'lora.layers.0.q.B';
    const { data, shape } = stream.learner.trainable[name]!;
    const expected = new Float32Array(data.length);
    for (let row = 0; row < 5; row++) {
      const g = tf.grads(stream.lossOf([name], row, row + 1))([tf.tensor(data, [...shape])])[0]!.dataSync();
      g.forEach((v, i) => (expected[i]! += v ** 2 / 5));
    }
    stream.learner.frozen[`fisher.${name}`]!.data.forEach((f, i) => expect(f).to.be.closeTo(expected[i]!, 1e-7));
  });

  it('adds lambda / 2 times the Fisher-weighted squared distance, and nothing before the first consolidation', async () => {
    const stream = await ToyStream.open('ewc', { lambda: 10 });
    expect(stream.penalty()).to.equal(null);
    await stream.learn(1);
    let expected = 0;
    for (const [name, array] of Object.entries(stream.learner.trainable)) {
      array.data.forEach((_, i) => (array.data[i]! += 0.5));
      expected += stream.learner.frozen[`fisher.${name}`]!.data.reduce((sum, f) => sum + f * 0.25, 0) * 5;
    }
    expect(stream.penalty()).to.be.closeTo(expected, 1e-4 * expected);
  });
});

describe('method o-lora', () => {
  it('adds lambda1 times the absolute inner products of old and new columns of A', async () => {
    const stream = await ToyStream.open('o-lora', { lambda1: 0.25 });
    await stream.learn(1);
    await stream.learner.begin({ index: 2, rows: 16, steps: 1 });
    let expected = 0;
    for (const site of stream.host.sites) {
      const [old, now] = [stream.learner.frozen[`old.${site.name}.A`]!, stream.learner.trainable[`lora.${site.name}.A`]!];
      for (let p = 0; p < 4; p++) {
        for (let q = 0; q < 4; q++) {
          let dot = 0;
          for (let i = 0; i < site.in; i++) dot += old.data[i * 4 + p]! * now.data[i * 4 + q]!;
          expected += 0.25 * Math.abs(dot);
        }
      }
    }
    expect(stream.penalty()).to.be.closeTo(expected, 1e-4 * expected);
  });

  it('keeps earlier adapters and adds rank columns a task', async () => {
    const stream = await ToyStream.open('o-lora');
    for (const t of [1, 2, 3]) await stream.learn(t);
    expect(stream.learner.frozen['old.layers.0.q.A']!.shape).to.deep.equal([8, 8]);
  });
});

interface Report {
  readonly experts: readonly { readonly owners: readonly number[]; readonly kind: string; readonly atoms: number }[];
  readonly atoms: number;
}

describe('method seta', () => {
  it('splits atoms that a new task is sensitive to off their expert and grows less than an adapter a task', async () => {
    const stream = await ToyStream.open('seta', { threshold: 0, maxShared: 0.5 });
    for (const t of [1, 2, 3]) await stream.learn(t);
    const report = stream.learner.report!() as Report;
    expect(report.experts.some((e) => e.kind === 'shared')).to.equal(true);
    expect(report.atoms).to.be.below(3 * 4 * 2);
  });

  it('gives every task unique experts only when splitting is off', async () => {
    const stream = await ToyStream.open('seta', { split: false });
    for (const t of [1, 2, 3]) await stream.learn(t);
    const report = stream.learner.report!() as Report;
    expect(report.experts.map((e) => e.owners)).to.deep.equal([[1], [2], [3]]);
    expect(report.atoms).to.equal(3 * 4 * 2);
  });

  it('anchors a shared atom but leaves a unique one free', async () => {
    const stream = await ToyStream.open('seta', { threshold: 0, routing: 0 });
    await stream.learn(1);
    await stream.learner.begin({ index: 2, rows: 16, steps: 1 });
    const weights = stream.learner.frozen['anchor.weight.B.layers.0.q']!; // (atoms, 6): shared atoms first
    const perAtom = [0, 1, 2, 3].map((k) => weights.data.subarray(k * 6, k * 6 + 6).some((w) => w > 0));
    expect(perAtom).to.deep.equal([true, true, false, false]);
    const [before, b] = [stream.penalty()!, stream.learner.trainable['own.B.layers.0.q']!.data];
    for (let i = 0; i < 6; i++) b[3 * 6 + i]! += 1;
    expect(stream.penalty()).to.be.closeTo(before, 1e-6);
    let expected = before;
    for (let i = 0; i < 6; i++) {
      b[i]! += 0.1;
      expected += 0.01 * weights.data[i]!;
    }
    expect(stream.penalty()).to.be.closeTo(expected, 1e-4 * expected);
  });

  it('opens the route of the task that a prompt is nearest to: what was learned stays, without a task identity', async () => {
    const stream = await ToyStream.open('seta', { split: false });
    await stream.learn(1);
    const learned = stream.predict(1);
    await stream.learn(2);
    await stream.learn(3);
    stream.predict(1).forEach((value, i) => expect(value).to.be.closeTo(learned[i]!, 1e-3));
  });

  it('leaves prompts that are far from every task to the base model', async () => {
    const [stream, base] = [await ToyStream.open('seta'), await ToyStream.open('zero-shot')];
    await stream.learn(1);
    await stream.learn(2);
    const { x, z, y } = stream.batches[0]!;
    stream.batches[0] = { x, y, z: z.add(100) };
    stream.predict(1).forEach((value, i) => expect(value).to.be.closeTo(base.predict(1)[i]!, 1e-5));
  });

  it('trains the gate by the cross-entropy of routes, on pseudo-features of earlier tasks too', async () => {
    const stream = await ToyStream.open('seta', { anchor: 0, routing: 0.5, sharpness: 2 });
    await stream.learn(1);
    await stream.learn(2, 0);
    const arrays = { ...stream.learner.frozen, ...stream.learner.trainable };
    const [keys, metric, radius, centre] = ['keys', 'metric', 'radius', 'centre'].map((name) => arrays[`gate.${name}`]!.data) as
      [Float32Array, Float32Array, Float32Array, Float32Array];
    const size = metric.length;
    /** -log of the probability of a route, in plain arithmetic. */
    const surprise = (z: readonly number[], route: number) => {
      const logit = (t: number) => 2 * (radius[t]! - z.reduce((sum, v, i) => sum + Math.exp(metric[i]!) * (v - keys[t * size + i]!) ** 2, 0) / size);
      const logits = [0, logit(0), logit(1)];
      return Math.log(logits.reduce((sum, l) => sum + Math.exp(l - logits[route]!), 0));
    };
    const rowsOf = (data: ArrayLike<number>) => Array.from({ length: data.length / size }, (_, row) =>
      Array.from({ length: size }, (__, i) => data[row * size + i]!));
    const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
    const own = rowsOf(stream.batches[1]!.z.dataSync()).map((z) => surprise(z.map((v, i) => (v - centre[i]!) * centre[size + i]!), 2));
    const pseudo = rowsOf(arrays['gate.pseudo']!.data).map((z) => surprise(z, 1));
    expect(stream.penalty()).to.be.closeTo(mean(own) + 0.5 * mean(pseudo), 1e-3);
  });
});
