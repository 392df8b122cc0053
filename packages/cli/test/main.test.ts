import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../src/main.js', import.meta.url));

function lethe(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
}

describe('lethe', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-cli-')); });
  after(() => rmSync(folder, { recursive: true }));

  it('shows its commands', () => {
    const { status, stdout } = lethe('--help');
    expect(status).to.equal(0);
    expect(stdout).to.contain('list').and.contain('doctor');
  });

  it('lists methods as JSON on stdout alone', () => {
    const { status, stdout, stderr } = lethe('list', 'methods', '--json');
    expect(status).to.equal(0);
    expect(stderr).to.equal('');
    expect((JSON.parse(stdout) as { name: string }[]).map(({ name }) => name)).to.include.members(['ewc', 'o-lora', 'seta', 'joint']);
  });

  it('answers bad input with a code, a remedy and status 2', () => {
    for (const [args, text] of [
      [['list', 'method'], 'Did you mean "methods"?'],
      [['lits'], 'LETHE_USAGE'],
      [['list'], 'missing required argument'],
      [['show', join('no', 'such', 'folder')], 'LETHE_RUN_MISSING'],
      [['validate', join('no', 'such', 'file')], 'LETHE_USAGE'],
      [[], 'LETHE_USAGE'],
    ] as const) {
      const { status, stdout, stderr } = lethe(...args);
      expect(status, args.join(' ')).to.equal(2);
      expect(stdout, args.join(' ')).to.equal('');
      expect(stderr, args.join(' ')).to.contain(text).and.contain('fix ');
    }
  });

  it('validates a manifest with file and line', () => {
    const file = join(folder, 'plugin.json');
    writeFileSync(file, '{\n  "name": "x",\n  "knid": "method"\n}\n');
    const { status, stderr } = lethe('validate', folder);
    expect(status).to.equal(2);
    expect(stderr).to.contain('Did you mean "kind"?').and.contain(`${file}:3`);
  });

  it('says what the installation offers', () => {
    const { status, stdout } = lethe('doctor');
    expect(status).to.equal(0);
    expect(stdout).to.contain(process.version).and.contain('seta');
  });
});
