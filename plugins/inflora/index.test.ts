import { describeMethod, Fixture, ToyStream } from '@lethe/testkit';
import { extendBasis, leadingDirections, type NdArray, product, transposed } from '@lethe/core';
import { expect } from 'chai';

describeMethod(import.meta.url);

/** U U^T: what does not depend on which basis of a space U is. */
const projector = (basis: NdArray): Float32Array => product(basis, transposed(basis)).data;

describe('inflora', () => {
  it('designs input directions and keeps those of tasks as the singular vectors of their inputs say, by PyTorch', () => {
    const fixture = new Fixture(new URL('../../../test/fixtures/inflora/expected.json', import.meta.url));
    let basis: NdArray | undefined;
    for (const task of [1, 2, 3]) {
      const moment = fixture.array(`moment.${task}`);
      const design = leadingDirections(moment, 2, basis);
      fixture.check(`design.${task}`, projector(design), 1e-3);
      basis = extendBasis(basis, moment, fixture.values['threshold'] as number);
      fixture.check(`memory.${task}`, projector(basis), 1e-3);
    }
  });

  it('trains B alone: what a site reads stays as it was designed', async () => {
    const stream = await ToyStream.open(import.meta.url);
    await stream.begin(1);
    expect(Object.keys(stream.learner.trainable)).to.deep.equal(['lora.layers.0.q.B', 'lora.layers.0.v.B']);
    const designed = stream.learner.frozen['lora.layers.0.q.A']!.data.slice();
    stream.train(30);
    expect(stream.learner.frozen['lora.layers.0.q.A']!.data).to.deep.equal(designed);
  });

  it('does not disturb a task whose inputs it has taken, however much it learns of another', async () => {
    const stream = await ToyStream.open(import.meta.url, { threshold: 0.9999 });
    // inputs of the first task in the first three coordinates, those of the second in all of them
    const { x } = stream.rows[0]!;
    x.data.forEach((_, i) => { if (i % 8 > 2) x.data[i] = 0; });
    await stream.learn(1);
    await stream.begin(2);
    const { learner } = stream;
    learner.trainable['lora.layers.0.q.B']!.data.fill(1);
    const scope = Fixture.scope({ ...learner.frozen, ...learner.trainable, x });
    const [site] = stream.host.sites;
    const silent = Fixture.scope({ ...learner.frozen, ...learner.trainable, 'lora.layers.0.q.B': { shape: [4, 6], data: new Float32Array(24) }, x });
    const [loud, before] = [scope, silent].map((s) => learner.adapt(site!, s.params['x'] as never, s)!.dataSync());
    loud!.forEach((v, i) => expect(v).to.be.closeTo(before![i]!, 1e-3));
    const { x: other } = stream.rows[1]!;
    const answer = learner.adapt(site!, Fixture.scope({ other }).params['other'] as never, scope)!.dataSync();
    expect(Math.max(...answer.map(Math.abs))).to.be.above(0.5);
  });
});
