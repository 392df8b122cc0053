import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LetheError, type Results, sha256 } from '@lethe/core';
import { buildSite, publishRun } from '../src/index.js';

const run = (seed: number) => ({
  status: 'completed', suite: { id: 's', version: '1.0.0', size: 'mini' }, method: { id: 'ewc<b>', version: '1.0.0', options: {} },
  model: { id: 'nano', sha256: sha256('m') }, order: { id: '1', tasks: ['a', 'b'] }, seed, training: {},
  matrix: [[0.2, 0.3], [0.8, 0.3], [0.6, 0.7]], general: { base: {}, final: {} }, predictions: {},
  metrics: { averageAccuracy: 0.65, backwardTransfer: -0.2, forgetting: 0.2, forwardTransfer: 0, learningAccuracy: 0.75, averageIncrementalAccuracy: 0.7, generalDelta: null },
  cost: { trainableParameters: 1, storedBytes: 2, addedParameters: 0, trainTokens: 1, trainSeconds: 1, evalSeconds: 1, peakBytes: 1 },
  environment: { device: 'cpu', threads: 1, lethe: '0.1.0', node: '20', dataSha256: {}, git: null },
});

describe('leaderboard', () => {
  it('publishes once and builds escaped tables that need no script', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'lethe-'));
    const runs = [run(1), run(2)];
    await writeFile(join(dir, 'results.json'), JSON.stringify({ schema: 'lethe.results/1', sha256: sha256(runs), runs }));
    const accept = (value: unknown) => value as Results;
    await publishRun(dir, join(dir, 'entries'), accept);
    const again = await publishRun(dir, join(dir, 'entries'), accept).catch((error: unknown) => error);
    expect((again as LetheError).code).to.equal('LETHE_ENTRY_EXISTS');
    const html = await readFile(await buildSite(join(dir, 'entries'), join(dir, 'site')), 'utf8');
    expect(html).to.contain('ewc&lt;b&gt; 1.0.0').and.contain('0.650').and.not.contain('ewc<b>');
  });
});
