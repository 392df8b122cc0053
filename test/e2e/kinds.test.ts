import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LETHE_VERSION, type CompletedRun, type Results, type TextPredictions } from '@lethe/core';
import { expect } from 'chai';
import { lethe, node } from './command.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const NANO = join(root, 'packages/model/lethe-nano');

const SUITE = `id: notes
version: 1.0.0
kind: domain
title: Notes that are written out
description: Two kinds of notes.
licence: MIT
seed: 1
prompt: "{input}\\nAnswer:"
training: { epochs: 1, batch: 4, learningRate: 1.0e-3, warmup: 0.1, weightDecay: 0, clip: 1, rank: 2, alpha: 4, sites: [q], maxTokens: 48 }
sizes: { full: { train: all, validation: 1, test: all } }
tasks:
  - { id: first, title: First, written: { scorer: shared-words, maxTokens: 8, stop: [] } }
  - { id: second, title: Second, written: { scorer: shared-words, maxTokens: 8, stop: [] } }
orders: { 1: [first, second] }
`;

describe('a scorer and a suite that are plugins, outside of the repository', () => {
  let folder: string;
  before(function () {
    if (!existsSync(join(NANO, 'model.safetensors'))) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'lethe-kinds-'));
    const suite = join(folder, 'plugins/notes');
    for (const task of ['first', 'second']) {
      mkdirSync(join(suite, task), { recursive: true });
      for (const split of ['train', 'test']) {
        const rows = Array.from({ length: 8 }, (_, i) => JSON.stringify({ id: `${task}-${split}-${i}`, input: `the ${split} note ${i} is ${task}`, output: `it is note ${i}` }));
        writeFileSync(join(suite, task, `${split}.jsonl`), `${rows.join('\n')}\n`);
      }
    }
    writeFileSync(join(suite, 'suite.yaml'), SUITE);
    writeFileSync(join(suite, 'plugin.json'), JSON.stringify({
      name: 'notes', kind: 'suite', version: '1.0.0', lethe: `^${LETHE_VERSION}`, description: 'Notes.', licence: 'MIT',
      options: { type: 'object', additionalProperties: false, properties: {} },
    }));
  });
  after(() => { if (folder) rmSync(folder, { recursive: true }); });

  const plugins = () => ['--plugins', join(folder, 'plugins')];
  const path = (name: string) => join(folder, name);
  const run = async (...args: string[]) => {
    const { status, stdout, stderr } = await lethe(...args).ended;
    expect(status, stderr).to.equal(0);
    return stdout;
  };
  const refused = async (...args: string[]) => {
    const { status, stderr } = await lethe(...args).ended;
    expect(status, stderr).to.equal(2);
    return stderr;
  };

  it('the scorer is written, compiles, passes its tests and validation', async () => {
    const at = path('plugins/shared-words');
    await run('new', 'scorer', 'shared-words', '--dir', path('plugins'));
    node(join(root, 'node_modules/typescript/bin/tsc'), '-p', at);
    expect(node(join(root, 'node_modules/mocha/bin/mocha.js'), '--no-config', '--import=@lethe/core/lend', join(at, 'dist')))
      .to.match(/\d+ passing/).and.contain('conformance of shared-words').and.contain('takes the best of several references');
    expect(await run('validate', at)).to.contain('scorer shared-words 0.1.0').and.contain('checked: conformance: range');
  });

  it('both are listed, and checked', async () => {
    expect(await run('list', 'scorers', ...plugins())).to.match(/^rouge-l +judges/m).and.match(/^shared-words +0\.1\.0 +F1/m);
    expect(await run('list', 'suites', ...plugins())).to.match(/^notes +1\.0\.0 +Notes that are written out/m);
    expect(await run('validate', path('plugins/notes'), ...plugins())).to.contain('the name and version').and.contain('2 tasks');
    expect(await run('data', 'verify', 'notes', ...plugins())).to.match(/second test +unpinned +8 rows/);
    expect(await refused('run', 'notes', '--out', path('never'))).to.contain('LETHE_SUITE_UNKNOWN');
    expect(await refused('run', path('plugins/notes'), '--out', path('never'))).to.contain('scorer of text called "shared-words"').and.match(/fix .*--plugins/);
    expect(existsSync(path('never'))).to.equal(false);
  });

  it('a run finds the suite by its name, and a worker the scorer', async () => {
    await run('run', 'notes', ...plugins(), '--methods', 'zero-shot,lora-sequential', '--seeds', '1', '--model', NANO, '--device', 'cpu', '--out', path('run'));
    const { runs } = JSON.parse(readFileSync(path('run/results.json'), 'utf8')) as Results;
    for (const { predictions } of runs as CompletedRun[]) expect((predictions['first'] as TextPredictions).scorer).to.equal('shared-words');
    expect(await run('show', path('run'))).to.contain('lora-sequential');
    expect(await run('resume', path('run'))).to.contain('lora-sequential');
  });

  it('results are recomputed by the scorer wherever it is named, and not without it', async () => {
    copyFileSync(path('run/results.json'), path('results.json'));
    expect(await refused('validate', path('results.json'))).to.contain('No scorer of text is called "shared-words"').and.match(/fix .*--plugins/);
    expect(await run('validate', path('results.json'), ...plugins())).to.contain('2 runs');
    const { stderr } = await lethe('publish', path('run'), '--entries', path('entries')).ended;
    expect(stderr).to.contain(`next: lethe leaderboard build --entries ${path('entries')} --plugins ${path('plugins/shared-words')}, look`);
    expect(await refused('leaderboard', 'build', '--entries', path('entries'), '--out', path('site'))).to.match(/fix .*--plugins/);
    expect(existsSync(path('site'))).to.equal(false);
    await run('leaderboard', 'build', '--entries', path('entries'), '--out', path('site'), ...plugins());
    expect(existsSync(path('site/index.html'))).to.equal(true);
  });
});
