import { expect } from 'chai';
import { Fixture } from '../src/index.js';
import { SITES } from '../src/toy-world.js';

describe('a scope of given arrays', () => {
  const [q, v] = SITES as [(typeof SITES)[number], (typeof SITES)[number]];
  const layers = {
    [q.name]: { shape: [8, 6], data: Float32Array.from({ length: 48 }, (_, i) => i) },
    [`${q.name}.bias`]: { shape: [6], data: new Float32Array(6).fill(2) },
    [v.name]: { shape: [6, 4], data: new Float32Array(24) },
  };

  it('has the matrices and biases of frozen layers that it is given', () => {
    const scope = Fixture.scope({}, undefined, layers);
    expect(scope.weight(q).arraySync()[1]).to.deep.equal([6, 7, 8, 9, 10, 11]);
    expect(scope.bias(q)!.arraySync()).to.deep.equal([2, 2, 2, 2, 2, 2]);
    expect(scope.bias(v)).to.equal(null);
  });

  it('has none where it is given none', () => {
    expect(() => Fixture.scope({}).weight(q)).to.throw('There is no batch of a model in a fixture.');
  });
});
