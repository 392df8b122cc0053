import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Results } from '@lethe/core';
import { expect } from 'chai';
import { said } from './small-runs.js';

const fixture = (path: string) => fileURLToPath(new URL(`../../../../test/fixtures/${path}`, import.meta.url));

describe('lethe resume', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-resume-')); });
  after(() => {
    rmSync(folder, { recursive: true });
    process.exitCode = 0;
  });

  it('takes as many runs at a time as were asked for last, and their number is no part of what a run is', async () => {
    const out = join(folder, 'run');
    const run = (...args: string[]) => said('run', fixture('few-words'), '--model', fixture('architectures/pythia'), '--device', 'cpu', '--methods', 'zero-shot', '--out', out, ...args);
    const recorded = () => (JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')) as { workers?: number }).workers;
    const hash = () => (JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')) as Results).sha256;
    expect((await run('--seeds', '1,2', '--workers', '1')).notes).to.contain(', 1 at a time');
    const first = hash();
    expect((await said('resume', out)).notes).to.contain(', 1 at a time').and.contain('2 of 2 runs are finished already');
    expect((await said('resume', out, '--workers', '2')).notes).to.contain(', 2 at a time').and.contain('2 of 2 runs are finished already');
    expect((await said('resume', out)).notes).to.contain(', 2 at a time');
    // the command itself says all: without the flag there is no number that was asked for
    expect((await run('--seeds', '1,2')).notes).to.contain('2 of 2 runs are finished already');
    expect(recorded()).to.equal(undefined);
    expect(hash()).to.equal(first);
    await run('--seeds', '1,2,3', '--workers', '2', '--extend');
    expect((await said('resume', out)).notes).to.contain(', 2 at a time').and.contain('3 of 3 runs are finished already');

    const file = join(out, 'run.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"workers": 2', '"workers": 0'));
    expect((await said('resume', out)).text).to.contain('LETHE_RUN_DAMAGED').and.contain('"workers" must be a whole number from 1, not 0').and.contain(`${file}#/workers`);
  }).timeout(180_000);
});
