import { expect } from 'chai';
import { stateFault } from '../src/index.js';

const array = (data: unknown, shape: unknown = [3]) => ({ shape, data });
const state = (more: object) => ({ trainable: {}, frozen: {}, stored: {}, json: null, ...more });

describe('stateFault', () => {
  it('lets pass what comes back from a file as it was', () => {
    const rows = [{ prompt: [0, 7], answer: [3] }];
    expect(stateFault(state({ stored: { n: array(new Float32Array(3)) }, rows }))).to.equal(null);
    for (const json of [null, 1.5, 'text', [], { owners: [[1, 2], []], tasks: { a: { b: true } }, none: undefined }]) expect(stateFault(state({ json }))).to.equal(null);
    expect(stateFault({ trainable: {}, frozen: {}, stored: {} })).to.equal(null);
  });

  it('says which array is none', () => {
    for (const data of [new Float64Array(3), new Int32Array(3), new Float32Array(2), new Float32Array(4), [1, 2, 3], undefined]) {
      expect(stateFault(state({ frozen: { n: array(data) } }))).to.match(/^the array "n" in frozen (holds|has) /);
    }
    expect(stateFault(state({ frozen: { n: array(new Float64Array(3)) } }))).to.contain('holds a Float64Array, not a Float32Array');
    expect(stateFault(state({ frozen: { n: array(new Float32Array(3), [2, 2]) } }))).to.contain('has 3 values, but the shape [2, 2]');
    expect(stateFault(state({ trainable: { w: null } }))).to.equal('the array "w" in trainable has no shape');
    expect(stateFault(state({ stored: new Map() }))).to.equal('stored is a Map, not arrays by name');
    expect(stateFault(state({ stored: undefined }))).to.equal('stored is undefined, not arrays by name');
    expect(stateFault(undefined)).to.contain('it is undefined, not a state');
    expect(stateFault(7)).to.contain('it is 7, not a state');
  });

  it('says where the json holds what would be dropped or changed', () => {
    const faultOf = (json: unknown) => stateFault(state({ json }))?.split(',')[0];
    expect(faultOf({ owners: new Map([[1, 2]]) })).to.equal('json.owners is a Map');
    expect(faultOf({ tasks: [{ seen: new Set() }] })).to.equal('json.tasks[0].seen is a Set');
    expect(faultOf({ next: () => 1 })).to.equal('json.next is a function');
    expect(faultOf([1, undefined])).to.equal('json[1] is undefined');
    expect(faultOf({ loss: NaN })).to.equal('json.loss is NaN');
    expect(faultOf({ mean: new Float32Array(2) })).to.equal('json.mean is a Float32Array');
    expect(faultOf({ when: new Date(0) })).to.equal('json.when is a Date');
    expect(faultOf({ count: 1n })).to.equal('json.count is a bigint');
    const self: Record<string, unknown> = {};
    self['self'] = self;
    expect(faultOf(self)).to.equal('json.self holds itself');
  });

  it('says that rows are none', () => {
    for (const rows of [7, [{ prompt: 'text', answer: [1] }], [{ prompt: [1.5], answer: [] }], [null]]) {
      expect(stateFault(state({ rows }))).to.contain('rows is not a list of rows');
    }
  });
});
