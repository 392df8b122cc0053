import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Results } from '@lethe/core';
import { expect } from 'chai';
import { lethe as start, node } from './command.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const MODEL = join(root, 'packages/model/lethe-nano');

describe('a new method, outside of the repository', () => {
  let folder: string;
  before(function () {
    if (!existsSync(join(MODEL, 'model.safetensors'))) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'lethe-new-'));
  });
  after(() => { if (folder) rmSync(folder, { recursive: true }); });

  const lethe = (...args: string[]) => node(join(root, 'packages/cli/dist/src/main.js'), ...args);
  const plugin = () => join(folder, 'held');
  const asked = (out: string) => ['run', join(root, 'test/fixtures/two-trades'), '--size', 'tiny', '--model', MODEL, '--device', 'cpu',
    '--plugins', folder, '--methods', 'held', '--set', 'held.strength=1', '--seeds', '1', '--out', out];

  it('is written and compiles', () => {
    lethe('new', 'method', 'held', '--dir', folder);
    node(join(root, 'node_modules/typescript/bin/tsc'), '-p', plugin());
    expect(existsSync(join(plugin(), 'dist', 'index.js'))).to.equal(true);
  });

  it('is built, tested, tried and checked by the commands that are printed, wherever one stands', () => {
    const from = join(folder, 'a folder');
    mkdirSync(from);
    const sh = (command: string) => {
      const { status, stdout, stderr } = spawnSync(command, { shell: true, cwd: from, encoding: 'utf8' });
      expect(status, `${command}\n${stdout}${stderr}`).to.equal(0);
      return stdout + stderr;
    };
    const printed = sh(`'${process.execPath}' '${join(root, 'packages/cli/dist/src/main.js')}' new method tended --dir 'my plugins'`);
    const command = (does: string) => new RegExp(`^${does}: +(.*)$`, 'm').exec(printed)![1]!;
    expect(sh(command('build and test it'))).to.contain('conformance of tended');
    expect(sh(command('check it'))).to.contain('method tended 0.1.0');
    const small = command('try it').replace('domain-mini --size quick', `'${join(root, 'test/fixtures/two-trades')}' --size tiny`);
    expect(sh(`${small} --seeds 1 --device cpu`)).to.match(/^tended /m);
  });

  it('passes its own tests', () => {
    const out = node(join(root, 'node_modules/mocha/bin/mocha.js'), '--no-config', '--timeout', '60000', '--import=@lethe/core/lend', join(plugin(), 'dist'));
    expect(out).to.match(/\d+ passing/).and.contain('conformance of held').and.contain('adds strength times the squared distance');
  });

  it('passes validation', () => {
    expect(lethe('validate', plugin())).to.contain('method held 0.1.0').and.contain('checked: conformance');
  });

  it('learns a suite on a language model, in a worker of its own', () => {
    const out = join(folder, 'run');
    const { runs } = JSON.parse(lethe(...asked(out), '--json')) as Results;
    expect(runs.map(({ status, method }) => [status, method.id, method.version, method.options])).to.deep.equal([['completed', 'held', '0.1.0', { strength: 1, start: 'random', rate: 1 }]]);
  });

  it('makes its runs again when its code has changed, and takes up the earlier ones when that is taken back', async () => {
    const out = join(folder, 'run');
    const code = join(plugin(), 'dist', 'index.js');
    const built = readFileSync(code, 'utf8');
    writeFileSync(code, `${built}\nexport const another = 1;\n`);
    const again = async (...args: string[]) => {
      const { status, stderr } = await start(...args).ended;
      expect(status, stderr).to.equal(0);
      return stderr;
    };
    const changed = 'the code of held is no longer what it was: runs of it are made again';
    expect(await again('resume', out)).to.contain(changed).and.match(/base model .*already there/).and.match(/2\/2 kitchen /).and.not.match(/\d\/2 .*already there/);
    expect(await again(...asked(out))).to.contain('1 of 1 runs are finished already').and.not.contain(changed);
    writeFileSync(code, built);
    expect(await again('resume', out)).to.contain(changed).and.match(/2\/2 kitchen .*already there/);
    // results without a record do not say with which code they were made
    writeFileSync(code, `${built}\nexport const another = 2;\n`);
    rmSync(join(out, 'run.json'));
    expect(await again(...asked(out))).to.match(/2\/2 kitchen /).and.not.match(/\d\/2 .*already there|finished already/);
    writeFileSync(code, built);
    writeFileSync(join(plugin(), 'dist', 'more.test.js'), '');
    expect(lethe('resume', out)).to.contain('held');
    const record = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')) as { code?: Record<string, string> };
    expect(Object.keys(record.code!)).to.deep.equal(['held']);
    const older = 'method held runs as it was built, before ';
    utimesSync(join(plugin(), 'dist', 'index.js'), 1, 1);
    rmSync(join(plugin(), 'dist', 'tsconfig.tsbuildinfo'), { force: true });
    expect(await again('resume', out)).to.contain(older).and.match(/index\.ts was changed: npx tsc -p \S+ builds it/);
    utimesSync(join(plugin(), 'index.ts'), 1, 1);
    expect(await again('resume', out)).to.not.contain(older);
    // as earlier versions wrote it
    delete record.code;
    writeFileSync(join(out, 'run.json'), JSON.stringify(record));
    expect(lethe('resume', out)).to.contain('held');
  });

  it('is told from what it was under the same version: in tables, when it is published, and when runs are made again', async () => {
    const [out, later, entries] = [join(folder, 'run'), join(folder, 'later'), join(folder, 'entries')];
    const code = join(plugin(), 'dist', 'index.js');
    const built = readFileSync(code, 'utf8');
    const noted = async (...args: string[]) => {
      const { stdout, stderr } = await start(...args).ended;
      return { stdout, stderr };
    };
    const plugins = ['--plugins', folder];
    writeFileSync(code, `${built}\n// a comment computes nothing\n`);
    expect((await noted('publish', out, '--entries', join(folder, 'same'), ...plugins)).stderr).to.contain('was recomputed').and.not.contain('the code of');
    writeFileSync(code, `${built}\nexport const another = 1;\n`);
    await noted(...asked(later).map((word, i, all) => (all[i - 1] === '--seeds' ? '2' : word)));
    const [changed, other] = ['the code of held was changed between its runs, all of version 0.1.0', 'the code of held is not what the '];
    expect((await noted('table', out, later)).stderr).to.contain(changed);
    expect((await noted('table', out)).stderr).to.not.contain(changed);
    const published = await noted('publish', out, later, '--entries', entries, ...plugins);
    expect(published.stderr).to.contain(changed).and.contain(`${other}runs in `).and.contain('was recomputed');
    const { results } = JSON.parse(readFileSync(published.stdout.trim(), 'utf8')) as { results: Results };
    expect(new Set(results.runs.map(({ environment }) => environment.code)).size).to.equal(2);
    expect((await noted('reproduce', out, ...plugins, '--runs', '1', '--out', join(folder, 'again'))).stderr).to.contain(`${other}published runs were made with`);
    writeFileSync(code, built);
  });
});
