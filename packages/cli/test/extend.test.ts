import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Results } from '@lethe/core';
import { expect } from 'chai';
import { said } from './small-runs.js';

const fixture = (path: string) => fileURLToPath(new URL(`../../../../test/fixtures/${path}`, import.meta.url));

describe('lethe run --extend', () => {
  let folder: string;
  let suite: string;
  let text: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'lethe-extend-'));
    cpSync(fixture('few-words'), join(folder, 'months'), { recursive: true });
    suite = join(folder, 'months', 'suite.yaml');
    text = readFileSync(suite, 'utf8');
    writeFileSync(suite, text.replace('1: [first, second]', '1: [first]'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
    process.exitCode = 0;
  });
  const run = (out: string, ...args: string[]) => said('run', suite, '--model', fixture('architectures/pythia'), '--device', 'cpu', '--workers', '1',
    '--methods', 'lora-sequential', '--out', join(folder, out), ...args);
  const results = (out: string) => JSON.parse(readFileSync(join(folder, out, 'results.json'), 'utf8')) as Results;

  it('goes on with the tasks and seeds that a run did not have, to the results of one from the start', async () => {
    expect((await run('a', '--seeds', '1')).notes).to.contain('seed 1');
    const before = results('a');
    writeFileSync(suite, text);
    const refused = (await run('a', '--seeds', '1,2')).text;
    expect(refused).to.contain('LETHE_RUN_EXISTS').and.contain('it differs in').and.contain('orders.0.tasks.1').and.contain('--extend');
    expect(results('a')).to.deep.equal(before);
    const { notes } = await run('a', '--seeds', '1,2', '--extend');
    expect(notes).to.match(/seed 1 {2}1\/2 first {2}scores .* \(already there\)/);
    expect(notes).to.match(/seed 1 {2}2\/2 second {2}scores (?!.*already)/).and.match(/seed 2 {2}1\/2 first {2}scores (?!.*already)/);
    await run('b', '--seeds', '1,2');
    expect(results('a').sha256).to.equal(results('b').sha256);
    // the steps that were scored without the second task are in nobody's way
    expect(readdirSync(join(folder, 'a', 'steps'))).to.deep.equal(readdirSync(join(folder, 'b', 'steps')));
  }).timeout(180_000);

  it('takes no steps of another device, and no folder that nobody named', async () => {
    const before = results('a');
    expect((await run('a', '--seeds', '3', '--threads', '2', '--extend')).text)
      .to.contain('LETHE_RUN_EXISTS').and.contain('its steps are of cpu, 1 thread, lethe run, and those asked for of cpu, 2 threads, lethe run');
    expect((await run('a', '--seeds', '3', '--micro-batch', '2', '--extend')).text).to.contain('those asked for of cpu, 1 thread, micro-batches of 2 rows, lethe run');
    expect(results('a')).to.deep.equal(before);
    const record = join(folder, 'a', 'run.json');
    const written = readFileSync(record, 'utf8');
    writeFileSync(record, written.replace('"devices"', '"device"'));
    expect((await run('a', '--seeds', '3', '--extend')).text).to.contain('LETHE_RUN_DAMAGED').and.contain(record);
    writeFileSync(record, written);
    expect((await said('run', suite, '--methods', 'zero-shot', '--extend')).text).to.contain('LETHE_USAGE: --extend goes on in the folder of a run');
  }).timeout(60_000);
});
