import { fileURLToPath } from 'node:url';
import { LetheError, type Manifest, type Sweep } from '@lethe/core';
import { expect } from 'chai';
import fc from 'fast-check';
import { methodsOf } from '../src/run/methods.js';
import { resolveRequest } from '../src/run/resolve.js';
import { trialsOf } from '../src/tune/trials.js';

const fixture = (path: string) => fileURLToPath(new URL(`../../../../test/fixtures/${path}`, import.meta.url));
const [SUITE, MODEL] = [fixture('two-trades'), fixture('llama/tied')];

const manifest = (search: Manifest['search']) => ({
  name: 'mine', options: { properties: { strength: { type: 'number' }, rows: { type: 'integer' }, rate: { type: 'number', default: 1 } } }, search,
}) as unknown as Manifest;

describe('trials', () => {
  const search = { strength: { low: 0.1, high: 10, scale: 'log' }, rows: { low: 1, high: 9, scale: 'linear' }, kind: ['x', 'y'] } as const;

  it('begin with the defaults and every value of a list alone, and go on with values within the ranges', () => {
    const [first, x, y, ...others] = trialsOf(manifest(search), {}, 40);
    expect([first, x, y]).to.deep.equal([{}, { kind: 'x' }, { kind: 'y' }]);
    for (const { rate, strength, rows, kind } of others) {
      expect(rate).to.be.within(0.25, 2);
      expect(strength).to.be.within(0.1, 10);
      expect(rows).to.be.within(1, 9).and.satisfy(Number.isInteger);
      expect(kind).to.be.oneOf(['x', 'y']);
    }
  });

  it('fill every range evenly: each quarter of a scale gets its share', () => {
    const values = trialsOf(manifest(search), {}, 43).slice(3).map(({ strength }) => Math.log10(strength as number));
    for (let quarter = -1; quarter < 1; quarter += 0.5) {
      expect(values.filter((v) => v >= quarter && v < quarter + 0.5)).to.have.length.within(8, 12);
    }
  });

  it('differ from each other, and are the same whatever their number', () => {
    fc.assert(fc.property(fc.integer({ min: 2, max: 60 }), (count) => {
      const trials = trialsOf(manifest(search), {}, count);
      expect(new Set(trials.map((trial) => JSON.stringify(trial))).size).to.equal(count);
      expect(trialsOf(manifest(search), {}, count - 1)).to.deep.equal(trials.slice(0, -1));
    }));
  });

  it('leave the value of a list out that is the default, and all of them where the option is fixed', () => {
    const options = { properties: { kind: { default: 'x' }, rate: { default: 1 } } };
    const own = { ...manifest({ kind: ['x', 'y', 'z'] }), options } as unknown as Manifest;
    expect(trialsOf(own, {}, 3)).to.deep.equal([{}, { kind: 'y' }, { kind: 'z' }]);
    expect(Object.keys(trialsOf(own, { kind: 'x' }, 2)[1]!)).to.deep.equal(['kind', 'rate']);
  });

  it('keep what is fixed, and search the learning rate of a method without ranges', () => {
    for (const trial of trialsOf(manifest(search), { strength: 3, rate: 1 }, 5)) expect(trial).to.include({ strength: 3, rate: 1 });
    const rates = trialsOf(manifest({}), {}, 4);
    expect(rates.map((trial) => Object.keys(trial).join())).to.deep.equal(['', 'rate', 'rate', 'rate']);
  });

  it('step on where a setting repeats after rounding, and change none before it', () => {
    const seen = (count: number) => trialsOf(manifest({}), {}, count).map(({ rate }) => rate);
    // all values of three digits from 0.250 to 2.00
    const many = seen(851);
    expect(new Set(many.map((rate) => rate ?? 1)).size).to.equal(851);
    expect(seen(4)).to.deep.equal(many.slice(0, 4));
    // the additive recurrence by the golden ratio, where nothing repeats yet
    const golden = (1 + Math.sqrt(5)) / 2;
    expect(seen(50).slice(1)).to.deep.equal(Array.from({ length: 49 }, (_, i) => Number((0.25 * 8 ** ((0.5 + (i + 1) / golden) % 1)).toPrecision(3))));
  });

  it('are refused where there are not so many different ones', () => {
    const refusal = (search: Manifest['search'], fixed: Record<string, unknown>, count: number) => {
      try {
        trialsOf(manifest(search), fixed, count);
      } catch (error) {
        return error instanceof LetheError ? error.describe() : String(error);
      }
      return 'nothing';
    };
    expect(refusal({}, { rate: 1 }, 3)).to.contain('LETHE_USAGE').and.contain('"mine" nothing is searched: rate fixed and no ranges').and.contain('--trials 1');
    expect(refusal({ rows: { low: 1, high: 3, scale: 'linear' }, kind: ['x', 'y'] }, { rate: 1 }, 10))
      .to.contain('"mine" there are only 9 different settings').and.contain('rows, kind').and.contain('--trials 9');
    expect(refusal({ rows: { low: 1, high: 3, scale: 'linear' }, kind: ['x', 'y'] }, { rate: 1 }, 9)).to.equal('nothing');
    expect(refusal({}, { rate: 1 }, 1)).to.equal('nothing');
  });
});

describe('trials that are too few for the ranges', () => {
  const lines = async (trials: number, methods?: Parameters<typeof methodsOf>[0]['methods'], settings: Parameters<typeof methodsOf>[1] = []) => {
    const notes: string[] = [];
    await methodsOf({ ...(methods && { methods }), trials }, settings, undefined, (text) => { notes.push(text); });
    return notes;
  };
  const of = (name: string, options = {}, label?: string) => ({ name, ...(label !== undefined && { label }), options });

  it('are told with what they leave out, and the fewest that would not', async () => {
    expect(await lines(2, [of('ewc')])).to.deep.equal(['of 2 trials of "ewc" none tries another rate or lambda: forms come first (start); --trials 3 would']);
    expect(await lines(1, [of('l2p')])).to.deep.equal(['of 1 trial of "l2p" none tries another rate, lambda or gain: the defaults come first; --trials 2 would']);
  });

  it('are as few as is said', async () => {
    for (const [name, fewest] of [['l2p', 2], ['ewc', 3], ['gainlora', 4], ['moe-lora', 5]] as const) {
      expect((await lines(fewest - 1, [of(name)])).join(), name).to.match(new RegExp(`; --trials ${fewest} would$`));
      expect(await lines(fewest, [of(name)]), name).to.deep.equal([]);
      const rates = async (trials: number) => new Set((await methodsOf({ methods: [of(name)], trials }, [], undefined)).map(({ options }) => options['rate'])).size;
      expect([await rates(fewest - 1), await rates(fewest)], name).to.deep.equal([1, 2]);
    }
  });

  it('have one line for all methods that as many would do for, and none for what is given', async () => {
    const [three, four, ...more] = await lines(2, [of('gainlora'), of('ewc'), of('l2p'), of('ewc', { on: 'product' }, 'whole')]);
    expect(three).to.equal('of 2 trials of "ewc", "whole" none tries another rate or lambda: forms come first (start); --trials 3 would');
    expect(four).to.match(/^of 2 trials of "gainlora" none tries another rate, threshold or lambda: forms come first \(branches, start\); --trials 4 would$/);
    expect(more).to.deep.equal([]);
    const set = (option: string, value: unknown) => ({ method: 'ewc', option, value });
    expect(await lines(2, [of('ewc')], [set('start', 'inputs')]), 'the list is given').to.deep.equal([]);
    expect(await lines(2, [of('ewc')], [set('rate', 1), set('lambda', 1)]), 'the ranges are given').to.deep.equal([]);
    expect(await lines(1, [of('ewc')], [set('rate', 1)])).to.deep.equal(['of 1 trial of "ewc" none tries another lambda: forms come first (start); --trials 3 would']);
  });

  it('are among what is told before the sweep begins', async () => {
    const { notes } = await resolveRequest({ suite: SUITE, model: MODEL, methods: [of('ewc')], trials: 2, seeds: [1], device: 'cpu' }, [], () => undefined);
    expect(notes).to.include('of 2 trials of "ewc" none tries another rate or lambda: forms come first (start); --trials 3 would');
  });
});

describe('options that are set for a label', () => {
  it('win over those for the name of its method, in whatever order they are given', async () => {
    const settings = [{ method: 'v', option: 'rate', value: 2 }, { method: 'zero-shot', option: 'rate', value: 1.5 }];
    for (const given of [settings, settings.toReversed()]) {
      const methods = await methodsOf({ methods: [{ name: 'zero-shot', options: {} }, { name: 'zero-shot', label: 'v', options: {} }] }, given, undefined);
      expect(methods.map(({ label, options }) => [label, options['rate']])).to.deep.equal([[undefined, 1.5], ['v', 2]]);
    }
  });

  const variants = (...own: Record<string, unknown>[]) => own.map((options, i) => ({ name: 'ewc', ...(i > 0 && { label: `ewc-${i}` }), options }));

  it('of a variant are kept in its trials, and it takes what was chosen for it', async () => {
    const methods = variants({ on: 'factors' }, { on: 'product' });
    const trials = await methodsOf({ methods, trials: 3 }, [], undefined);
    expect(trials.map(({ label, options }) => [label, options['on']])).to.deep.equal([...[1, 2, 3].map(() => [undefined, 'factors']), ...[1, 2, 3].map(() => ['ewc-1', 'product'])]);
    const of = (label: string | undefined, lambda: number) => ({
      id: 'ewc', ...(label !== undefined && { label }), version: trials[0]!.version, chosen: 0,
      trials: [{ options: { ...trials[label === undefined ? 0 : 3]!.options, lambda }, accuracies: [0.5] }],
    });
    const sweep = { methods: [of(undefined, 7), of('ewc-1', 9)] } as unknown as Sweep;
    const lambdas = async (requests: typeof methods) => (await methodsOf({ methods: requests }, [], sweep)).map(({ options }) => options['lambda']);
    expect(await lambdas(methods)).to.deep.equal([7, 9]);
    expect(await lambdas(variants({}, { on: 'product' }, { on: 'product', penalties: 'separate' })), 'one that was not tuned').to.deep.equal([7, 9, 7]);
    expect((await lambdas(variants({}, { on: 'factors' })).catch((error: unknown) => error as Error))).to.include({ code: 'LETHE_USAGE' })
      .and.property('message').contain('"ewc-1" was tuned, and is given another value of its option "on"');
  });

  it('of two variants that would try the same setting are refused', async () => {
    const error = await methodsOf({ methods: variants({}, { start: 'inputs' }), trials: 5 }, [], undefined).catch((e: unknown) => e as Error);
    expect(error).to.include({ code: 'LETHE_USAGE' }).and.property('message').contain('"ewc" and "ewc-1" are one method with the same options');
  });
});
