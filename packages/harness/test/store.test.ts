import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CompletedRun, LetheError, Run } from '@lethe/core';
import { expect } from 'chai';
import { metricsOf, resultsHash, validateResults } from '@lethe/metrics';
import { lockRun, openRun, readArtefact, readResults, readRun, sweepRun, writeArtefact, writeResults } from '../src/index.js';

const matrix = [[0.5, 0], [1, 0.5], [0.5, 1]];
const general = { base: { count: 0.5 }, final: { count: 0.25 } };
const run: CompletedRun = {
  status: 'completed',
  suite: { id: 's', version: '1.0.0', size: 'full' },
  method: { id: 'm', version: '1.0.0', options: {}, capabilities: { rehearsal: false, taskIdentity: false, growth: 'none', bound: false } },
  model: { id: 'tiny', sha256: 'a'.repeat(64) },
  order: { id: '1', tasks: ['x', 'y'] },
  seed: 1,
  training: { epochs: 1, batch: 4, learningRate: 1e-3, warmup: 0.1, weightDecay: 0, clip: 1, rank: 2, alpha: 4, sites: ['q'], maxTokens: 32 },
  matrix, general, metrics: metricsOf(matrix, general),
  predictions: {
    x: { answers: [0, 1], chosen: [[0, 0], [0, 1], [1, 1]] },
    y: { answers: [1, 1], chosen: [[0, 0], [0, 1], [1, 1]] },
    count: { answers: [0, 0, 0, 0], chosen: [[0, 0, 1, 1], [0, 0, 1, 1], [0, 1, 1, 1]] },
  },
  cost: { trainableParameters: 1, storedBytes: 4, addedParameters: 1, trainTokens: 9, trainSeconds: 1, evalSeconds: 1, peakBytes: 1 },
  environment: { device: 'cpu', threads: 1, lethe: '0.1.0', node: 'v20', dataSha256: {}, git: null },
};

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => 'none', (error: LetheError) => error.code);
}

describe('the run folder', () => {
  let folder: string;
  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'lethe-store-')); });
  afterEach(() => rm(folder, { recursive: true }));

  it('is continued by the same configuration and refused to another', async () => {
    await openRun(folder, '0.1.0', { suite: 's' });
    expect((await openRun(folder, '0.1.4', { suite: 's' })).record.lethe).to.equal('0.1.0');
    expect(await codeOf(openRun(folder, '0.1.0', { suite: 't' }))).to.equal('LETHE_RUN_EXISTS');
    expect(await codeOf(readRun(folder, '0.2.0'))).to.equal('LETHE_RUN_VERSION');
    expect(await codeOf(readRun(join(folder, 'no'), '0.1.0'))).to.equal('LETHE_RUN_MISSING');
    await writeFile(join(folder, 'run.json'), '{');
    expect(await codeOf(readRun(folder, '0.1.0'))).to.equal('LETHE_RUN_DAMAGED');
  });

  it('names what differs from another configuration, and is extended to it where that is asked for: its results go, its steps stay', async () => {
    const [small, large] = [{ seeds: [1], suite: { data: { x: 'a' } } }, { seeds: [1, 2], suite: { data: { x: 'b', y: 'c' } } }];
    await openRun(folder, '0.1.0', small);
    await writeFile(join(folder, 'steps', `${'0'.repeat(64)}.step`), 'step');
    await writeResults(folder, [run]);
    const error = await openRun(folder, '0.1.0', large).then(() => undefined, (thrown: LetheError) => thrown);
    expect(error).to.include({ code: 'LETHE_RUN_EXISTS', message: 'The folder holds a run of another configuration: it differs in seeds.1, suite.data.x, suite.data.y.' });
    expect(error!.remedy).to.contain('--extend');
    const refused = openRun(folder, '0.1.0', large, {}, () => { throw error!; });
    expect(await codeOf(refused)).to.equal('LETHE_RUN_EXISTS');
    expect((await readResults(folder))!.runs).to.deep.equal([run]);
    expect(await openRun(folder, '0.1.0', large, {}, (known) => expect(known).to.deep.equal(small))).to.include({ known: false });
    expect((await readRun(folder, '0.1.0')).configuration).to.deep.equal(large);
    expect((await readdir(folder)).sort()).to.deep.equal(['run.json', 'steps']);
    expect(await readdir(join(folder, 'steps'))).to.have.length(1);
  });

  it('belongs to one process at a time, and not to one that was killed', async () => {
    const unlock = await lockRun(folder);
    expect(await codeOf(lockRun(folder))).to.equal('LETHE_RUN_BUSY');
    await unlock();
    // no process has a number as large as this
    await writeFile(join(folder, 'run.lock'), String(2 ** 30));
    await (await lockRun(folder))();
    // in a container every process may have the number of the one that was killed
    await writeFile(join(folder, 'run.lock'), String(process.pid));
    await (await lockRun(folder))();
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it('belongs to one of several processes that find the lock of a killed one together', async () => {
    for (let round = 0; round < 3; round++) {
      await writeFile(join(folder, 'run.lock'), String(2 ** 30));
      const children = Array.from({ length: 3 }, () => spawn(process.execPath, [fileURLToPath(new URL('./lock-child.js', import.meta.url)), folder]));
      const said = children.map(({ stdout }) => createInterface({ input: stdout })[Symbol.asyncIterator]());
      for (const lines of said) expect((await lines.next()).value).to.equal('ready');
      for (const { stdin } of children) stdin.end('go\n');
      const found = await Promise.all(said.map(async (lines) => (await lines.next()).value as string));
      expect(found.sort(), `round ${round}`).to.deep.equal(['LETHE_RUN_BUSY', 'LETHE_RUN_BUSY', 'has']);
      await Promise.all(children.map(async (child) => child.exitCode ?? once(child, 'exit')));
      expect(await readdir(folder)).to.deep.equal([]);
    }
  });

  it('leaves the lock of another process alone that took the place of its own', async () => {
    const unlock = await lockRun(folder);
    await writeFile(join(folder, 'run.lock'), '1');
    await unlock();
    expect(await readdir(folder)).to.deep.equal(['run.lock']);
  });

  it('is refused where its record says nothing', async () => {
    for (const text of ['null', '[]', '{"schema":"lethe.run/1","lethe":"0.1.0"}', '{"schema":"lethe.run/1","lethe":"0.1.0","configuration":null}']) {
      await writeFile(join(folder, 'run.json'), text);
      expect(await codeOf(readRun(folder, '0.1.0')), text).to.equal('LETHE_RUN_DAMAGED');
      expect(await codeOf(openRun(folder, '0.1.0', {})), text).to.equal('LETHE_RUN_DAMAGED');
    }
  });

  it('loses what was left half written, and nothing else', async () => {
    await openRun(folder, '0.1.0', {});
    await writeResults(folder, [run]);
    const step = `${'0a'.repeat(32)}.step`;
    const part = '0b0c6c1e-7f5a-4b53-9c0b-3a1f6f2f9f10.part';
    const half = [`steps/${step}.1234`, `steps/${step}.${part}`, 'results.json.1234', 'run.json.99', `results.json.${part}`];
    const kept = [`steps/${step}`, 'steps/given.py', 'steps/notes.1', 'results.json.old', 'results.json.2.bak', 'run.lock.7', `notes.${part}`];
    for (const name of [...half, ...kept]) await writeFile(join(folder, name), 'x');
    await sweepRun(folder);
    const left = [...(await readdir(folder)), ...(await readdir(join(folder, 'steps'))).map((name) => `steps/${name}`)];
    expect(left.sort()).to.deep.equal([...kept, 'results.json', 'run.json', 'steps'].sort());
  });

  it('is made where it is missing, even in part', async () => {
    await openRun(join(folder, 'new'), '0.1.0', {});
    await rm(join(folder, 'new', 'steps'), { recursive: true });
    await openRun(join(folder, 'new'), '0.1.0', {});
    await sweepRun(join(folder, 'new'));
    expect((await readdir(join(folder, 'new'))).sort()).to.deep.equal(['run.json', 'steps']);
  });

  it('drops the results of methods whose code is another one, and no others', async () => {
    const code = { [run.method.id]: 'a', other: 'b' };
    expect(await openRun(folder, '0.1.0', {}, { code })).to.include({ known: false });
    expect((await openRun(folder, '0.1.0', {}, { code: { ...code, other: 'a' } })).changed, 'before there are results').to.deep.equal(['other']);
    await openRun(folder, '0.1.0', {}, { code });
    const other: Run = { ...run, method: { ...run.method, id: 'other' } };
    await writeResults(folder, [run, other]);
    expect((await openRun(folder, '0.1.0', {}, { code })).changed).to.deep.equal([]);
    expect(await openRun(folder, '0.1.0', {}, { code: { ...code, other: 'c' } })).to.deep.include({ known: true, changed: ['other'] });
    expect((await readResults(folder))!.runs).to.deep.equal([run]);
    expect((await readRun(folder, '0.1.0')).code).to.deep.equal({ ...code, other: 'c' });
    await openRun(folder, '0.1.0', {}, { code: { [run.method.id]: 'd', other: 'c' } });
    expect(await readResults(folder)).to.equal(undefined);
  });

  it('is no folder of other files, but one whose record was deleted', async () => {
    const refused = async (...names: string[]) => {
      const own = await mkdtemp(join(folder, 'own-'));
      for (const name of names) {
        await mkdir(dirname(join(own, name)), { recursive: true });
        await writeFile(join(own, name), 'x');
      }
      const code = await codeOf(openRun(own, '0.1.0', {}));
      expect((await readdir(own)).includes('run.json')).to.equal(code === 'none');
      return code;
    };
    expect(await refused('index.py')).to.equal('LETHE_FOLDER_EXISTS');
    expect(await refused('results.json')).to.equal('LETHE_FOLDER_EXISTS');
    expect(await refused('steps/given.py')).to.equal('LETHE_FOLDER_EXISTS');
    expect(await refused(`steps/${'0a'.repeat(32)}.step`, 'results.json', 'run.lock', 'run.lock.7', 'run.json.12')).to.equal('none');
  });

  it('keeps results that check themselves', async () => {
    expect(await readResults(folder)).to.equal(undefined);
    const results = await writeResults(folder, [run]);
    expect(await readResults(folder)).to.deep.equal(results);
    expect(resultsHash([{ ...run, cost: { ...run.cost, trainSeconds: 7 } }])).to.equal(results.sha256);
    expect(resultsHash([{ ...run, seed: 2 }])).not.to.equal(results.sha256);
  });

  it('points at what is wrong with results', async () => {
    const results = JSON.parse(JSON.stringify(await writeResults(folder, [run])));
    const whereOf = (edit: (r: typeof results) => void): string => {
      const copy = structuredClone(results);
      edit(copy);
      try { validateResults(copy, 'f'); } catch (error) { return (error as LetheError).where ?? ''; }
      return 'none';
    };
    expect(whereOf(() => undefined)).to.equal('none');
    expect(whereOf((r) => { r.runs[0].matrix[1][0] = 0.5; })).to.equal('f#/runs/0/matrix/1/0');
    expect(whereOf((r) => { r.runs[0].metrics.forgetting = 0; })).to.equal('f#/runs/0/metrics/forgetting');
    expect(whereOf((r) => { r.runs[0].general.final.count = 0.5; })).to.equal('f#/runs/0/general/final/count');
    expect(whereOf((r) => { delete r.runs[0].predictions.count; })).to.equal('f#/runs/0/predictions');
    expect(whereOf((r) => { r.runs.push(r.runs[0]); })).to.equal('f#/runs/1');
    expect(whereOf((r) => { delete r.runs[0].method.capabilities; })).to.equal('f#/runs/0/method');
    expect(whereOf((r) => { r.runs[0].seed = 3; })).to.equal('f#/sha256');
    expect(whereOf((r) => { r.runs[0].more = 1; })).to.equal('f#/runs/0/more');
    expect(whereOf((r) => { delete r.runs[0].cost.peakBytes; })).to.equal('f#/runs/0/cost');
  });

  it('gives an artefact back as it was, and notices damage', async () => {
    const path = join(folder, 'a.step');
    expect(await readArtefact(path)).to.equal(undefined);
    const artefact = { json: { scores: [0.1, null] }, groups: { frozen: {}, trainable: { w: { shape: [2, 1], data: Float32Array.of(1.5, -2) } } } };
    await writeArtefact(path, artefact);
    expect(await readArtefact(path)).to.deep.equal(artefact);
    const whole = await readFile(path);
    await appendFile(path, 'x');
    expect(await codeOf(readArtefact(path))).to.equal('LETHE_RUN_DAMAGED');
    await writeFile(path, whole.subarray(0, 20));
    expect(await codeOf(readArtefact(path))).to.equal('LETHE_RUN_DAMAGED');
  });
});
