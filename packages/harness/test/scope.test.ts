import { LetheError } from '@lethe/core';
import { expect } from 'chai';
import { sitesOf } from '../src/scope.js';
import { tinyModel } from './tiny.js';

describe('the sites of a run', () => {
  it('are the layers of the kinds that the model has, and at least one', () => {
    const model = tinyModel(); // one layer of kind q
    expect(sitesOf(model, ['gate', 'q']).map(({ name, index }) => [name, index])).to.deep.equal([['layers.0.q', 0]]);
    expect(() => sitesOf(model, ['gate', 'up'])).to.throw(LetheError, 'layers of kind gate, up; the model has q').with.property('code', 'LETHE_MODEL_SITES');
  });
});
