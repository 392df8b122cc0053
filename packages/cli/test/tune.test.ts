import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LetheError, type Manifest, type Sweep, readManifest } from '@lethe/core';
import { expect } from 'chai';
import fc from 'fast-check';
import { methodsOf } from '../src/run/methods.js';
import { resolveRequest } from '../src/run/resolve.js';
import { bestForm, formsOf, trialsOf } from '../src/tune/trials.js';

const fixture = (path: string) => fileURLToPath(new URL(`../../../../test/fixtures/${path}`, import.meta.url));
const [SUITE, MODEL] = [fixture('two-trades'), fixture('llama/tied')];

/** The trials of a method whose form that did best is this one. */
const trialsUnder = (own: Manifest, fixed: Record<string, unknown>, count: number, form: Record<string, unknown> = {}) => trialsOf(own, fixed, count, { ...fixed, ...form });

const manifest = (search: Manifest['search']) => ({
  name: 'mine', options: { properties: { strength: { type: 'number' }, rows: { type: 'integer' }, rate: { type: 'number', default: 1 } } }, search,
}) as unknown as Manifest;

describe('trials', () => {
  const search = { strength: { low: 0.1, high: 10, scale: 'log' }, rows: { low: 1, high: 9, scale: 'linear' }, kind: ['x', 'y'] } as const;

  it('begin with the defaults and every value of a list alone, at two rates, and go on with values within the ranges under the best form', () => {
    const forms = [{}, { kind: 'x' }, { kind: 'y' }];
    const trials = trialsUnder(manifest(search), {}, 40, { kind: 'y' });
    expect(trials.slice(0, 6)).to.deep.equal([...forms, ...forms.map((form) => ({ ...form, rate: 0.5 }))]);
    for (const { rate, strength, rows, kind } of trials.slice(6)) {
      expect(rate).to.be.within(0.25, 2);
      expect(strength).to.be.within(0.1, 10);
      expect(rows).to.be.within(1, 9).and.satisfy(Number.isInteger);
      expect(kind).to.equal('y');
    }
    for (const trial of trialsUnder(manifest(search), {}, 40).slice(6)) expect(trial).to.have.all.keys('rate', 'strength', 'rows');
  });

  it('fill every range evenly: each quarter of a scale gets its share', () => {
    const values = trialsUnder(manifest(search), {}, 46).slice(6).map(({ strength }) => Math.log10(strength as number));
    for (let quarter = -1; quarter < 1; quarter += 0.5) {
      expect(values.filter((v) => v >= quarter && v < quarter + 0.5)).to.have.length.within(8, 12);
    }
  });

  it('differ from each other, and are the same whatever their number', () => {
    fc.assert(fc.property(fc.integer({ min: 2, max: 60 }), (count) => {
      const trials = trialsUnder(manifest(search), {}, count);
      expect(new Set(trials.map((trial) => JSON.stringify(trial))).size).to.equal(count);
      expect(trialsUnder(manifest(search), {}, count - 1)).to.deep.equal(trials.slice(0, -1));
    }));
  });

  it('leave the value of a list out that is the default, and all of them where the option is fixed', () => {
    const options = { properties: { kind: { default: 'x' }, rate: { default: 1 } } };
    const own = { ...manifest({ kind: ['x', 'y', 'z'] }), options } as unknown as Manifest;
    expect(trialsUnder(own, {}, 3)).to.deep.equal([{}, { kind: 'y' }, { kind: 'z' }]);
    expect(trialsUnder(own, { kind: 'x' }, 2)).to.deep.equal([{ kind: 'x' }, { kind: 'x', rate: 0.707 }]);
  });

  it('keep what is fixed, and search the learning rate of a method without ranges', () => {
    for (const trial of trialsUnder(manifest(search), { strength: 3, rate: 1 }, 9)) expect(trial).to.include({ strength: 3, rate: 1 });
    const rates = trialsUnder(manifest({}), {}, 4);
    expect(rates.map((trial) => Object.keys(trial).join())).to.deep.equal(['', 'rate', 'rate', 'rate']);
  });

  it('step on where a setting repeats after rounding, and change none before it', () => {
    const seen = (count: number) => trialsUnder(manifest({}), {}, count).map(({ rate }) => rate);
    // all values of three digits from 0.250 to 2.00
    const many = seen(851);
    expect(new Set(many.map((rate) => rate ?? 1)).size).to.equal(851);
    expect(seen(4)).to.deep.equal(many.slice(0, 4));
  });

  it('lie at the points of Sobol\'s sequence, as scipy has them', () => {
    const expected = JSON.parse(readFileSync(fixture('sobol/expected.json'), 'utf8')) as Record<string, number[]>;
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`o${i}`, { low: 0, high: 1, scale: 'linear' as const }]));
    const trials = trialsUnder(manifest(many), {}, 1024);
    for (const [n, [rate, ...own]] of Object.entries(expected)) {
      const { rate: tried, ...shares } = trials[Number(n)]!;
      expect(tried, n).to.equal(Number((0.25 * 8 ** rate!).toPrecision(3)));
      expect(Object.values(shares), n).to.deep.equal(own.map((share) => Number(share.toPrecision(3))));
    }
    expect(Object.keys(expected)).to.have.length(34);
    expect(trialsUnder(manifest({}), {}, 8).slice(1).map(({ rate }) => rate)).to.deep.equal([0.707, 1.19, 0.42, 0.545, 1.54, 0.917, 0.324]);
  });

  it('are refused where there are not so many different ones', () => {
    const refusal = (search: Manifest['search'], fixed: Record<string, unknown>, count: number) => {
      try {
        trialsUnder(manifest(search), fixed, count);
      } catch (error) {
        return error instanceof LetheError ? error.describe() : String(error);
      }
      return 'nothing';
    };
    expect(refusal({}, { rate: 1 }, 3)).to.contain('LETHE_USAGE').and.contain('"mine" nothing is searched: rate fixed and no ranges').and.contain('--trials 1');
    expect(refusal({ rows: { low: 1, high: 3, scale: 'linear' }, kind: ['x', 'y'] }, { rate: 1 }, 7))
      .to.contain('"mine" there are only 6 different settings').and.contain('rows, kind').and.contain('--trials 6');
    expect(refusal({ rows: { low: 1, high: 3, scale: 'linear' }, kind: ['x', 'y'] }, { rate: 1 }, 6)).to.equal('nothing');
    expect(refusal({ kind: ['x', 'y'] }, { rate: 1 }, 4)).to.contain('"mine" there are only 3 different settings').and.contain('--trials 3');
    expect(refusal({}, { rate: 1 }, 1)).to.equal('nothing');
  });
});

describe('the best form', () => {
  const search = { strength: { low: 0.1, high: 10, scale: 'log' }, kind: ['x', 'y', 'z'], start: ['random', 'inputs'] } as const;
  const own = { ...manifest(search), options: { properties: { kind: { default: 'x' }, start: { default: 'random' }, rate: { default: 1 } } } } as unknown as Manifest;
  /** By kind, start and rate. */
  const best = (means: Readonly<Record<string, number | null>>, fixed: Record<string, unknown> = {}) =>
    bestForm(own, fixed, formsOf(own, fixed, Infinity).map(({ kind = 'x', start = 'random', rate = 1 }) => means[`${String(kind)} ${String(start)} ${String(rate)}`] ?? null));

  it('has of every list the value that alone did better than the defaults and all others', () => {
    expect(best({ 'x random 1': 0.5, 'y random 1': 0.6, 'z random 1': 0.7, 'x inputs 1': 0.4 })).to.deep.equal({ kind: 'z' });
    expect(best({ 'x random 1': 0.5, 'y random 1': 0.6, 'z random 1': 0.4, 'x inputs 1': 0.51 }), 'of several lists').to.deep.equal({ kind: 'y', start: 'inputs' });
  });

  it('is judged by the better of its two rates', () => {
    expect(best({ 'x random 1': 0.5, 'x inputs 1': 0.4, 'x random 0.5': 0.6, 'x inputs 0.5': 0.7 }), 'what needs the lower').to.deep.equal({ start: 'inputs' });
    expect(best({ 'x random 1': 0.9, 'x inputs 1': 0.4, 'x random 0.5': 0.6, 'x inputs 0.5': 0.7 })).to.deep.equal({});
    expect(best({ 'x random 1': 0.5, 'x inputs 1': 0.8, 'x random 0.5': 0.7, 'x inputs 0.5': 0.1 })).to.deep.equal({ start: 'inputs' });
  });

  it('is the defaults where nothing did better, the first of equal values, and any that did not fail beside one that did', () => {
    expect(best({ 'x random 1': 0.5, 'y random 1': 0.5, 'z random 1': 0.2, 'x inputs 1': null })).to.deep.equal({});
    expect(best({ 'x random 1': 0.5, 'y random 1': 0.6, 'z random 1': 0.6 })).to.deep.equal({ kind: 'y' });
    expect(best({ 'x random 1': null, 'x inputs 1': 0 })).to.deep.equal({ start: 'inputs' });
    expect(best({})).to.deep.equal({});
  });

  it('has what was given, of which there are no others', () => {
    expect(best({ 'y random 1': 0.5, 'y inputs 1': 0.6, 'z inputs 1': 0.9 }, { kind: 'y' })).to.deep.equal({ kind: 'y', start: 'inputs' });
    expect(best({ 'x random 0.7': 0.5, 'x inputs 0.7': 0.6 }, { rate: 0.7 }), 'a rate').to.deep.equal({ rate: 0.7, start: 'inputs' });
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
    expect(await lines(2, [of('ewc')])).to.deep.equal(['of 2 trials of "ewc" none tries another rate or lambda: forms come first (start); --trials 5 would']);
    expect(await lines(4, [of('ewc')]), 'the rate is tried by forms').to.deep.equal(['of 4 trials of "ewc" none tries another lambda: forms come first (start); --trials 5 would']);
    expect(await lines(1, [of('l2p')])).to.deep.equal(['of 1 trial of "l2p" none tries another rate, lambda or gain: the defaults come first; --trials 2 would']);
  });

  it('are as few as is said', async () => {
    for (const [name, fewest, own] of [['l2p', 2, 'gain'], ['ewc', 5, 'lambda'], ['gainlora', 7, 'lambda'], ['moe-lora', 9, 'balance']] as const) {
      expect((await lines(fewest - 1, [of(name)])).join(), name).to.match(new RegExp(`; --trials ${fewest} would$`));
      expect(await lines(fewest, [of(name)]), name).to.deep.equal([]);
      const found = readManifest(fixture(`../../plugins/${name}/plugin.json`));
      const values = (trials: number) => new Set(trialsUnder(found, {}, trials).map((trial) => trial[own])).size;
      expect([values(fewest - 1), values(fewest)], name).to.deep.equal([1, 2]);
    }
  });

  it('have one line for all methods that as many would do for, and none for what is given', async () => {
    const [five, seven, ...more] = await lines(2, [of('gainlora'), of('ewc'), of('l2p'), of('ewc', { on: 'product' }, 'whole')]);
    expect(five).to.equal('of 2 trials of "ewc", "whole" none tries another rate or lambda: forms come first (start); --trials 5 would');
    expect(seven).to.match(/^of 2 trials of "gainlora" none tries another rate, threshold or lambda: forms come first \(branches, start\); --trials 7 would$/);
    expect(more).to.deep.equal([]);
    const set = (option: string, value: unknown) => ({ method: 'ewc', option, value });
    expect(await lines(2, [of('ewc')], [set('start', 'inputs')]), 'the list is given').to.deep.equal([]);
    expect(await lines(2, [of('ewc')], [set('rate', 1), set('lambda', 1)]), 'the ranges are given').to.deep.equal([]);
    expect(await lines(1, [of('ewc')], [set('rate', 1)])).to.deep.equal(['of 1 trial of "ewc" none tries another lambda: forms come first (start); --trials 3 would']);
  });

  it('are among what is told before the sweep begins', async () => {
    const { notes } = await resolveRequest({ suite: SUITE, model: MODEL, methods: [of('ewc')], trials: 2, seeds: [1], device: 'cpu' }, [], () => undefined);
    expect(notes).to.include('of 2 trials of "ewc" none tries another rate or lambda: forms come first (start); --trials 5 would');
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
    expect(trials.map(({ label, options, given }) => [label, options['on'], given])).to.deep.equal([
      ...[1, 2, 3].map(() => [undefined, 'factors', { on: 'factors' }]), ...[1, 2, 3].map(() => ['ewc-1', 'product', { on: 'product' }]),
    ]);
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
