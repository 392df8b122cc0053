import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Results } from '@lethe/core';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const COMMIT = 'a'.repeat(40);

describe('a model of the hub, from the command line without a network', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'lethe-hub-'));
    const storage = join(folder, 'cache/models--owner--name');
    mkdirSync(join(storage, 'refs'), { recursive: true });
    writeFileSync(join(storage, 'refs/main'), COMMIT);
    cpSync(join(root, 'test/fixtures/architectures/pythia'), join(storage, 'snapshots', COMMIT), { recursive: true });
  });
  after(() => rmSync(folder, { recursive: true }));

  const run = (model: string, ...args: string[]) => new Promise<{ status: number; stderr: string }>((resolve) => {
    const command = [
      join(root, 'packages/cli/dist/src/main.js'), 'run', join(root, 'test/fixtures/few-words'), '--device', 'cpu', '--methods', 'zero-shot,lora-sequential',
      '--seeds', '1', '--model', model, '--out', join(folder, 'out'), ...args,
    ];
    const env = { ...process.env, HF_HUB_CACHE: join(folder, 'cache'), HF_HUB_OFFLINE: '1' };
    execFile(process.execPath, command, { env }, (error, _, stderr) => resolve({ status: error ? Number(error.code) : 0, stderr }));
  });

  it('trains and scores, and its results name the commit', async () => {
    const { status, stderr } = await run('owner/name');
    expect(status, stderr).to.equal(0);
    expect(stderr).to.contain(`owner/name@${COMMIT}`);
    const { runs } = JSON.parse(readFileSync(join(folder, 'out/results.json'), 'utf8')) as Results;
    expect(runs.map((r) => [r.status, r.model.id])).to.deep.equal(new Array(2).fill(['completed', `owner/name@${COMMIT}`]));
  });

  it('is refused with the files it lacks where it is not on this machine', async () => {
    const { status, stderr } = await run('owner/other@v1.0');
    expect(status).to.equal(2);
    expect(stderr).to.contain('LETHE_MODEL_HUB: Model owner/other at revision v1.0 is not on this machine')
      .and.contain(join(folder, 'cache/models--owner--other/snapshots/v1.0')).and.contain('Put config.json, tokenizer.json, model.safetensors');
  });
});
