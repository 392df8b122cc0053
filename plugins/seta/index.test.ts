import { describeMethod, ToyStream } from '@lethe/testkit';
import { expect } from 'chai';

describeMethod(import.meta.url);

interface Report {
  readonly experts: readonly { readonly owners: readonly number[]; readonly kind: string; readonly atoms: number }[];
  readonly atoms: number;
}

describe('seta', () => {
  it('splits atoms that a new task is sensitive to off their expert and grows less than an adapter a task', async () => {
    const stream = await ToyStream.open(import.meta.url, { threshold: 0, maxShared: 0.5 });
    for (const t of [1, 2, 3]) await stream.learn(t);
    const report = stream.learner.report!() as Report;
    expect(report.experts.some((e) => e.kind === 'shared')).to.equal(true);
    expect(report.atoms).to.be.below(3 * 4 * 2);
  });

  it('gives every task unique experts only when splitting is off', async () => {
    const stream = await ToyStream.open(import.meta.url, { split: false });
    for (const t of [1, 2, 3]) await stream.learn(t);
    const report = stream.learner.report!() as Report;
    expect(report.experts.map((e) => e.owners)).to.deep.equal([[1], [2], [3]]);
    expect(report.atoms).to.equal(3 * 4 * 2);
  });

  it('anchors a shared atom but leaves a unique one free', async () => {
    const stream = await ToyStream.open(import.meta.url, { threshold: 0, routing: 0 });
    await stream.learn(1);
    await stream.begin(2);
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
    const stream = await ToyStream.open(import.meta.url, { split: false });
    await stream.learn(1);
    const learned = stream.predict(1);
    await stream.learn(2);
    await stream.learn(3);
    stream.predict(1).forEach((value, i) => expect(value).to.be.closeTo(learned[i]!, 1e-3));
  });

  it('leaves prompts that are far from every task to the base model', async () => {
    const stream = await ToyStream.open(import.meta.url);
    await stream.learn(1);
    await stream.learn(2);
    const { z } = stream.rows[0]!;
    stream.rows[0] = { ...stream.rows[0]!, z: { shape: z.shape, data: z.data.map((v) => v + 100) } };
    const base = stream.base(1);
    stream.predict(1).forEach((value, i) => expect(value).to.be.closeTo(base[i]!, 1e-5));
  });

  it('trains the gate by the cross-entropy of routes, on pseudo-features of earlier tasks too', async () => {
    const stream = await ToyStream.open(import.meta.url, { anchor: 0, routing: 0.5, sharpness: 2 });
    await stream.learn(1);
    await stream.begin(2);
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
    const own = rowsOf(stream.rows[1]!.z.data).map((z) => surprise(z.map((v, i) => (v - centre[i]!) * centre[size + i]!), 2));
    const pseudo = rowsOf(arrays['gate.pseudo']!.data).map((z) => surprise(z, 1));
    expect(stream.penalty()).to.be.closeTo(mean(own) + 0.5 * mean(pseudo), 1e-3);
  });
});
