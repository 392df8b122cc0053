import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { SUITE, letheWith } from './command.js';

describe('the command as a script of npm, which runs in the folder of the package', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'lethe-from-'));
    cpSync(SUITE, join(folder, 'mine'), { recursive: true });
  });
  after(() => rmSync(folder, { recursive: true }));

  it('takes paths from where it was called', async () => {
    const { status, stdout, stderr } = await letheWith({ INIT_CWD: folder, npm_lifecycle_event: 'lethe' }, 'validate', './mine').ended;
    expect(status, stderr).to.equal(0);
    expect(stdout).to.contain('suite two-trades 1.0.0, 2 tasks');
  });

  it('takes them from where it runs as part of another script, which has paths of its own', async () => {
    const { status, stderr } = await letheWith({ INIT_CWD: folder, npm_lifecycle_event: 'test' }, 'validate', './mine').ended;
    expect(status).to.equal(2);
    expect(stderr).to.contain('There is no such file or folder.');
  });
});
