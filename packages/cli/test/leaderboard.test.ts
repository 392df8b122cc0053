import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type CompletedRun, readManifest, sha256 } from '@lethe/core';
import { metricsOf, resultsHash } from '@lethe/metrics';
import { expect } from 'chai';
import { PATHS } from '../src/paths.js';
import { call } from './small-runs.js';
import { recordText } from './record.js';

const main = fileURLToPath(new URL('../src/main.js', import.meta.url));
const matrix = [[0.5, 0], [1, 0.5], [0.5, 1]];
const general = { base: {}, final: {} };
const { version } = readManifest(join(PATHS.plugins, 'ewc', 'plugin.json'));
const run: CompletedRun = {
  status: 'completed',
  suite: { id: 'letters', version: '1.0.0', size: 'full' },
  method: {
    id: 'ewc', version, options: { lambda: 9000, gamma: 1, rows: 48, fisher: 'relative', penalties: 'online', on: 'factors', start: 'random', rate: 1 },
    capabilities: { rehearsal: false, taskIdentity: false, growth: 'none', bound: false },
  },
  model: { id: 'tiny', sha256: sha256('tiny') },
  order: { id: '1', tasks: ['x', 'y'] },
  seed: 1,
  training: { epochs: 1, batch: 4, learningRate: 1e-3, warmup: 0.1, weightDecay: 0, clip: 1, rank: 2, alpha: 4, sites: ['q'], maxTokens: 32 },
  matrix, general, metrics: metricsOf(matrix, general),
  predictions: {
    x: { answers: [0, 1], chosen: [[0, 0], [0, 1], [1, 1]] },
    y: { answers: [1, 1], chosen: [[0, 0], [0, 1], [1, 1]] },
  },
  cost: { trainableParameters: 1, storedBytes: 4, addedParameters: 1, trainTokens: 9, trainSeconds: 1, evalSeconds: 1, peakBytes: 1 },
  environment: { device: 'cpu', threads: 1, lethe: '0.1.0', node: 'v20', dataSha256: { x: '0'.repeat(64), y: '1'.repeat(64) }, git: null },
};

describe('lethe publish and lethe leaderboard', () => {
  let folder: string;
  let entries: string[];
  let out: string[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lethe-board-'));
    entries = ['--entries', join(folder, 'entries')];
    out = ['--out', join(folder, 'site')];
    await mkdir(join(folder, 'run'));
    await writeRun();
  });
  afterEach(() => rm(folder, { recursive: true }));

  const writeRun = () => writeFile(join(folder, 'run', 'results.json'), JSON.stringify({ schema: 'lethe.results/1', sha256: resultsHash([run]), runs: [run] }));

  it('make a page of a run folder whose command names the options that are not defaults', async () => {
    const { data, notes } = await call('publish', join(folder, 'run'), ...entries);
    expect(notes).to.contain('next: lethe leaderboard build --entries');
    const entry = JSON.parse(await readFile(data, 'utf8')) as { commands: string[]; methods: { ewc: { paper: string } } };
    expect(entry.commands).to.deep.equal(['lethe run letters --methods ewc --orders 1 --seeds 1 --model tiny --set ewc.lambda=9000']);
    expect(entry.methods.ewc.paper).to.equal('https://arxiv.org/abs/1612.00796');
    const built = await call('leaderboard', 'build', ...entries, ...out);
    expect(built.notes).to.contain('1 entry recomputed, 4 pages written');
    const [comparison] = /[\w.-]+\/index\.html/.exec(await readFile(built.data, 'utf8'))!;
    expect(await readFile(join(folder, 'site', comparison), 'utf8')).to.contain('lambda=9000');
  });

  it('give an entry that lethe validate recomputes', async () => {
    const { data } = await call('publish', join(folder, 'run'), ...entries);
    expect((await call('validate', data)).data).to.equal(`${data}: entry of 1 runs, every score and metric recomputed`);
    await writeFile(data, (await readFile(data, 'utf8')).replace('"averageAccuracy": 0.75', '"averageAccuracy": 0.76'));
    expect((await call('validate', data)).problem).to.contain('LETHE_RESULTS_INVALID').and.contain(data);
  });

  it('give an entry that lethe validate holds to what plugins kept elsewhere declare', async () => {
    const own = { ...run, method: { ...run.method, id: 'mine', version: '2.0.0', options: { rate: 1 } } };
    await writeFile(join(folder, 'run', 'results.json'), JSON.stringify({ schema: 'lethe.results/1', sha256: resultsHash([own]), runs: [own] }));
    const { data, notes } = await call('publish', join(folder, 'run'), ...entries);
    expect(notes).to.contain('what mine 2.0.0 is').and.contain('--plugins DIR');
    const plugin = join(folder, 'mine');
    await mkdir(plugin);
    const manifest = {
      name: 'mine', kind: 'method', version: '2.0.0', lethe: '^0.1.0', description: 'Keeps rows.', stream: 'continual',
      capabilities: { ...run.method.capabilities, rehearsal: true }, options: { type: 'object', additionalProperties: false, properties: {} }, licence: 'MIT',
    };
    await writeFile(join(plugin, 'plugin.json'), JSON.stringify(manifest));
    expect((await call('validate', data)).problem).to.equal('');
    expect((await call('validate', data, '--plugins', plugin)).problem).to.contain('LETHE_RESULTS_INVALID').and.contain('capabilities');
    // of a plugin that is broken nobody knows what it declares
    await writeFile(join(plugin, 'plugin.json'), JSON.stringify({ ...manifest, licence: 3 }));
    expect((await call('validate', data, '--plugins', plugin)).problem).to.contain('LETHE_PLUGIN_MANIFEST: "licence" must be a text, not 3');
    await writeFile(join(plugin, 'plugin.json'), JSON.stringify(manifest));
    // the plugin that the run was made with is held to it without being named
    await writeFile(join(folder, 'run', 'run.json'), recordText({ methods: [{ id: 'mine', version: '2.0.0', manifest: join(plugin, 'plugin.json') }], orders: [run.order] }));
    await rm(data);
    expect((await call('publish', join(folder, 'run'), ...entries)).problem).to.contain('LETHE_RESULTS_INVALID').and.contain('capabilities');
    await writeFile(join(plugin, 'plugin.json'), JSON.stringify({ ...manifest, capabilities: run.method.capabilities }));
    const again = await call('publish', join(folder, 'run'), ...entries);
    expect(again.problem).to.equal('');
    expect(again.notes).not.to.contain('what mine');
    expect(JSON.parse(await readFile(again.data, 'utf8'))).to.have.nested.property('methods.mine.description', manifest.description);
  });

  it('are refused a folder that cannot be made, as is a new plugin, and none of them tries for ever', async function () {
    if (!existsSync('/proc/self')) this.skip();
    await mkdir(entries[1]!);
    const refusals = [
      await call('publish', join(folder, 'run'), '--entries', '/proc/no/entries'), await call('leaderboard', 'build', ...entries, '--out', '/proc/no/site'),
      await call('leaderboard', 'build', ...entries, '--out', '/proc/site'),
    ];
    for (const { problem } of refusals) expect(problem).to.contain('LETHE_FILES: ').and.match(/at {2}\/proc/).and.contain('fix ');
    expect((await call('new', 'scorer', 'mine', '--dir', '/proc/no')).problem).to.contain('LETHE_USAGE').and.contain('cannot be written');
  });

  it('name the model and the adapter that a run began with', async () => {
    const begun = { ...run, model: { id: 'tiny+march', sha256: sha256('both'), adapter: { id: 'march', sha256: sha256('march'), base: run.model } } };
    await writeFile(join(folder, 'run', 'results.json'), JSON.stringify({ schema: 'lethe.results/1', sha256: resultsHash([begun]), runs: [begun] }));
    const { data } = await call('publish', join(folder, 'run'), ...entries);
    expect((JSON.parse(await readFile(data, 'utf8')) as { commands: string[] }).commands[0]).to.contain('--model tiny --adapter march');
  });

  it('name what a run did with its prompts and rows', async () => {
    const asked = { ...run, model: { ...run.model, chat: true as const }, environment: { ...run.environment, skippedRows: { x: 2 } } };
    await writeFile(join(folder, 'run', 'results.json'), JSON.stringify({ schema: 'lethe.results/1', sha256: resultsHash([asked]), runs: [asked] }));
    const { data } = await call('publish', join(folder, 'run'), ...entries);
    expect((JSON.parse(await readFile(data, 'utf8')) as { commands: string[] }).commands[0]).to.contain('--model tiny --chat --skip-bad-rows');
  });

  it('are refused of a run that is not finished, though what is there is whole, and so is what it tuned', async () => {
    const record = (seeds: number[]) => writeFile(join(folder, 'run', 'run.json'), recordText({ orders: [run.order], seeds }));
    await record([1, 2, 3]);
    for (const path of [join(folder, 'run'), join(folder, 'run', 'results.json')]) {
      const { problem } = await call('publish', path, ...entries);
      expect(problem).to.contain('LETHE_RUN_STOPPED').and.contain('1 of 3 runs are there').and.contain(`lethe resume ${join(folder, 'run')}`);
    }
    expect(existsSync(join(folder, 'entries'))).to.equal(false);
    expect((await call('run', 'domain-mini', '--methods', 'ewc', '--tuned', join(folder, 'run'))).problem).to.contain('LETHE_RUN_STOPPED');
    expect((await call('show', join(folder, 'run'))).notes).to.contain('not finished: 1 of 3 runs are there');
    await writeFile(join(folder, 'run', 'results.json'), JSON.stringify({ schema: 'lethe.results/1', sha256: resultsHash([]), runs: [] }));
    const none = await call('show', join(folder, 'run'));
    expect([none.data, none.notes]).to.deep.equal(['', `not finished: 0 of 3 runs are there; go on with: lethe resume ${join(folder, 'run')}\nresults: ${join(folder, 'run', 'results.json')}`]);
    await rm(join(folder, 'run', 'results.json'));
    expect((await call('show', join(folder, 'run'))).problem).to.contain('LETHE_RUN_STOPPED').and.contain('0 of 3 runs are there');
    await writeRun();
    await record([1]);
    expect((await call('show', join(folder, 'run'))).notes).to.not.contain('not finished');
    expect((await call('publish', join(folder, 'run'), ...entries)).problem).to.equal('');
  });

  it('say of a file with something else that it is no entry, and not to delete it', async () => {
    await writeFile(join(folder, 'run', 'kept.json'), recordText());
    const { problem } = await call('show', join(folder, 'run', 'kept.json'));
    expect(problem).to.contain('LETHE_RESULTS_INVALID').and.contain('not an entry').and.contain('folder of a run').and.not.contain('delete');
  });

  it('write commands that lethe run understands', async () => {
    const { data } = await call('publish', join(folder, 'run'), ...entries);
    const [command] = (JSON.parse(await readFile(data, 'utf8')) as { commands: string[] }).commands;
    // it goes as far as looking for the suite, which is of this test alone: every option was understood
    expect((await call(...command!.split(' ').slice(1))).problem).to.match(/LETHE_(SUITE|MODEL|DATA)/).and.not.contain('LETHE_USAGE');
  });

  it('refuse a run of another version than is installed, which nothing could be held to, and options that the method does not have', async () => {
    for (const [method, said] of [[{ version: '1.0.0' }, `ewc 1.0.0, and ${version} is installed`], [{ options: { ...run.method.options, magic: 1 } }, 'other options of ewc'],
      [{ options: { ...run.method.options, rate: -5 } }, 'other options of ewc']] as const) {
      const other = { ...run, method: { ...run.method, ...method } };
      await writeFile(join(folder, 'run', 'results.json'), JSON.stringify({ schema: 'lethe.results/1', sha256: resultsHash([other]), runs: [other] }));
      expect((await call('publish', join(folder, 'run'), ...entries)).problem).to.contain(said).and.contain('fix ');
      expect(existsSync(entries[1]!)).to.equal(false);
    }
  });

  it('refuse what is there already, what is not a run, and a doctored entry', async () => {
    const { data } = await call('publish', join(folder, 'run'), ...entries);
    expect((await call('publish', join(folder, 'run'), ...entries)).problem).to.contain('LETHE_ENTRY_EXISTS');
    expect((await call('publish', folder, ...entries)).problem).to.contain('LETHE_RUN_MISSING').and.contain('fix ');
    await writeFile(data, (await readFile(data, 'utf8')).replace('"averageAccuracy": 0.75', '"averageAccuracy": 0.95'));
    const { problem } = await call('leaderboard', 'build', ...entries, ...out);
    expect(problem).to.contain('LETHE_RESULTS_INVALID').and.contain('.json#/results/runs/0/metrics/averageAccuracy').and.contain('fix ');
    expect(existsSync(out[1]!)).to.equal(false);
  });

  it('say which port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await mkdir(entries[1]!);
    const { problem } = await call('leaderboard', 'serve', '--port', String(port), ...entries, ...out);
    server.close();
    expect(problem).to.contain('LETHE_PORT_BUSY').and.contain(`127.0.0.1:${port}`).and.contain('--port 0');
    expect((await call('leaderboard', 'serve', '--port', '70000')).problem).to.contain('LETHE_USAGE');
  });

  it('serve the page until they are interrupted', async () => {
    await mkdir(entries[1]!);
    const child = spawn(process.execPath, [main, 'leaderboard', 'serve', '--port', '0', ...entries, ...out], { stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = once(child, 'exit');
    const [address] = await once(createInterface(child.stdout), 'line') as [string];
    const response = await fetch(address);
    expect(response.headers.get('content-type')).to.contain('text/html');
    expect(await response.text()).to.contain('<title>Lethe leaderboard</title>');
    child.kill('SIGINT');
    expect(await ended).to.deep.equal([0, null]);
  });
});
