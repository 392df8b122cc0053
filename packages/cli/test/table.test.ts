import { expect } from 'chai';
import pc from 'picocolors';
import type { CompletedRun, FailedRun, Run } from '@lethe/core';
import { runInterval } from '@lethe/metrics';
import { renderTable, summarise } from '../src/index.js';

const base = {
  suite: { id: 's', version: '1.0.0', size: 'full' },
  model: { id: 'm', sha256: '0' },
  order: { id: '1', tasks: ['a', 'b'] },
  training: {} as CompletedRun['training'],
  environment: { device: 'cpu', threads: 1, lethe: '0', node: '20', dataSha256: {}, git: null },
};

const method = (id: string, options = {}) => ({
  id, version: '1.0.0', options,
  capabilities: { rehearsal: id === 'replay', taskIdentity: id === 'oracle', growth: 'none' as const, bound: id === 'joint' || id === 'oracle' },
});

function run(id: string, seed: number, accuracy: number, forgetting: number, options = {}, label?: string): Run {
  return {
    ...base, seed, status: 'completed', method: { ...method(id, options), ...(label !== undefined && { label }) }, matrix: [], general: { base: {}, final: {} },
    metrics: {
      averageAccuracy: accuracy, forgetting, backwardTransfer: null, forwardTransfer: null, learningAccuracy: null,
      averageIncrementalAccuracy: null, generalDelta: null,
    },
    predictions: {},
    cost: { trainableParameters: 1000, storedBytes: 0, addedParameters: 0, trainTokens: 0, trainSeconds: 2, evalSeconds: 1, peakBytes: 0 },
  };
}

const failed: FailedRun = {
  ...base, seed: 3, status: 'failed', method: method('weak'), error: { code: 'LETHE_METHOD_FAILED', message: 'no' },
};

describe('results table', () => {
  it('has the most accurate method first, one without a mean behind, bounds last', () => {
    const runs = [run('oracle', 1, 0.7, 0), failed, run('replay', 1, 0.4, 0), run('joint', 1, 0.9, 0), run('strong', 1, 0.5, 0), run('strong', 2, 0.7, 0)];
    expect(summarise({ runs }).map((row) => [row.method, row.completed])).to.deep.equal([['strong', 2], ['replay', 1], ['weak', 0], ['joint', 1], ['oracle', 1]]);
  });

  it('has no mean of a metric that one of the runs lacks', () => {
    const lacking = run('a', 2, 0.7, 0.1);
    if (lacking.status !== 'completed') throw new Error('not completed');
    const rows = summarise({ runs: [run('a', 1, 0.5, 0.1), { ...lacking, metrics: { ...lacking.metrics, forgetting: null } }] });
    expect(rows[0]!.intervals.forgetting).to.equal(null);
    expect(rows[0]!.intervals.averageAccuracy?.mean).to.be.closeTo(0.6, 1e-12);
  });

  it('has no mean over runs of which one failed', () => {
    const [row] = summarise({ runs: [run('weak', 1, 0.4, 0), run('weak', 2, 0.6, 0), failed] });
    expect(row).to.deep.include({ completed: 2, seconds: null });
    expect(row!.intervals.averageAccuracy).to.equal(null);
  });

  it('has the interval of lethe compare', () => {
    const values = [['1', 1, 0.4], ['1', 2, 0.42], ['1', 3, 0.41], ['2', 1, 0.6], ['2', 2, 0.61], ['2', 3, 0.59]] as const;
    const runs = values.map(([order, seed, value]): Run => ({ ...run('a', seed, value, 0), order: { ...base.order, id: order } }));
    const several = summarise({ runs })[0]!.intervals.averageAccuracy!;
    const cells = values.map(([order, seed, value]) => ({ order, seed, value }));
    expect(several).to.deep.equal(runInterval(cells));
    expect(renderTable(summarise({ runs }), pc.createColors(false))).to.contain(`50.5 ± ${(50 * (several.high! - several.low!)).toFixed(1)}`);
  });

  it('shows what was learned beside what was left of it, and what it takes to keep it', () => {
    const one = run('a', 1, 0.5, 0.25);
    if (one.status !== 'completed') throw new Error('not completed');
    const learned = { ...one, metrics: { ...one.metrics, learningAccuracy: 0.75 }, cost: { ...one.cost, addedParameters: 970_246, storedBytes: 6_960_000 } };
    const [head, row] = renderTable(summarise({ runs: [learned, { ...learned, seed: 2, cost: { ...learned.cost, addedParameters: 970_248 } }] }), pc.createColors(false)).split('\n');
    expect(head).to.match(/^method +accuracy +learned +forgetting +trained +added +stored +seconds +runs$/);
    expect(row).to.match(/75\.0 .* 25\.0 .*1\.00 k +970 k +6\.96 MB +3\.0 +2$/);
  });

  it('keeps runs apart that differ in version, and has no costs over runs of which one failed', () => {
    const old = run('strong', 1, 0.5, 0);
    const rows = summarise({ runs: [old, { ...old, method: { ...old.method, version: '2.0.0' } }, run('weak', 1, 0.4, 0), failed] });
    expect(rows.map((row) => [row.completed, row.stored])).to.deep.equal([[1, 0], [1, 0], [1, null]]);
  });

  it('keeps runs apart that differ in options', () => {
    const rows = summarise({ runs: [run('a', 1, 0.5, 0, { x: 1 }), run('a', 1, 0.6, 0, { x: 2 })] });
    expect(rows.map((row) => row.method)).to.have.members(['a x=1', 'a x=2']);
  });

  it('calls a method by its label, and tells the others of its id apart among themselves', () => {
    const rows = summarise({ runs: [
      run('a', 1, 0.5, 0, { x: 1, y: 1 }), run('a', 1, 0.6, 0, { x: 2, y: 1 }), run('a', 1, 0.7, 0, { x: 3, y: 2 }, 'a-bare'),
      run('a', 2, 0.7, 0, { x: 3, y: 2 }, 'a-bare'),
    ] });
    expect(rows.map((row) => [row.method, row.completed])).to.deep.equal([['a-bare', 2], ['a x=2', 1], ['a x=1', 1]]);
  });

  it('says of a method what sets it apart: bounds, kept rows, a task that it is told', () => {
    const text = renderTable(summarise({ runs: ['weak', 'replay', 'oracle', 'joint'].map((id) => run(id, 1, 0.5, 0)) }), pc.createColors(false));
    const names = text.split('\n').flatMap((line) => /^(\S+(?: \([^)]*\))?) {2,}50\.0/.exec(line)?.slice(1) ?? []);
    expect(names).to.deep.equal(['weak', 'replay (keeps rows)', 'oracle (bound, told the task)', 'joint (bound)']);
  });

  it('shows percent, missing values and failed runs, and no metric that nobody has', () => {
    const runs = [run('strong', 1, 0.4, 0), run('strong', 2, 0.6, 0), run('weak', 1, 0.4, 0), failed, { ...failed, method: method('broken') }];
    const text = renderTable(summarise({ runs }), pc.createColors(false));
    expect(text).to.contain('50.0 ± 127.1').and.contain('1 + 1 failed').and.contain('1.00 k').and.match(/weak +–/).and.match(/broken +–/);
    expect(text).to.contain('of which a run failed');
    expect(text.split('\n')[0]).to.contain('forgetting').and.not.contain('backward');
  });
});
