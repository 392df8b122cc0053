import { bytesOfState, createRandom, leadingDirections, type NdArray, product, transposed, zeros } from '@lethe/core';
import { describeMethod, Fixture, ToyStream } from '@lethe/testkit';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { Measured, type Sensitivity } from './sensitivity.js';

describeMethod(import.meta.url);

describe('with the right route given', () => describeMethod(import.meta.url, { options: { oracle: true } }));

/** Atoms of every expert by its name, both sites together. */
function experts(stream: ToyStream): Record<string, number> {
  const { rows, cells } = stream.learner.report!()[0]!;
  return Object.fromEntries(rows.names.map((name, e) => [name, (cells[e] as number[]).reduce((a, b) => a + b, 0)]));
}

describe('seta, against PyTorch', () => {
  const fixture = new Fixture(new URL('../../../test/fixtures/seta/expected.json', import.meta.url));

  it('adds experts, and atoms that it reads, behind its gate, trains the gate, and anchors shared atoms by their Fisher information and owners', async () => {
    const { learner, host } = await ToyStream.open(import.meta.url, fixture.values['options'] as Record<string, unknown>);
    learner.restore({
      trainable: fixture.arrays('trainable/'), frozen: fixture.arrays('frozen/'), stored: fixture.arrays('stored/'),
      json: { owners: fixture.values['owners'], task: 3 },
    });
    const z = fixture.tensor('z') as tf.Tensor2D;
    const scoring = { ...Fixture.scope({ ...learner.frozen, ...learner.trainable }, z), training: false };
    for (const site of host.sites) {
      const x = fixture.tensor(`x.${site.name}`) as tf.Tensor3D;
      fixture.check(`delta.${site.name}`, learner.adapt(site, x, scoring)!.dataSync());
      fixture.check(`learned.${site.name}`, learner.adapt(site, x, { ...scoring, training: true })!.dataSync());
    }
    const moved = Fixture.scope({ ...learner.frozen, ...learner.trainable, ...fixture.arrays('moved/') }, z);
    const [gate] = learner.penalty!(Fixture.scope({ ...learner.frozen, ...learner.trainable }, z))!.dataSync();
    fixture.check('gate', [gate!]);
    fixture.check('anchor', [learner.penalty!(moved)!.dataSync()[0]! - gate!]);
  });

  it('measures atoms: sensitivity of every kind, Fisher information, agreement', () => {
    const [a, b] = [fixture.array('a'), fixture.array('b')];
    const [size, count] = a.shape as [number, number];
    const site = { name: 'q', index: 0, layer: 0, kind: 'q', in: size, out: b.shape[1]! } as const;
    for (const kind of ['uncertain', 'product', 'gradient', 'fisher'] as Sensitivity[]) {
      const atoms = Array.from({ length: count }, () => new Measured(site, kind, createRandom(1)));
      for (let n = 0; n < (fixture.values['batches'] as number); n++) {
        const [gradA, gradB] = ['A', 'B'].map((part) => fixture.array(`gradient.${n}.${part}`).data) as [Float32Array, Float32Array];
        atoms.forEach((atom, k) => atom.add(k, { count, a: a.data, gradA, b: b.data, gradB }));
      }
      fixture.check(`score.${kind}`, atoms.map(({ score }) => score));
      fixture.check('agreement', [Measured.agreement(atoms)]);
      fixture.check('fisher.A', atoms.flatMap(({ fisherA }) => [...fisherA]));
      fixture.check('fisher.B', atoms.flatMap(({ fisherB }) => [...fisherB]));
    }
  });
});

describe('seta', () => {
  it('lets fresh atoms read what the inputs of their task hold most of, or random directions', async () => {
    for (const start of ['inputs', 'random'] as const) {
      const stream = await ToyStream.open(import.meta.url, { start, split: false });
      await stream.learn(1);
      const task = await stream.begin(2);
      const { host: { sites: [site] }, learner } = stream;
      const moment = (await stream.host.moments(task, 16))[site!.name]!;
      const own = learner.trainable[`own.A.${site!.name}`]!;
      const energy = (a: NdArray) => {
        const { data } = product(product(transposed(a), moment), a);
        return Array.from({ length: a.shape[1]! }, (_, k) => data[k * (a.shape[1]! + 1)]!);
      };
      const most = energy(leadingDirections(moment, 4));
      if (start === 'inputs') energy(own).forEach((e, k) => expect(e).to.be.closeTo(most[k]!, 1e-4 * most[0]!));
      else expect(energy(own)[0]).to.be.below(most[0]!);
    }
  });

  it('splits atoms off their expert for a new task, and grows less than an adapter a task', async () => {
    const stream = await ToyStream.open(import.meta.url, { agreement: -1, maxShared: 0.5 });
    for (const t of [1, 2, 3]) await stream.learn(t);
    const found = experts(stream);
    expect(Object.keys(found)).to.include('shared 1 2');
    expect(Object.values(found).reduce((a, b) => a + b, 0)).to.be.below(3 * 4 * 2);
  });

  it('gives every task unique experts only when splitting is off', async () => {
    const stream = await ToyStream.open(import.meta.url, { split: false });
    for (const t of [1, 2, 3]) await stream.learn(t);
    expect(experts(stream)).to.deep.equal({ 'unique 1': 4 * 2, 'unique 2': 4 * 2, 'unique 3': 4 * 2 });
  });

  describe('of two tasks that read the same', () => {
    /** The second task wants what the first does (1), or the opposite of what it adds to the model (-1). */
    const planted = async (sign: 1 | -1, options: Record<string, unknown>) => {
      const stream = await ToyStream.open(import.meta.url, options);
      await stream.learn(1);
      const { x, y } = stream.rows[0]!;
      const base = stream.base(1);
      stream.rows[1] = { ...stream.rows[1]!, x, y: { shape: y.shape, data: y.data.map((v, i) => base[i]! + sign * (v - base[i]!)) } };
      await stream.learn(2);
      return Object.keys(experts(stream));
    };

    it('shares experts where they agree', async () => {
      expect(await planted(1, {})).to.include('shared 1 2');
    });

    it('shares none where they conflict, though the second is more sensitive to what the first learned than the first', async () => {
      expect(await planted(-1, {})).to.deep.equal(['unique 1', 'unique 2']);
      expect(await planted(-1, { agreement: -1 })).to.include('shared 1 2');
    });

    for (const sensitivity of ['product', 'gradient', 'fisher', 'random']) {
      it(`shares by ${sensitivity} too`, async () => {
        expect(await planted(1, { sensitivity })).to.include('shared 1 2');
      });
    }
  });

  describe('reads old atoms as they are', () => {
    const site = 'layers.0.q';

    it('those that the new task is most sensitive to, no more than it may, with weights from 0', async () => {
      const stream = await ToyStream.open(import.meta.url, { split: false, reuse: 0.5 });
      await stream.learn(1);
      const before = structuredClone(stream.learner.save().frozen[`atoms.${site}`]!);
      await stream.begin(2);
      const { trainable, frozen } = stream.learner;
      expect(trainable[`weights.${site}`]).to.deep.equal({ shape: [2], data: new Float32Array(2) });
      expect([frozen[`read.A.${site}`]!.shape[1], frozen[`kept.A.${site}`]!.shape[1]]).to.deep.equal([2, 2]);
      // the rest of the four atoms of the first task is not read: with the two that are, they are those that it left
      const columnsOf = ({ shape: [size, count], data }: NdArray) => Array.from({ length: count! }, (_, k) => Array.from({ length: size! }, (_row, i) => data[i * count! + k]!).join());
      const left = Array.from({ length: 4 }, (_, k) => [...before.data.subarray(k * before.shape[1]! + 1, k * before.shape[1]! + 9)].join());
      expect([...columnsOf(frozen[`kept.A.${site}`]!), ...columnsOf(frozen[`read.A.${site}`]!)].sort()).to.deep.equal(left.sort());
    });

    it('learns sooner what an earlier task knows, and leaves that one as it is', async () => {
      const losses: number[] = [];
      for (const reuse of [0, 2]) {
        const stream = await ToyStream.open(import.meta.url, { split: false, reuse, start: 'random' });
        await stream.learn(1);
        const learned = stream.predict(1);
        const { x, y } = stream.rows[0]!;
        stream.rows[1] = { ...stream.rows[1]!, x, y };
        losses.push((await stream.learn(2)).last);
        stream.predict(1).forEach((value, i) => expect(value).to.be.closeTo(learned[i]!, 1e-3));
        const [reading] = stream.learner.report!().filter(({ title }) => title === 'Reading of old experts');
        const [, [weight]] = reading!.cells as (number | null)[][];
        if (reuse === 0) expect(weight).to.equal(null);
        else expect(weight).to.be.above(0.05);
      }
      expect(losses[1]).to.be.below(0.97 * losses[0]!);
    });
  });

  it('takes no more of the rank than its budget', async () => {
    const stream = await ToyStream.open(import.meta.url, { budget: 0.5, agreement: -1, maxShared: 0.5 });
    for (const t of [1, 2]) await stream.learn(t);
    expect(experts(stream)).to.deep.equal({ 'unique 1': 2, 'unique 2': 2, 'shared 1 2': 2 });
  });

  it('says what it learned: overlap, growth in parameters that are those it saves, and how far its gate opens', async () => {
    const stream = await ToyStream.open(import.meta.url, { agreement: -1, maxShared: 0.5 });
    for (const t of [1, 2, 3]) await stream.learn(t);
    const [, overlap, growth] = stream.learner.report!();
    const shares = overlap!.cells as number[][];
    shares.forEach((row, t) => expect(row[t]).to.equal(1));
    expect(shares[1]![0]).to.be.closeTo(0.5, 1e-9);
    const state = stream.learner.save();
    const saved = Object.values({ ...state.trainable, ...state.frozen }).reduce((sum, { data }) => sum + data.length, 0);
    expect(growth!.cells.map(([fresh, shared]) => [fresh, shared])).to.deep.equal([[8, 0], [4, 4], [4, 4]]);
    expect(growth!.cells[2]![2]).to.equal(saved);
    expect(growth!.cells[2]![4]).to.equal(bytesOfState(state));
    const { parts, open } = stream.gates(2)!;
    expect(parts.at(-1)).to.equal('the model alone');
    const alone = stream.gates(2)!.open.filter((_, i) => i % parts.length === parts.length - 1);
    expect(alone.every((p) => p < 0.5)).to.equal(true);
    const of = (name: string) => open.filter((_, i) => i % parts.length === parts.findIndex((part) => part === name));
    expect(Math.min(...of('unique 2'))).to.be.above(Math.max(...of('unique 3')));
  });

  it('predicts from what it trains and freezes alone, and keeps the rest only where an option needs it', async () => {
    for (const [options, kept] of [
      [{}, ['fisher', 'gate.rows']], [{ anchor: 0 }, ['gate.rows']], [{ split: false }, ['gate.rows']],
    ] as const) {
      const stream = await ToyStream.open(import.meta.url, options);
      for (const t of [1, 2]) await stream.learn(t);
      const state = stream.learner.save();
      expect([...new Set(Object.keys(state.stored).map((name) => name.replace(/\.(\d+|layers.*)$/, '')))].sort()).to.deep.equal(kept);
      expect(stream.learner.report!()[2]!.cells[1]![4]).to.equal(bytesOfState(state));
      const stored = Object.fromEntries(Object.entries(state.stored).map(([name, { shape }]) => [name, zeros(shape)]));
      expect([...stream.restored({ ...state, stored }).predict(1)]).to.deep.equal([...stream.predict(1)]);
    }
  });

  it('anchors a shared atom but leaves a unique one free', async () => {
    const stream = await ToyStream.open(import.meta.url, { agreement: -1, routing: 0 });
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
    const stream = await ToyStream.open(import.meta.url, { anchor: 0, routing: 0.5 });
    await stream.learn(1);
    await stream.begin(2);
    const arrays = { ...stream.learner.frozen, ...stream.learner.trainable };
    const [centre, pseudo] = [arrays['gate.centre']!.data, arrays['gate.pseudo']!];
    const map = arrays['gate.map']!;
    const keys = product(arrays['gate.means']!, map).data.map((v, i) => v + arrays['gate.moved']!.data[i]!);
    const { z } = stream.rows[1]!;
    const size = z.shape[1]!;
    const white = product({ shape: z.shape, data: z.data.map((v, i) => (v - centre[i % size]!) * centre[size + (i % size)]!) }, map);
    /** Mean of -log of the probability of a route over rows, in plain arithmetic. */
    const surprise = ({ shape: [rows, d], data }: NdArray, route: number) => {
      let sum = 0;
      for (let row = 0; row < rows!; row++) {
        const logits = [0, 1].map((t) => {
          let square = 0;
          for (let i = 0; i < d!; i++) square += (data[row * d! + i]! - keys[t * d! + i]!) ** 2;
          return -square / 2;
        });
        sum += Math.log(logits.reduce((total, logit) => total + Math.exp(logit - logits[route]!), 0));
      }
      return sum / rows!;
    };
    expect(stream.penalty()).to.be.closeTo(surprise(white, 1) + 0.5 * surprise(pseudo, 0), 1e-3);
  });

  it('tells tasks apart by the covariance that they share: by a difference that is small beside what varies in both', async () => {
    const stream = await ToyStream.open(import.meta.url, { split: false });
    const random = createRandom(5);
    const plain = stream.rows.map((rows) => rows.z);
    // all tasks vary along the first feature, and differ by a little in the second
    plain.forEach(({ shape, data }, t) => {
      const size = shape[1]!;
      const rows = data.map((_, i) => [10 * random.normal(), t + 0.1 * random.normal()][i % size] ?? 0.1 * random.normal());
      stream.rows[t] = { ...stream.rows[t]!, z: { shape, data: rows } };
    });
    for (const t of [1, 2, 3]) await stream.learn(t);
    for (const t of [1, 2, 3]) {
      const { parts, open } = stream.gates(t)!;
      const own = [...open].filter((_, i) => parts[i % parts.length] === `unique ${t}`);
      expect(own.reduce((sum, p) => sum + p, 0) / own.length, `task ${t}`).to.be.above(0.9);
    }
  });
});
