import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { call } from './small-runs.js';

describe('a configuration of runs in a file is refused', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-configuration-')); });
  after(() => rmSync(folder, { recursive: true }));

  const problem = async (...args: string[]) => (await call('run', ...args)).problem;
  /** Files of a name and text in a new folder. */
  function files(name: string, contents: Readonly<Record<string, string>>): string {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true });
    for (const [file, text] of Object.entries(contents)) writeFileSync(join(path, file), text);
    return path;
  }

  it('for a wrong key, with its line, and where it names no suite', async () => {
    const config = files('config', {
      'a.yaml': 'suite: domain-mini\nseeds: [1]\nmethod: [ewc]\n', 'b.yaml': 'seeds: [1]\n', 'c.yaml': 'suite: [\n',
      'd.yaml': 'suite: domain-mini\ntraining:\n  epochs: 2\n  rank: 0\n', 'e.yaml': 'suite: domain-mini\nmethods:\n- ewc\n- id: ewc\n',
      'f.yaml': 'suite: domain-mini\ntraining:\n  lr: 1\n',
    });
    expect(await problem(join(config, 'a.yaml'))).to.contain('LETHE_USAGE').and.contain('Did you mean "methods"?').and.contain('a.yaml:3');
    expect(await problem(join(config, 'b.yaml'))).to.contain('suite').and.contain('b.yaml:1');
    expect(await problem(join(config, 'c.yaml'))).to.contain('not valid YAML').and.contain('c.yaml:');
    expect(await problem(join(config, 'd.yaml'))).to.contain('LETHE_USAGE').and.contain('"rank" must be at least 1, not 0').and.contain('d.yaml:4');
    expect(await problem(join(config, 'e.yaml'))).to.contain('unknown field "id"').and.contain('e.yaml:4').and.contain('fix the fields here are: name, label, options');
    expect(await problem(join(config, 'f.yaml'))).to.contain('unknown field "lr"').and.contain('f.yaml:3').and.contain('fix the fields here are: epochs, batch, ');
  });

  it('for a value of the wrong type, and one that is there twice, and is told what to write', async () => {
    for (const [text, message, remedy] of [
      ['seeds: 1', '"seeds" must be a list, not 1', 'write seeds: [1]'],
      ['seeds: 1, 2', '"seeds" must be a list, not "1, 2"', 'write seeds: [1, 2]'],
      ['seeds: [1, "2"]', '"seeds.1" must be a whole number, not "2"', 'write 2 there'],
      ['seeds: -1', '"seeds" must be a list, not -1', 'give seeds a list'],
      ['seeds:', '"seeds" must be a list, not null', 'give seeds a list'],
      ['seeds: [1, 1]', '"seeds" has 1 twice', 'name each once'],
      ['orders: [a, b, a]', '"orders" has "a" twice', 'name each once'],
      ['orders: 2', '"orders" must be a list, not 2', 'write orders: [2]'],
      ['methods: ./mine', '"methods" must be a list, not "./mine"', 'write methods: [./mine]'],
      ['methods: { name: ewc }', '"methods" must be a list, not {"name":"ewc"}', 'write methods: [{"name":"ewc"}]'],
      ['size: 3', '"size" must be a text, not 3', 'write size: "3"'],
      ['model: [one]', '"model" must be a text, not ["one"]', 'write model: one'],
      ['model: [one, two]', '"model" must be a text, not ["one","two"]', 'write one alone, such as model: one'],
      ['chat: yes', '"chat" must be true or false, not "yes"', 'write chat: true'],
      ['chat: perhaps', '"chat" must be true or false, not "perhaps"', 'give chat true or false'],
      ['threads: "4"', '"threads" must be a whole number, not "4"', 'write threads: 4'],
      ['threads: 1.5', '"threads" must be a whole number, not 1.5', 'give threads a whole number'],
      ['training: { sites: q }', '"sites" must be a list, not "q"', 'write sites: [q]'],
      ['training: { sites: x }', '"sites" must be a list, not "x"', 'give sites a list'],
    ] as const) {
      const file = join(files('types', { 'a.yaml': `suite: domain-mini\n${text}\n` }), 'a.yaml');
      const said = await problem(file);
      expect(said, text).to.contain('LETHE_USAGE').and.contain(`${message}\n  at  ${file}:2\n`);
      expect(said.endsWith(`\n  fix ${remedy}`), `${text}: ${said}`).to.equal(true);
    }
  });

  it('for a wrong option, with its line; of what --set gives, with the place where the options are declared', async () => {
    const config = files('options', {
      'a.yaml': 'suite: domain-mini\nmethods:\n- ewc\n- name: seta\n  options:\n    split: true\n    agreement: 1000\n',
      'b.json': '{ "suite": "domain-mini",\n  "methods": [{ "name": "seta",\n    "options": { "agrement": 1 } }] }\n',
    });
    expect(await problem(join(config, 'a.yaml'))).to.contain('LETHE_PLUGIN_OPTIONS').and.contain('a.yaml:7').and.contain('fix give agreement a number from -1 to 1; ');
    expect(await problem(join(config, 'b.json'))).to.contain('LETHE_PLUGIN_OPTIONS').and.contain('b.json:3').and.contain('Did you mean "agreement"?');
    expect(await problem(join(config, 'a.yaml'), '--set', 'seta.agreement=7')).to.contain('given 7').and.contain(join('plugins', 'seta', 'plugin.json'));
  });

  it('for a wrong key in JSON, and where it is a folder with the name of one, which is that of a suite', async () => {
    const config = files('json', { 'a.json': '{ "suite": "domain-mini",\n  "method": ["ewc"] }\n' });
    expect(await problem(join(config, 'a.json'))).to.contain('LETHE_USAGE').and.contain('Did you mean "methods"?').and.contain('a.json:2');
    expect(await problem(files('d.yaml', {}))).to.contain('LETHE_SUITE_UNKNOWN').and.contain(join('d.yaml', 'suite.yaml')).and.contain('fix ');
  });
});
