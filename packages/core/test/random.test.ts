import { readFileSync } from 'node:fs';
import { createRandom } from '@lethe/core';
import { expect } from 'chai';

/** What another implementation gives; see the README beside it. */
const expected = JSON.parse(readFileSync(new URL('../../../../test/fixtures/random/expected.json', import.meta.url), 'utf8')) as {
  uniform: number[];
  forkedNormal: number[];
  below10: number[];
  shuffled: string[];
};

describe('seeded randomness', () => {
  it('is that of another implementation of the generator', () => {
    const random = createRandom(1, 'task', 3);
    const init = random.fork('init');
    expect(expected.uniform.map(() => random.uniform())).to.deep.equal(expected.uniform);
    // logarithms and cosines may differ in their last digit from library to library
    for (const value of expected.forkedNormal) expect(init.normal()).to.be.closeTo(value, 1e-14);
    const below = createRandom(7);
    expect(expected.below10.map(() => below.below(10))).to.deep.equal(expected.below10);
  });

  it('puts a copy into another order, and scales normal values', () => {
    const letters = [...'abcdef'];
    expect(createRandom(7).shuffle(letters)).to.deep.equal(expected.shuffled);
    expect(letters.join('')).to.equal('abcdef');
    const drawn = createRandom(1, 'task', 3, 'init').normals(4, 0.5);
    expect(drawn).to.be.instanceOf(Float32Array);
    expected.forkedNormal.forEach((value, i) => expect(drawn[i]).to.be.closeTo(value / 2, 1e-7));
  });
});
