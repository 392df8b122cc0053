import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LETHE_VERSION } from '@lethe/core';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

interface Outcome {
  readonly stats: { readonly passes: number };
  readonly failures: readonly { readonly title: string; readonly err: { readonly message: string } }[];
  readonly pending: readonly { readonly title: string }[];
}

describe('the one line in a plugin\'s test', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-describe-')); });
  after(() => rmSync(folder, { recursive: true }));

  /** What mocha makes of the plugin in the folder. */
  function mocha(): Outcome {
    const { stdout } = spawnSync(process.execPath,
      [join(root, 'node_modules/mocha/bin/mocha.js'), '--no-config', '--reporter', 'json', '--timeout', '60000', '--import=@lethe/core/lend', folder],
      { encoding: 'utf8', cwd: root });
    return JSON.parse(stdout) as Outcome;
  }

  it('fails by the rule that the method breaks, and skips with a reason what does not apply', () => {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'plugin.json'), JSON.stringify({
      name: 'sorted', kind: 'method', version: '1.0.0', lethe: `^${LETHE_VERSION}`, description: 'Stamps its report.', licence: 'MIT', stream: 'joint', capabilities: { bound: true },
      options: { type: 'object', additionalProperties: false, properties: {} },
    }));
    writeFileSync(join(folder, 'index.js'), `const state = () => ({ trainable: {}, frozen: {}, stored: {}, json: null });
export default { create: () => ({ ...state(), begin() {}, adapt: () => null, end() {}, save: state, restore() {}, report: () => [{ title: typeof Date.now(), rows: { title: 'r', names: [] }, columns: { title: 'c', names: [] }, cells: [] }] }) };\n`);
    writeFileSync(join(folder, 'index.test.js'), 'import { describeMethod } from \'@lethe/testkit\';\ndescribeMethod(import.meta.url);\n');
    const { failures, pending, stats } = mocha();
    expect(failures.map(({ title }) => title.split(':')[0])).to.deep.equal(['no-ambient']);
    expect(failures[0]!.err.message).to.match(/the method reads Date .*index\.js:2/).and.contain('Take randomness from host.random').and.contain('(rule "no-ambient")');
    expect(pending.map(({ title }) => /^(\S+): .*\(not checked: (.*)\)$/.exec(title)?.slice(1))).to.deep.equal(
      [['learns', 'it trains nothing'], ['gradients', 'it trains nothing'], ['adapter', 'it has no function "adapter"'], ['growth', 'it trains once']]);
    expect(stats.passes).to.equal(13);
  });
});
