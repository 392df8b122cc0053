import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { metricsOf } from '@lethe/metrics';
import { expect } from 'chai';
import { failed, run, said, writerIn } from './small-runs.js';

/** Two seeds of a method that is at 90 % after the first task, and has 50, 60 % of both at the end. */
const weak = () => [run('weak', 1, 7, 3), run('weak', 2, 8, 4)];
/** One that learns both tasks at once: there is nothing between the base model and the end. */
function joint() {
  const one = run('joint', 1, 10, 10);
  const matrix = [one.matrix[0]!, [null, null], one.matrix[2]!];
  const predictions = Object.fromEntries(Object.entries(one.predictions as Record<string, { answers: number[]; chosen: number[][] }>)
    .map(([task, { answers, chosen }]) => [task, { answers, chosen: chosen.with(1, null as never) }]));
  return { ...one, matrix, metrics: metricsOf(matrix, one.general), predictions };
}

describe('lethe plot', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-plot-')); });
  after(() => rmSync(folder, { recursive: true }));
  const write = writerIn(() => folder);
  const file = (name: string) => join(folder, name);
  const plot = async (...args: string[]) => (await said('plot', ...args)).text;
  /** The texts that a drawing shows, without signs before names. */
  const textsOf = (name: string) => [...readFileSync(file(name), 'utf8').matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!);

  it('draws the score of the tasks learned so far, a line a method, and says in the drawing what made it', async () => {
    const path = await write(weak(), run('strong', 1, 9, 9), run('strong', 2, 9, 10));
    expect(await plot(path, '--out', file('a.svg'))).to.contain('a.svg');
    const svg = readFileSync(file('a.svg'), 'utf8');
    expect(svg).to.match(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^>]*>\n<desc>mean score of the tasks learned so far, after each task\ns 1\.0\.0, size full, on tiny\n/);
    expect(svg).to.match(/\nlethe plot \S+ --kind stream --out \S+a\.svg<\/desc>/).and.match(/<\/svg>\n$/);
    expect(textsOf('a.svg')).to.include.members(['strong', 'weak', 'Tasks learned', '100']);
    expect(svg).not.to.contain('var(--').and.not.to.contain('NaN');
    await plot(path, '--out', file('again.svg'));
    expect(readFileSync(file('again.svg'), 'utf8').replaceAll('again.svg', 'a.svg'), 'the same twice').to.equal(svg);
  });

  it('writes the values of the figure, with what is only known at the end', async () => {
    const path = await write(weak(), run('strong', 1, 9, 9), joint());
    await plot(path, '--out', file('b.csv'), '--methods', 'weak,joint');
    const [head, ...rows] = readFileSync(file('b.csv'), 'utf8').trimEnd().split('\n').map((line) => line.split(','));
    expect(head).to.deep.equal(['method', 'methodVersion', 'bound', 'runs', 'tasksLearned', 'score', 'low', 'high']);
    expect(rows.map(([method, , bound, runs, tasks]) => [method, bound, runs, tasks])).to.deep.equal(
      [['weak', 'false', '2', '1'], ['weak', 'false', '2', '2'], ['joint', 'true', '1', '2']]);
    const [first, last, end] = rows.map((row) => row.slice(5).map(Number));
    expect(first).to.deep.equal([0.9, 0.9, 0.9]);
    // 0.5 and 0.6: t with one degree of freedom, 12.706, times half of their difference
    [0.55, 0.55 - 0.6353, 0.55 + 0.6353].forEach((value, i) => expect(last![i]).to.be.closeTo(value, 1e-4));
    expect(end![0]).to.equal(1);
    expect(rows[2]!.slice(6), 'no interval of one run').to.deep.equal(['', '']);
  });

  it('draws accuracy against forgetting, and what has no forgetting not at all', async () => {
    const path = await write(weak(), run('strong', 1, 9, 9), joint());
    await plot(path, '--kind', 'tradeoff', '--out', file('c.svg'));
    expect(textsOf('c.svg')).to.include.members(['weak', 'strong', 'Forgetting, percentage points']);
    await plot(path, '--kind', 'tradeoff', '--out', file('c.csv'));
    const [head, ...rows] = readFileSync(file('c.csv'), 'utf8').trimEnd().split('\n').map((line) => line.split(','));
    expect([head![4], head![7]]).to.deep.equal(['averageAccuracy', 'forgetting']);
    expect(rows.map((row) => [row[0], row[4], row[7] && Number(row[7]).toFixed(2)])).to.deep.equal([['strong', '0.9', '0.00'], ['weak', '0.55', '0.15'], ['joint', '1', '']]);
  });

  it('leaves a method out of which a run failed, and says so', async () => {
    const path = await write(weak(), run('broken', 1, 9, 9), failed(run('broken', 2, 9, 9)));
    expect((await said('plot', path, '--out', file('d.svg'))).notes).to.contain('a method of which a run failed has no means');
    expect(textsOf('d.svg')).to.include('weak').and.not.include('broken');
    const all = await write(run('broken', 1, 9, 9), failed(run('broken', 2, 9, 9)));
    expect(await plot(all, '--out', file('e.svg'))).to.contain('LETHE_STATISTICS_MISSING').and.contain('lethe resume');
  });

  it('refuses what it cannot draw, and writes nothing', async () => {
    const path = await write(weak());
    expect(await plot(path, '--out', file('f.png'))).to.contain('LETHE_USAGE').and.contain('ends in .svg or .csv');
    expect(await plot(path, await write(run('weak', 1, 7, 3, { suite: { id: 'other' } })), '--out', file('f.svg'))).to.contain('LETHE_USAGE').and.contain('2 suites');
    expect(await plot(path, '--methods', 'weka', '--out', file('f.svg'))).to.contain('Did you mean "weak"?');
    expect(await plot(path, '--kind', 'pie', '--out', file('f.svg'))).to.contain('LETHE_USAGE').and.contain('stream, tradeoff');
    expect(await plot(await write(joint()), '--kind', 'tradeoff', '--out', file('f.svg'))).to.contain('LETHE_STATISTICS_MISSING').and.contain('accuracy against forgetting');
    expect(await plot(join(folder, 'none'), '--out', file('f.svg'))).to.contain('LETHE_RUN_MISSING');
    expect(existsSync(file('f.svg')) || existsSync(file('f.png'))).to.equal(false);
  });
});
