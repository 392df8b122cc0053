import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { recordText } from './record.js';
import { run, said, writerIn } from './small-runs.js';

describe('a path in the place of a run', () => {
  let folder: string;
  let runs: string;
  let svg: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lethe-run-path-'));
    runs = join(folder, 'runs');
    svg = join(folder, 'f.svg');
    mkdirSync(join(runs, 'unfinished'), { recursive: true });
    writeFileSync(join(runs, 'unfinished', 'run.json'), recordText());
    await writerIn(() => runs)([run('ewc', 1, 8, 7), run('seta', 1, 9, 7)]);
    writeFileSync(join(folder, 'cfg.yaml'), 'suite: domain-mini\n');
    mkdirSync(join(folder, 'suite'));
    writeFileSync(join(folder, 'suite', 'suite.yaml'), 'id: s\n');
    mkdirSync(join(folder, 'empty'));
    writeFileSync(join(folder, 'notes.txt'), 'none\n');
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Every command that takes a run, with a path in its place. */
  const commands = (path: string): string[][] => [
    ['table', path], ['compare', path], ['plot', path, '--out', svg], ['show', path], ['publish', path, '--entries', folder], ['reproduce', path],
    ['run', 'domain-mini', '--tuned', path], ['resume', path], ['export', path, '--out', join(folder, 'adapter')], ['generate', '--run', path, '--prompt', 'a'],
  ];
  const problems = (path: string) => Promise.all(commands(path).map(async (args) => ({ args: args.join(' '), text: (await said(...args)).text })));

  for (const [title, path, message, remedy] of [
    ['holds run folders', () => runs, () => `${runs} is no run folder; it holds run folders: run0, unfinished.`, () => `Name one: ${join(runs, 'run0')}`],
    ['is a configuration', () => join(folder, 'cfg.yaml'), (path) => `${path} is a configuration of runs: lethe run ${path} makes them.`, () => 'Give the folder that lethe run wrote.'],
    ['is the folder of a suite', () => join(folder, 'suite'), (path) => `${path} is a suite: lethe run ${path} makes runs of it.`, () => 'Give the folder that lethe run wrote.'],
    ['is the file of a suite', () => join(folder, 'suite', 'suite.yaml'), (path) => `${path} is a suite: lethe run ${path} makes runs of it.`, () => 'Give the folder that lethe run wrote.'],
    ['is a folder of something else', () => join(folder, 'empty'), (path) => `${path} is no run folder: it holds no run.json and no results.json.`, () => 'Give the folder of a run'],
    ['is a file of something else', () => join(folder, 'notes.txt'), (path) => `${path} is no run folder.`, () => 'Give the folder of a run'],
    ['is not there, and is like another', () => join(runs, 'unfinishd'), () => 'There is no such file or folder. Did you mean "unfinished"?', () => 'Give the folder of a run'],
    ['is in a folder that is not there', () => join(folder, 'rums', 'run0'), () => 'There is no such file or folder. Did you mean "runs"?', () => 'Give the folder of a run'],
  ] as readonly (readonly [title: string, path: () => string, message: (path: string) => string, remedy: () => string])[]) {
    it(`that ${title} is told so by every command`, async () => {
      for (const { args, text } of await problems(path())) {
        expect(text, args).to.contain(`LETHE_RUN_MISSING: ${message(path())}\n  at  `).and.contain(`\n  fix ${remedy()}`);
      }
    }).timeout(120_000);
  }

  it('that is a file of a run is told so where its folder is wanted, its record by every command', async () => {
    for (const name of ['run.json', 'results.json']) {
      const path = join(folder, 'both', name);
      mkdirSync(join(folder, 'both'), { recursive: true });
      writeFileSync(path, '{}');
      for (const args of commands(path).slice(name === 'run.json' ? 0 : 7)) {
        expect((await said(...args)).text, args.join(' ')).to.contain(`LETHE_RUN_MISSING: ${path} is a file of a run, whose folder is wanted.\n`)
          .and.contain(`fix Name its folder: ${join(folder, 'both')}`);
      }
    }
  });

  it('whose run has no results yet is one to go on with, for those that read results', async () => {
    for (const path of [join(runs, 'unfinished'), join(runs, 'unfinished', 'results.json')]) {
      for (const args of commands(path).slice(0, 7)) {
        const { text } = await said(...args);
        expect(text, args.join(' ')).to.contain('LETHE_RUN_STOPPED').and.contain('0 of 1 runs are there').and.contain(`fix Finish it with: lethe resume ${join(runs, 'unfinished')}`);
      }
    }
  }).timeout(120_000);

  it('which names results is taken, by folder and by file', async () => {
    for (const path of [join(runs, 'run0'), join(runs, 'run0', 'results.json')]) expect((await said('table', path)).text).to.contain('seta');
  });

  it('of a run is told where many lie beside it, the first ones alone', async () => {
    const many = join(folder, 'many');
    for (let i = 0; i < 12; i++) {
      mkdirSync(join(many, `r${10 + i}`), { recursive: true });
      writeFileSync(join(many, `r${10 + i}`, 'run.json'), recordText());
    }
    expect((await said('table', many)).text).to.contain('run folders: r10, r11, r12, r13, r14, r15, r16, r17 and 4 more.');
  });
});
