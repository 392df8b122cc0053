import { expect } from 'chai';
import { type Learner, type LetheError, type Row, checkKept, checkPrompt, rowChoice } from '../src/index.js';

const array = (data: unknown, shape: unknown = [3]) => ({ shape, data });
const state = (more: object) => ({ trainable: {}, frozen: {}, stored: {}, json: null, ...more });

/** What is wrong with a state; null where nothing is. */
function faultOf(given: unknown): string | null {
  try {
    checkKept(given);
    return null;
  } catch (error) {
    expect(error).to.include({ code: 'LETHE_METHOD_FAILED' });
    return (error as LetheError).message;
  }
}

describe('what a learner saves', () => {
  it('passes where it comes back from a file as it was', () => {
    const rows = [{ prompt: [0, 7], answer: [3] }];
    expect(faultOf(state({ stored: { n: array(new Float32Array(3)) }, rows }))).to.equal(null);
    for (const json of [null, 1.5, 'text', [], { owners: [[1, 2], []], tasks: { a: { b: true } }}]) expect(faultOf(state({ json }))).to.equal(null);
    expect(faultOf({ trainable: {}, frozen: {}, stored: {} })).to.equal(null);
  });

  it('says which array is none', () => {
    for (const data of [new Float64Array(3), new Int32Array(3), new Float32Array(2), new Float32Array(4), [1, 2, 3], undefined]) {
      expect(faultOf(state({ frozen: { n: array(data) } }))).to.match(/^saved frozen array "n" (is no Float32Array|has \d values, but shape \[3\])/);
    }
    expect(faultOf(state({ frozen: { n: array(new Float32Array(3), [2, 2]) } }))).to.contain('has 3 values, but shape [2, 2]');
    expect(faultOf(state({ trainable: { w: null } }))).to.contain('saved trainable array "w" has no shape');
    expect(faultOf(state({ stored: new Map() }))).to.contain('saved stored is a Map instead of arrays by name');
    expect(faultOf(state({ stored: undefined }))).to.contain('saved stored is undefined instead of arrays by name');
    expect(faultOf(undefined)).to.contain('save gives undefined instead of');
    expect(faultOf(7)).to.contain('save gives a number (7) instead of');
  });

  it('says where the json holds what would be dropped or changed', () => {
    const lost = (json: unknown) => faultOf(state({ json }))?.split(',')[0];
    expect(lost({ owners: new Map([[1, 2]]) })).to.equal('saved json.owners is a Map');
    expect(lost({ tasks: [{ seen: new Set() }] })).to.equal('saved json.tasks[0].seen is a Set');
    expect(lost({ next: () => 1 })).to.equal('saved json.next is a function');
    expect(lost({ a: { b: undefined } })).to.equal('saved json.a.b is undefined');
    expect(lost([1, undefined])).to.equal('saved json[1] is undefined');
    expect(lost({ loss: NaN })).to.equal('saved json.loss is a number (NaN)');
    expect(lost({ mean: new Float32Array(2) })).to.equal('saved json.mean is a Float32Array');
    expect(lost({ when: new Date(0) })).to.equal('saved json.when is a Date');
    expect(lost({ count: 1n })).to.equal('saved json.count is a bigint');
    const self: Record<string, unknown> = {};
    self['self'] = self;
    expect(lost(self)).to.equal('saved json.self holds itself');
  });

  it('says that rows are none', () => {
    for (const rows of [7, [{ prompt: 'text', answer: [1] }], [{ prompt: [1.5], answer: [] }], [{ prompt: [1], answer: [-1] }], [null]]) {
      expect(faultOf(state({ rows }))).to.contain('rows is not a list of rows');
    }
  });
});

describe('what a learner gives in the place of rows and prompts', () => {
  const row = { prompt: [1], answer: [2] };
  const kept = { prompt: [3], answer: [4] };
  const learner = (given: unknown, rows: readonly Row[] = [kept]) => ({ batch: () => given, rows }) as unknown as Learner;
  /** What a learner may make of one row that was drawn, and is all that there is in its task. */
  const choose = (given: unknown, made: { room: number; vocabulary: number } | null = null) => rowChoice(learner(given), [row], made)([row], 7);

  it('is as many rows as were drawn, and tokens', () => {
    expect(choose([row])).to.deep.equal([row]);
    expect(checkPrompt([0, 7])).to.deep.equal([0, 7]);
    for (const [check, message] of [
      [() => choose('row'), 'batch gives a string (row) instead of a list of rows'], [() => choose([row, row]), 'batch gives 2 rows instead of the 1'],
      [() => checkPrompt('a b' as never), 'instead of a list of tokens'], [() => checkPrompt([1, -1]), 'no token'], [() => checkPrompt([0.5]), 'no token'],
    ] as const) expect(check, message).to.throw(message).with.property('code', 'LETHE_METHOD_FAILED');
  });

  it('are drawn ones and kept ones or, where the method may, made ones', () => {
    expect(choose([kept])).to.deep.equal([kept]);
    expect(rowChoice({} as Learner, [row], null)([row], 1), 'of a learner without a say').to.deep.equal([row]);
    const made = { prompt: [9, 1], answer: [5] };
    expect(choose([made], { room: 3, vocabulary: 10 })).to.deep.equal([made]);
    for (const [given, limits, message] of [
      [made, null, 'batch gives a row that is neither one of the task nor among its "rows", and its manifest does not declare pseudoRehearsal, in step 7'],
      [{ ...row }, null, 'neither one of the task'],
      [made, { room: 2, vocabulary: 10 }, 'batch gives a row of 3 tokens where there is room for 2, in step 7'],
      [made, { room: 3, vocabulary: 9 }, 'a row with the token 9, and there are 9'],
      [{ ...made, prompt: [] }, { room: 3, vocabulary: 10 }, 'without tokens in its prompt'],
      [{ ...made, answer: [] }, { room: 3, vocabulary: 10 }, 'without tokens in its answer'],
      [{ prompt: 'a', answer: [1] }, { room: 3, vocabulary: 10 }, 'without the token ids'],
    ] as const) expect(() => choose([given], limits), message).to.throw(message).with.property('code', 'LETHE_METHOD_FAILED');
  });
});
