import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CompletedRun, type Run } from '@lethe/core';
import { writeResults } from '@lethe/harness';
import { publishRuns } from '@lethe/leaderboard';
import { metricsOf } from '@lethe/metrics';
import { expect } from 'chai';
import pc from 'picocolors';
import { createProgram, explained } from '../src/index.js';
import { recordText } from './record.js';

const ROWS = 10;
const answers = Array.from({ length: ROWS }, () => 0);
const right = (count: number) => answers.map((_, row) => (row < count ? 0 : 1));

/** A run of two tasks; `first` and `second` are how many of ten rows are right at the end. */
function run(method: string, seed: number, first: number, second: number, suite = 's'): CompletedRun {
  const rows = { x: [2, 9, first], y: [2, 3, second] };
  const matrix = [0, 1, 2].map((i) => [rows.x[i]! / ROWS, rows.y[i]! / ROWS]);
  const general = { base: {}, final: {} };
  return {
    status: 'completed', suite: { id: suite, version: '1.0.0', size: 'full' },
    method: { id: method, version: '1.0.0', options: {}, capabilities: { rehearsal: false, taskIdentity: false, growth: 'none', bound: method === 'joint' } },
    model: { id: 'tiny', sha256: 'a'.repeat(64) }, order: { id: '1', tasks: ['x', 'y'] }, seed,
    training: { epochs: 1, batch: 4, learningRate: 1e-3, warmup: 0.1, weightDecay: 0, clip: 1, rank: 2, alpha: 4, sites: ['q'], maxTokens: 32 },
    matrix, general, metrics: metricsOf(matrix, general),
    predictions: { x: { answers, chosen: rows.x.map(right) }, y: { answers, chosen: rows.y.map(right) } },
    cost: { trainableParameters: 1, storedBytes: 4, addedParameters: 1, trainTokens: 9, trainSeconds: 1, evalSeconds: 1, peakBytes: 1 },
    environment: { device: 'cpu', threads: 1, lethe: '0.1.0', node: 'v20', dataSha256: { x: '0'.repeat(64), y: '1'.repeat(64) }, git: null },
  };
}

const seeds = (count: number, method: string, first: number, second: number) =>
  Array.from({ length: count }, (_, i) => run(method, i + 1, first - (i % 2), second - (i % 3)));

describe('lethe compare', () => {
  let folder: string;
  let notes: string;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-compare-')); });
  after(() => rmSync(folder, { recursive: true }));

  const write = async (name: string, runs: readonly Run[]) => {
    const path = join(folder, name);
    mkdirSync(path);
    await writeResults(path, runs);
    return path;
  };

  /** What a command writes to stdout, or its problem; `notes` are what it writes to stderr. */
  async function said(...args: string[]): Promise<string> {
    const lines: string[] = [];
    notes = '';
    const output = { data: (text: string) => void lines.push(text), note: (text: string) => { notes += text; }, colour: pc.createColors(false) };
    try {
      await createProgram(output).parseAsync(['compare', ...args], { from: 'user' });
    } catch (error) {
      return explained(error)!.describe();
    }
    return lines.join('\n');
  }

  it('says what eight seeds show, over several folders', async () => {
    const text = await said(await write('weak8', seeds(8, 'weak', 3, 4)), await write('strong8', seeds(8, 'strong', 9, 10)));
    expect(text).to.contain('s 1.0.0, size full, on tiny: 2 tasks, order 1, seeds 1, 2, 3, 4, 5, 6, 7, 8');
    expect(text).to.match(/^ +1 +strong .*\n +2 +weak /m);
    expect(text).to.contain('Shown at level 0.05:\n  strong is better than weak in average accuracy.');
    expect(text).to.match(/strong − weak +\+60\.0 +\+60\.0 to \+60\.0 .* 8 +0\.008 +0\.008 +– +strong/);
  });

  it('says that three seeds cannot show anything, and that this is no proof of likeness', async () => {
    const text = await said(await write('three', [...seeds(3, 'weak', 3, 4), ...seeds(3, 'strong', 9, 10), ...seeds(3, 'joint', 10, 10)]));
    expect(text).to.contain('No difference was shown at level 0.05.')
      .and.contain('With at most 3 pairs and 1 test no p can be below 0.25').and.contain('It takes 6 pairs.')
      .and.contain('Not shown does not mean equal').and.contain('nothing is said of other orders');
    expect(text).to.match(/– +joint \(bound\)/);
  });

  it('cuts intervals where the metric ends, and leaves them whole in JSON', async () => {
    const path = await write('wild', [run('wild', 1, 10, 10), run('wild', 2, 2, 10), run('even', 1, 9, 9), run('even', 2, 9, 9)]);
    const text = await said(path);
    expect(text).to.match(/wild +80\.0 +0\.0 to 100\.0 /).and.match(/even − wild +\+10\.0 +−100\.0 to \+100\.0 /);
    const [{ metrics: [accuracy] }] = JSON.parse(await said(path, '--json'));
    expect(accuracy.metric.range).to.deep.equal([0, 1]);
    expect(accuracy.pairs[0].difference.high).to.be.above(1);
    expect(await said(path, '--metric', 'negativeBackwardTransfer')).to.match(/even +0\.0 +0\.0 to 0\.0/);
  });

  it('knows a method by any of its labels, in whatever order runs are given, and says where it did not run', async () => {
    const labelled = (one: CompletedRun, label: string): CompletedRun => ({ ...one, method: { ...one.method, label } });
    const plain = await write('plain', [...seeds(6, 'weak', 3, 4), ...seeds(6, 'strong', 9, 10)]);
    const named = await write('named', seeds(6, 'weak', 3, 4).map((one) => labelled(one, 'base')));
    const elsewhere = await write('elsewhere', [...seeds(2, 'strong', 3, 4, ), ...seeds(2, 'other', 9, 10)].map((one) => ({ ...one, suite: { ...one.suite, id: 'e' } })));
    for (const order of [[plain, named], [named, plain]]) {
      for (const against of ['base', 'weak']) expect(await said(...order, '--against', against), order.join()).to.contain(`strong − ${against}`);
    }
    const apart = await said(plain, elsewhere, '--against', 'weak');
    expect(apart).to.contain('strong − weak').and.contain('Nothing was tested: weak did not run under these terms.');
  });

  it('gives rows their interval where a run had probes that another lacks', async () => {
    const probed = (one: CompletedRun): CompletedRun => {
      const general = { base: { p: 0.5 }, final: { p: 0.25 } };
      return {
        ...one, general, metrics: metricsOf(one.matrix, general),
        predictions: { ...one.predictions, p: { answers: [0, 0, 0, 0], chosen: [[0, 0, 1, 1], [0, 0, 1, 1], [0, 1, 1, 1]] } },
        environment: { ...one.environment, dataSha256: { ...one.environment.dataSha256, p: '2'.repeat(64) } },
      };
    };
    for (const [name, withProbes, without] of [['a', 'early', 'late'], ['b', 'late', 'early']] as const) {
      const text = await said(await write(`probed-${name}`, [...seeds(3, withProbes, 3, 4).map(probed), ...seeds(3, without, 9, 10)]), '--metric', 'averageAccuracy,generalDelta');
      expect(text).to.match(new RegExp(`${withProbes} +−25\\.0 +−25\\.0 to −25\\.0 +−[0-9.]+ to [0-9.]+`)).and.contain(`${without}: general ability delta is not defined`);
      expect(text).to.not.contain('NaN');
    }
  });

  it('says why nothing was tested', async () => {
    const bound = await write('bound', [...seeds(2, 'weak', 3, 4), ...seeds(2, 'joint', 9, 10)]);
    expect(await said(bound)).to.contain('\n\nNothing was tested: a bound is tested only where --against names it.\n');
    expect(await said(bound, '--against', 'joint')).to.contain('weak − joint').and.not.contain('Nothing was tested');
    const apart = await write('apart', [...seeds(2, 'weak', 3, 4), run('strong', 9, 9, 10)]);
    expect(await said(apart)).to.contain('Nothing was tested: no two methods have a value for the same order and seed.');
  });

  it('says which tests are corrected together: those of one suite, where there are several', async () => {
    const own = [...seeds(2, 'weak', 3, 4), ...seeds(2, 'strong', 9, 10)];
    const one = await write('one', own);
    const other = await write('another', own.map((run) => ({ ...run, suite: { ...run.suite, id: 'e' } })));
    expect(await said(one)).to.contain('Holm: corrected for the one test shown here.');
    for (const format of [[], ['--markdown'], ['--latex']]) {
      expect(await said(one, other, ...format)).to.contain('Holm: corrected for the one test under these terms.').and.not.contain('shown here.');
    }
    const single = await write('single', [run('weak', 1, 3, 4), run('strong', 1, 9, 10)]);
    expect(await said(single)).to.contain('With at most 1 pair and 1 test no p');
  });

  it('names the differences that hold for these orders and seeds alone, by metric', async () => {
    const ten = (method: string, of: (seed: number) => readonly [number, number]) => Array.from({ length: 10 }, (_, i): CompletedRun =>
      ({ ...run(method, i + 1, ...of(i + 1)), order: { id: String(i % 2), tasks: ['x', 'y'] } }));
    const wild = (last: number) => (seed: number) => (seed === 10 ? [10, last] as const : [2, 1 + (seed % 2)] as const);
    const path = await write('alone-here', [...ten('weak', () => [1, 1]), ...ten('wild', wild(9)), ...ten('wilder', wild(10)), ...ten('steady', (seed) => [5, 5 + (seed % 3)])]);
    expect(await said(path)).to.match(/not for others: \w+ and \w+, \w+ and \w+ in average accuracy\.$/m);
  });

  it('gives JSON, Markdown and LaTeX', async () => {
    const path = await write('formats', [...seeds(3, 'o_lora', 3, 4), ...seeds(3, 'strong', 9, 10)]);
    const [comparison] = JSON.parse(await said(path, '--json', '--metric', 'forgetting,backwardTransfer')) as { tests: number; metrics: { metric: { id: string; formula: string } }[] }[];
    expect(comparison!.tests).to.equal(2);
    expect(comparison!.metrics.map(({ metric }) => metric.id)).to.deep.equal(['forgetting', 'backwardTransfer']);
    expect(await said(path, '--markdown')).to.contain('| rank | method | average accuracy |').and.contain('| ---: | --- |');
    expect(await said(path, '--latex')).to.contain('\\begin{tabular}{rlrrrr}').and.contain('o\\_lora $-$ strong')
      .and.match(/^% lethe compare \S+ --metric averageAccuracy --latex\n% made by Lethe 0\.1\.0: [^\n]*o_lora 1\.0\.0/).and.not.match(/[^\\]%.*\\\\$/m);
  });

  it('sets what papers report beside what was measured, in tables of its own', async () => {
    const path = await write('reported', ['weak', 'strong'].flatMap((method) => [1, 2, 3].map((seed) => run(method, seed, 4, 6, 'trace'))));
    const text = await said(path, '--reported');
    const at = text.indexOf('Reported by papers, not measured here');
    expect(at).to.be.above(text.indexOf('Not shown does not mean equal'));
    expect(text.slice(at)).to.match(/^SeqFT +48\.7 +−8\.3 +−2\.6$/m);
    expect(text.slice(0, at)).not.to.contain('SeqFT');
    const [measured] = JSON.parse(await said(path, '--reported', '--json')) as { reported: { id: string; rows: unknown[] }[] }[];
    expect(measured!.reported.map(({ id }) => id)).to.include('llama-2-7b-chat');
    expect(await said(join(folder, 'three'), '--reported')).to.contain('No numbers that papers report of s are known here.');
    expect(await said(path)).not.to.contain('reported');
  });

  it('takes entries of the leaderboard, recomputed as run folders are', async () => {
    const entries = join(folder, 'entries');
    const path = await write('published', [...seeds(3, 'weak', 3, 4), ...seeds(3, 'strong', 9, 10)]);
    const entry = await publishRuns([path], entries, { method: () => undefined, suite: () => undefined, rows: async () => undefined });
    expect(await said(entry)).to.equal(await said(path));
    writeFileSync(entry, readFileSync(entry, 'utf8').replace('"averageAccuracy": 0', '"averageAccuracy": 1'));
    expect(await said(entry)).to.contain('LETHE_RESULTS_INVALID').and.contain('averageAccuracy');
    expect(await said(join(entries, 'none.json'))).to.contain('LETHE_RUN_MISSING');
  });

  it('says how to go on with a run that lacks what is to be compared, and of any other that it is not finished', async () => {
    const stopped = await write('stopped', seeds(2, 'weak', 3, 4));
    const record = recordText({ methods: [{ id: 'weak' }, { id: 'strong' }], seeds: [1, 2] });
    writeFileSync(join(stopped, 'run.json'), record);
    for (const args of [[], ['--against', 'strong']]) {
      expect(await said(stopped, ...args)).to.contain('LETHE_RUN_STOPPED').and.contain('2 of 4 runs are there').and.contain(`fix Finish it with: lethe resume ${stopped}`);
    }
    expect(await said(stopped, join(folder, 'strong8'))).to.contain('strong − weak');
    expect(notes).to.contain(`not finished: 2 of 4 runs are there; go on with: lethe resume ${stopped}`);
    const killed = join(folder, 'killed');
    mkdirSync(killed);
    writeFileSync(join(killed, 'run.json'), record);
    expect(await said(killed)).to.contain('LETHE_RUN_STOPPED').and.contain('0 of 4 runs are there');
  });

  it('refuses what it cannot do', async () => {
    const path = await write('refused', [...seeds(2, 'weak', 3, 4), ...seeds(2, 'strong', 9, 10)]);
    expect(await said(path, '--metric', 'forgeting')).to.contain('LETHE_USAGE').and.contain('Did you mean "forgetting"?');
    expect(await said(path, '--metric', 'accuracy')).to.contain('Did you mean "averageAccuracy"?');
    expect(await said(path, '--against', 'stronk')).to.contain('LETHE_USAGE').and.contain('Did you mean "strong"?');
    expect(await said(path, '--json', '--latex')).to.contain('LETHE_USAGE').and.contain('at once');
    expect(await said(join(folder, 'none'))).to.contain('LETHE_RUN_MISSING');
    expect(await said(await write('alone', seeds(2, 'weak', 3, 4)))).to.contain('there is one method here, weak, and a comparison takes two').and.contain('lethe table');
    const twice = [path, await write('other', seeds(2, 'weak', 2, 4))];
    expect(await said(...twice)).to.contain('LETHE_RUN_AMBIGUOUS').and.contain('weak, order 1, seed 1');
  });
});
