import type { CompletedRun, Run, Sweep } from '@lethe/core';
import { expect } from 'chai';
import { carriedOver, joinSweeps, pickedSeeds, resultsHash, sweepOf, trialMean, unite, validateResults } from '../src/index.js';
import { completed, failed } from './runs.js';

/** A run of a trial: a method with a value of its option, scored on validation rows. */
function tried(method: string, strength: number, skill: number, seed = 1): CompletedRun {
  const run = completed({ method, seed, skill });
  return { ...run, suite: { ...run.suite, scored: 'validation' }, method: { ...run.method, options: { strength } } };
}

const trials = (method: string) => [[1, 0.5], [2, 0.9], [3, 0.2]].map(([strength, skill]) => tried(method, strength!, skill!));

/** What is reported with the options that a sweep chose. */
function reported(strength: number): CompletedRun {
  const run = completed({ method: 'a', seed: 7 });
  return { ...run, method: { ...run.method, options: { strength } } };
}

function refusal(sweep: Sweep, runs: readonly Run[]): string {
  try {
    validateResults({ schema: 'lethe.results/1', sha256: resultsHash(runs, sweep), runs, sweep }, 'f');
    return 'nowhere';
  } catch (error) {
    return (error as { where: string }).where;
  }
}

describe('a sweep', () => {
  const sweep = sweepOf({ runs: [...trials('a'), ...trials('b')] }, 'f');

  it('chooses the trial with the highest mean, of every method', () => {
    expect(sweep.methods.map(({ id, chosen, trials: list }) => [id, chosen, list.length])).to.deep.equal([['a', 1, 3], ['b', 1, 3]]);
    expect(sweep.methods[0]!.trials[1]!.options).to.deep.equal({ strength: 2 });
    expect(sweep.seeds).to.deep.equal([1]);
  });

  it('averages a trial over its seeds, and takes the first of equal ones', () => {
    const runs = [tried('a', 1, 0.6, 1), tried('a', 1, 0.6, 2), tried('a', 2, 0.6, 1), tried('a', 2, 0.6, 2)];
    const { methods: [method] } = sweepOf({ runs }, 'f');
    const expected = (runs[0]!.metrics.averageAccuracy! + runs[1]!.metrics.averageAccuracy!) / 2;
    expect(trialMean(method!.trials[0]!)).to.be.closeTo(expected, 1e-12);
    expect(method!.chosen).to.equal(0);
  });

  it('never chooses a trial of which a run failed', () => {
    const broken = failed({ method: 'a' });
    const run: Run = { ...broken, suite: { ...broken.suite, scored: 'validation' }, method: { ...broken.method, options: { strength: 2 } } };
    const { methods: [method] } = sweepOf({ runs: [tried('a', 1, 0.3), run] }, 'f');
    expect(method!.chosen).to.equal(0);
    expect(trialMean(method!.trials[1]!)).to.equal(null);
  });

  it('is none of runs on test rows, or of a part of the trials', () => {
    expect(() => sweepOf({ runs: [reported(1)] }, 'f')).to.throw('validation rows');
    expect(() => sweepOf({ runs: [] }, 'f')).to.throw('validation rows');
    expect(() => sweepOf({ runs: [...trials('a'), reported(1)] }, 'f'), 'one of them').to.throw('validation rows');
    expect(() => sweepOf({ runs: [...trials('a'), tried('a', 1, 0.5, 2)] }, 'f')).to.throw('not there');
  });

  it('joins others that were made under equal terms', () => {
    const [a, b] = [sweepOf({ runs: trials('a') }, 'f'), sweepOf({ runs: trials('b') }, 'f')];
    expect(joinSweeps([a, b])).to.deep.equal(sweep);
    expect(joinSweeps([a, sweep, b]), 'a method in two').to.deep.equal(sweep);
    expect(joinSweeps([a, sweepOf({ runs: [...trials('a').slice(1), tried('a', 4, 0.1)] }, 'f')]), 'a method tuned twice').to.equal(null);
    expect(joinSweeps([a, sweepOf({ runs: trials('b').slice(1) }, 'f')]), 'fewer trials').to.equal(null);
    expect(joinSweeps([a, { ...b, seeds: [2] }]), 'another seed').to.equal(null);
  });

  it('tells variants of a method apart, and holds the runs of each to what was chosen for it', () => {
    const variant = (run: CompletedRun, strength: number) => ({ ...run, method: { ...run.method, label: 'a-flat', options: { strength, flat: true } } });
    const flat = [[1, 0.2], [2, 0.3], [3, 0.9]].map(([strength, skill]) => variant(tried('a', strength!, skill!), strength!));
    const both = sweepOf({ runs: [...trials('a'), ...flat] }, 'f');
    expect(both.methods.map(({ id, label, chosen }) => [id, label, chosen])).to.deep.equal([['a', undefined, 1], ['a', 'a-flat', 2]]);
    expect(joinSweeps([sweepOf({ runs: trials('a') }, 'f'), sweepOf({ runs: flat }, 'f')])).to.deep.equal(both);
    expect(refusal(both, [reported(2), variant(reported(3), 3)])).to.equal('nowhere');
    expect(refusal(both, [reported(2), variant(reported(2), 2)])).to.equal('f#/runs/1/method');
    const own = reported(3);
    expect(refusal({ ...sweep, methods: [{ ...sweep.methods[0]!, label: 'a' }] }, [own]), 'tuned by its own name').to.equal('f#/sweep/methods/0/label');
    expect(refusal(sweep, [{ ...own, method: { ...own.method, label: 'a' } }]), 'a variant by the name of what was tuned').to.equal('f#/runs/0/method/label');
  });

  it('is carried over to another suite, model or budget and to other prompts, and not to another size', () => {
    const run = reported(2);
    expect(carriedOver(sweep, run)).to.equal(false);
    expect(carriedOver(sweep, { ...run, suite: { ...run.suite, size: 'large' } })).to.equal(false);
    expect(carriedOver(sweep, { ...run, suite: { ...run.suite, version: '2.0.0' } })).to.equal(true);
    expect(carriedOver(sweep, { ...run, suite: { ...run.suite, prompts: 'leaky' } })).to.equal(true);
    expect(carriedOver(sweep, { ...run, model: { id: 'm', sha256: '1'.repeat(64) } })).to.equal(true);
    expect(carriedOver(sweep, { ...run, training: { ...run.training, epochs: 9 } })).to.equal(true);
  });

  it('picked its options for its own seeds, on its suite alone', () => {
    const { suite } = reported(2);
    expect(pickedSeeds({ ...sweep, seeds: [1, 5] }, suite, [4, 5, 1])).to.deep.equal([5, 1]);
    for (const other of [{ ...suite, version: '2.0.0' }, { ...suite, id: 'other' }]) expect(pickedSeeds(sweep, other, [1])).to.deep.equal([]);
  });

  it('holds results to what it chose', () => {
    expect(refusal(sweep, [reported(2)])).to.equal('nowhere');
    expect(refusal(sweep, [reported(2), reported(3)]), 'other options').to.equal('f#/runs/1/method');
    const better = structuredClone(sweep) as unknown as { methods: { chosen: number }[] };
    better.methods[0]!.chosen = 2;
    expect(refusal(better as unknown as Sweep, [reported(3)]), 'a worse trial').to.equal('f#/sweep/methods/0/chosen');
    const unequal = { ...sweep, methods: [sweep.methods[0]!, { ...sweep.methods[1]!, trials: sweep.methods[1]!.trials.slice(0, 2) }] };
    expect(refusal(unequal, [reported(2)]), 'fewer trials').to.equal('f#/sweep/methods/1/trials');
    const { scored: _, ...onTestRows } = sweep.suite;
    expect(refusal({ ...sweep, suite: onTestRows }, [reported(2)]), 'on test rows').to.equal('f#/sweep/suite');
    expect(refusal({ ...sweep, methods: [sweep.methods[0]!, sweep.methods[0]!] }, [reported(2)]), 'tuned twice').to.equal('f#/sweep/methods/1');
    expect(refusal({ ...sweep, seeds: [1, 2] }, [reported(2)]), 'fewer runs').to.equal('f#/sweep/methods/0/trials/0/accuracies');
    const same = { ...sweep.methods[1]!, trials: sweep.methods[1]!.trials.map((trial) => ({ ...trial, options: { strength: 1 } })) };
    expect(refusal({ ...sweep, methods: [sweep.methods[0]!, same] }, [reported(2)]), 'one setting').to.equal('f#/sweep/methods/1/trials');
  });

  it('is one for results that were made in parts, if they were tuned under equal terms', () => {
    const part = (runs: readonly Run[], own?: Sweep) =>
      ({ where: 'f', results: { schema: 'lethe.results/1', sha256: resultsHash(runs, own), runs, ...(own && { sweep: own }) } as const });
    const [a, b] = [sweepOf({ runs: trials('a') }, 'f'), sweepOf({ runs: trials('b') }, 'f')];
    const bound = completed({ method: 'bound', seed: 7 });
    const united = unite([part([reported(2)], a), part([bound]), part([], b)]);
    expect(validateResults(united)).to.deep.include({ runs: [reported(2), bound], sweep });
    expect(() => unite([part([reported(2)], a), part([], { ...b, seeds: [2] })])).to.throw('equal terms');
    const later = (run: CompletedRun): CompletedRun => ({ ...run, method: { ...run.method, version: '1.10.0' } });
    const newer = sweepOf({ runs: trials('a').map(later) }, 'f');
    expect(unite([part([reported(2)], sweep), part([later(reported(2))], newer), part([bound])])).to.deep.include(
      { runs: [later(reported(2)), bound], sweep: { ...sweep, methods: [sweep.methods[1], newer.methods[0]] } }, 'a newer version');
    expect(() => unite([part([], a), part([reported(1)])])).to.throw('The sweep chose other options for a.');
    const other = completed({ method: 'bound', seed: 7, skill: 0.9 });
    expect(() => unite([part([bound]), part([other])])).to.throw('bound, order 1, seed 7 is there 2 times').with.property('where', 'f, f');
  });

  it('takes the place of another where methods were tuned anew: what it did not choose is left out', () => {
    const part = (runs: readonly Run[], own?: Sweep) =>
      ({ where: 'f', results: { schema: 'lethe.results/1', sha256: resultsHash(runs, own), runs, ...(own && { sweep: own }) } as const });
    const again = (run: CompletedRun): CompletedRun => ({ ...run, method: { ...run.method, id: 'b' } });
    const anew = sweepOf({ runs: [...[[1, 0.5], [3, 0.8], [4, 0.2]].map(([strength, skill]) => tried('a', strength!, skill!)), ...trials('b')] }, 'g');
    const bound = completed({ method: 'bound', seed: 7 });
    const before = part([reported(2), again(reported(2)), bound], sweep);
    expect(validateResults(unite([before, part([reported(3)], anew)], anew))).to.deep.include({ runs: [again(reported(2)), bound, reported(3)], sweep: anew });
    expect(() => unite([before, part([reported(3)], anew)]), 'unless it is said').to.throw('equal terms');
    expect(() => unite([before], anew), 'one that was not run again').to.throw('No part has runs of a with the options that were chosen.').with.property('remedy').contain('--tuned SWEEP');
    const alone = { ...anew, methods: anew.methods.filter(({ id }) => id === 'a') };
    expect(() => unite([before, part([reported(3)], alone)], alone), 'one that was not tuned again').to.throw('The sweep did not tune b, which a part tuned.');
    expect(validateResults(unite([part([reported(3), bound])], alone)), 'of runs that had none').to.deep.include({ sweep: alone });
  });

  it('is a part of what the hash covers', () => {
    const runs = [reported(2)];
    expect(() => validateResults({ schema: 'lethe.results/1', sha256: resultsHash(runs), runs, sweep })).to.throw('hash');
  });
});
