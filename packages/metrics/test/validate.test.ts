import type { CompletedRun, LetheError, TextPredictions } from '@lethe/core';
import { expect } from 'chai';
import fc from 'fast-check';
import { METRICS, compareRuns, metricsOf, resultsHash, rowScores, validateResults } from '../src/index.js';
import { completed } from './runs.js';

const summaries: TextPredictions = {
  scorer: 'rouge-l',
  references: [['the cat sat', 'a cat'], ['a dog']],
  written: [['', ''], ['the cat', 'a dog'], ['a cat', 'the cat']],
};
const plain: TextPredictions = {
  scorer: 'sari', sources: ['one two three'], references: [['one three']], written: [['one two three'], ['one two'], ['one three']],
};

/** A stream of a task with options and one that is answered by writing, with a probe that is written as well. */
function writtenRun(): CompletedRun {
  const run = completed({ tasks: ['x', 'y'] });
  const column = [0, (0.8 + 1) / 2, 1 / 2];
  const matrix = run.matrix.map((row, i) => [row[0]!, column[i]!]);
  const general = { base: { plain: rowScores(plain, 0)![0]! }, final: { plain: 1 } };
  return { ...run, matrix, general, metrics: metricsOf(matrix, general), predictions: { x: run.predictions['x']!, y: summaries, plain } };
}

const results = (run: CompletedRun) => ({ schema: 'lethe.results/1', sha256: resultsHash([run]), runs: [run] });

/** Where results are refused after a change whose hash is stated rightly, so that the change itself must be found. */
function refused(change: (run: Record<string, any>) => void): string {
  const run = structuredClone(writtenRun());
  change(run);
  try {
    validateResults(results(run), 'f');
    return 'nowhere';
  } catch (error) {
    expect(error).to.have.property('code', 'LETHE_RESULTS_INVALID');
    return (error as LetheError).where!;
  }
}

describe('validation', () => {
  it('recomputes scores of what was written', () => {
    expect(validateResults(results(writtenRun())).runs).to.have.length(1);
    expect(rowScores(summaries, 1)).to.deep.equal([0.8, 1]);
    expect(rowScores({ ...plain, written: [null] }, 0)).to.equal(null);
  });

  it('finds what was doctored, by its place', () => {
    expect(refused((run) => { run['predictions'].y.written[2][0] = 'the cat sat'; run['predictions'].y.written[2][1] = 'a dog'; })).to.equal('f#/runs/0/matrix/2/1');
    expect(refused((run) => { run['predictions'].x.chosen[1][0] = 1 - run['predictions'].x.chosen[1][0]; })).to.equal('f#/runs/0/matrix/1/0');
    expect(refused((run) => { run['predictions'].y.references[0] = ['another text']; })).to.match(/^f#\/runs\/0\/matrix\/\d\/1$/);
    expect(refused((run) => { run['matrix'][1][0] += 0.05; })).to.equal('f#/runs/0/matrix/1/0');
    expect(refused((run) => { run['metrics'].forgetting += 1e-12; }), 'rounding').to.equal('nowhere');
    expect(refused((run) => { run['matrix'].push(run['matrix'][2]); })).to.equal('f#/runs/0/matrix');
    expect(refused((run) => { run['matrix'][1].push(0.5); })).to.equal('f#/runs/0/matrix/1');
    expect(refused((run) => { delete run['predictions'].y; })).to.equal('f#/runs/0/predictions');
    for (const metric of ['averageAccuracy', 'forgetting', 'backwardTransfer', 'forwardTransfer', 'learningAccuracy', 'averageIncrementalAccuracy', 'generalDelta']) {
      expect(refused((run) => { run['metrics'][metric] = (run['metrics'][metric] as number) + 0.001; })).to.equal(`f#/runs/0/metrics/${metric}`);
    }
    expect(refused((run) => { run['suite'].changed = { rank: run['training'].rank + 1 }; })).to.equal('f#/runs/0/suite/changed/rank');
    expect(refused((run) => { run['general'].final.plain = 0.9; })).to.equal('f#/runs/0/general/final/plain');
    expect(refused((run) => { run['status'] = 'stopped'; })).to.equal('f#/runs/0/status');
    expect(refused((run) => { run['predictions'].y.scorer = 'rouge'; })).to.equal('f#/runs/0/predictions/y/scorer');
    expect(refused((run) => { run['predictions'].y.scorer = 'accuracy'; })).to.equal('f#/runs/0/predictions/y/scorer');
    expect(refused((run) => { run['predictions'].y.scorer = 'sari'; })).to.equal('f#/runs/0/predictions/y');
    expect(refused((run) => { run['predictions'].y.written[1].pop(); })).to.equal('f#/runs/0/predictions/y/written/1');
    expect(refused((run) => {
      run['order'] = { ...run['order'], tasks: ['x', 'a/b~c'] };
      run['predictions']['a/b~c'] = run['predictions'].y;
      run['predictions']['a/b~c'].written[1].pop();
    }), 'a name that a pointer has to escape').to.equal('f#/runs/0/predictions/a~1b~0c/written/1');
    expect(refused((run) => { run['predictions'].y.references[1] = []; })).to.equal('f#/runs/0/predictions/y/references/1');
    expect(refused((run) => { run['predictions'].y.written[0][0] = 7; })).to.equal('f#/runs/0/predictions/y/written/0/0');
    expect(refused((run) => { delete run['predictions'].plain.sources; })).to.equal('f#/runs/0/predictions/plain');
    expect(refused((run) => { delete run['general'].base.plain; })).to.equal('f#/runs/0/general');
    expect(refused((run) => { run['predictions'].x = { answers: [], chosen: [[], [], []] }; }), 'no rows').to.equal('f#/runs/0/predictions/x/answers');
    for (const sign of ['\n', '\u001b[2K', '\u2028']) {
      expect(refused((run) => { run['method'].label = `a${sign}b`; }), 'a label over two lines').to.equal('f#/runs/0/method/label');
      expect(refused((run) => { run['model'].id = `m${sign}`; })).to.equal('f#/runs/0/model/id');
    }
    for (const version of ['one', '1.0', '01.0.0', '1.0.0-', '1.0.0-01', `1.0.${'9'.repeat(20)}`]) {
      expect(refused((run) => { run['method'].version = version; }), version).to.equal('f#/runs/0/method/version');
    }
    for (const version of ['0.0.10', '1.0.0-rc.1', '1.0.0-x-y.0']) expect(refused((run) => { run['method'].version = version; }), version).to.equal('nowhere');
    expect(refused((run) => { run['predictions'].y.chosen = []; })).to.equal('f#/runs/0/predictions/y/chosen');
    expect(refused((run) => { run['predictions'].x.chosen.push(run['predictions'].x.chosen[0]); }), 'a point after the end').to.equal('f#/runs/0/predictions/x');
    expect(refused((run) => { run['predictions'].other = run['predictions'].x; }), 'a task of its own').to.equal('f#/runs/0/predictions/other');
  });

  it('refuses a run that is in there twice, whatever it is called', () => {
    const run = writtenRun();
    const again = { ...run, method: { ...run.method, label: 'again' } };
    const file = { ...results(run), sha256: resultsHash([run, again]), runs: [run, again] };
    expect(() => validateResults(file)).to.throw('it is also /runs/0').with.property('where', 'results.json#/runs/1');
  });

  it('refuses a point of the stream that was not scored, but between the ends of what learns all tasks at once and of a trial', () => {
    /** Hides the steps of a task or probe, and restates the numbers that follow. */
    const hide = (run: Record<string, any>, id: string, ...steps: number[]) => {
      const { chosen = run['predictions'][id].written } = run['predictions'][id];
      for (const step of steps) {
        chosen[step] = null;
        const j = run['order'].tasks.indexOf(id);
        if (j >= 0) run['matrix'][step][j] = null;
      }
      run['metrics'] = metricsOf(run['matrix'], run['general']);
    };
    const all = (run: Record<string, any>) => { for (const id of ['x', 'y', 'plain']) hide(run, id, 1); };
    const bound = (run: Record<string, any>) => { run['method'].capabilities.bound = true; };
    expect(refused(all), 'a rival').to.equal('f#/runs/0/predictions/x/chosen/1');
    expect(refused((run) => hide(run, 'y', 1)), 'one task').to.equal('f#/runs/0/predictions/y/written/1');
    expect(refused((run) => hide(run, 'plain', 1)), 'a probe').to.equal('f#/runs/0/predictions/plain/written/1');
    expect(refused((run) => { bound(run); all(run); }), 'a bound').to.equal('nowhere');
    expect(refused((run) => { run['suite'].scored = 'validation'; all(run); }), 'a trial').to.equal('nowhere');
    expect(refused((run) => { bound(run); hide(run, 'y', 1); }), 'one task of a bound').to.equal('f#/runs/0/predictions/y/written/1');
    expect(refused((run) => { bound(run); hide(run, 'x', 1); hide(run, 'y', 1); }), 'a bound between whose tasks probes were scored').to.equal('f#/runs/0/predictions/plain/written/1');
    for (const step of [0, 2]) {
      expect(refused((run) => { bound(run); all(run); hide(run, 'x', step); }), 'an end').to.equal(`f#/runs/0/predictions/x/chosen/${step}`);
    }
  });

  it('refuses names that read as others: with signs that nobody sees, or that turn the direction of text', () => {
    const good = results(writtenRun());
    for (const sign of ['\u200b', '\u202e', '\u2067', '\ufeff', '\x1b']) {
      const run = structuredClone(writtenRun()) as Record<string, any>;
      run['method'].id += sign;
      expect(() => validateResults({ ...good, runs: [run] }), JSON.stringify(sign)).to.throw('"runs.0.method.id"').with.property('code', 'LETHE_RESULTS_INVALID');
    }
  });

  it('refuses options that are nested without end', () => {
    const good = results(writtenRun());
    const run = structuredClone(writtenRun()) as Record<string, any>;
    let deep: unknown = 1;
    for (let i = 0; i < 50_000; i++) deep = [deep];
    run['method'].options = { deep };
    expect(() => validateResults({ ...good, runs: [run] })).to.throw('nested too deeply').with.property('code', 'LETHE_RESULTS_INVALID');
  });

  it('finds any answer that was changed: the hash tells where the score does not', () => {
    const good = results(writtenRun());
    fc.assert(fc.property(fc.nat(2), fc.nat(1), fc.string(), (step, row, text) => {
      const run = structuredClone(writtenRun()) as Record<string, any>;
      fc.pre(run['predictions'].y.written[step][row] !== text);
      run['predictions'].y.written[step][row] = text;
      expect(() => validateResults({ ...good, runs: [run] })).to.throw().with.property('code', 'LETHE_RESULTS_INVALID');
    }), { numRuns: 50 });
  });

  it('finds other rows than those of the runs, and takes those of another machine for the same', () => {
    const good = results(writtenRun());
    const within = (change: Partial<CompletedRun['environment']>) => ({ ...good, runs: good.runs.map((run) => ({ ...run, environment: { ...run.environment, ...change } })) });
    expect(() => validateResults(within({ dataSha256: { x: 'f'.repeat(64) } }))).to.throw('hash').with.property('code', 'LETHE_RESULTS_INVALID');
    expect(() => validateResults(within({ skippedRows: { x: 1 } }))).to.throw('hash');
    validateResults(within({ device: 'webgpu', threads: 4, processor: 'another', node: 'v24', git: 'f'.repeat(40) }));
  });

  it('answers 1 000 mutated files with a place, and compares what it lets pass', () => {
    const junk = fc.constantFrom<unknown>(null, undefined, -1, 0.5, 1e308, '', 'toString', '__proto__', [], {}, [[]], true, ['x'], { length: 3 });
    fc.assert(fc.property(fc.array(fc.nat()), junk, fc.boolean(), (path, value, restated) => {
      const file = structuredClone(results(writtenRun())) as Record<string, any>;
      let parent: Record<string, any> = file;
      let key = 'runs';
      for (const step of path) {
        const child: unknown = parent[key];
        if (child === null || typeof child !== 'object' || Object.keys(child).length === 0) break;
        parent = child;
        key = Object.keys(child)[step % Object.keys(child).length]!;
      }
      if (value === undefined) delete parent[key];
      else parent[key] = value;
      if (restated && Array.isArray(file['runs']) && ['cost', 'status', 'environment'].every((key) => file['runs'][0]?.[key])) file['sha256'] = resultsHash(file['runs']);
      try {
        const { runs } = validateResults(file, 'f');
        compareRuns(runs, { metrics: METRICS.slice(0, 1) });
      } catch (error) {
        expect(error, JSON.stringify([path, value, restated])).to.have.property('code').that.is.oneOf(['LETHE_RESULTS_INVALID']);
        expect((error as LetheError).where).to.match(/^f#/);
      }
    }), { numRuns: 1000 });
  }).timeout(60_000);
});
