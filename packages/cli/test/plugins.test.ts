import { expect } from 'chai';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { LETHE_VERSION } from '@lethe/core';
import { PATHS } from '../src/paths.js';
import { ofKind, plugin } from './small-plugins.js';
import { call } from './small-runs.js';

describe('plugins on the command line', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-plugins-')); });
  after(() => rmSync(folder, { recursive: true }));

  describe('new', () => {
    it('writes a method under its own name, with the schema that editors read', async () => {
      const { data, notes } = await call('new', 'method', 'sd-lora-2', '--dir', folder);
      const written = join(folder, 'sd-lora-2');
      expect(resolve(data)).to.equal(written);
      expect(notes).to.contain('npx tsc -p').and.contain('validate');
      expect(readdirSync(written).sort()).to.deep.equal(['README.md', 'index.test.ts', 'index.ts', 'package.json', 'plugin.json', 'tsconfig.json']);
      const texts = readdirSync(written).map((file) => readFileSync(join(written, file), 'utf8'));
      expect(texts.filter((text) => /template-?method/i.test(text))).to.deep.equal([]);
      expect(texts.join('\n')).to.contain('class SdLora2 implements Learner');
      const { $schema, name, lethe } = JSON.parse(readFileSync(join(written, 'plugin.json'), 'utf8')) as Record<string, string>;
      expect([name, lethe, existsSync(join(written, $schema!))]).to.deep.equal(['sd-lora-2', `^${LETHE_VERSION}`, true]);
      expect((await call('list', 'methods', '--plugins', written)).data).to.match(/^sd-lora-2 +0\.1\.0 /m);
    });

    it('prints commands that can be typed, of a folder with spaces too', async () => {
      const { data, notes } = await call('new', 'scorer', 'spaced', '--dir', join(folder, 'a folder'));
      const written = join(folder, 'a folder', 'spaced');
      expect(data).to.equal(written);
      for (const words of [`npx tsc -p '${written}' `, `--timeout 180000 --import=@lethe/core/lend '${written}/dist'`, `--plugins '${written}'`, `validate '${written}'`]) expect(notes).to.contain(words);
    });

    it('writes no file beside those of a plugin into the plugins of this installation', () => {
      for (const kind of ['method', 'scorer']) expect(readdirSync(join(PATHS.templates, `template-${kind}`)).sort()).to.deep.equal(['README.md', 'index.test.ts', 'index.ts', 'plugin.json']);
    });

    for (const [title, args, ...texts] of [
      ['a name with capitals', ['method', 'SD_Lora'], 'LETHE_USAGE', 'fix lethe new method sd-lora'],
      ['a name that leaves the folder', ['method', '../x'], 'LETHE_USAGE', 'fix lethe new method x'],
      ['an empty name', ['method', ''], 'LETHE_USAGE', 'my-method'],
      ['another kind', ['methods', 'x'], 'LETHE_USAGE', 'Did you mean method?'],
      ['the name of a scorer of Lethe', ['scorer', 'sari'], 'LETHE_PLUGIN_DUPLICATE', 'scorer called "sari"'],
      ['the name of an installed method', ['method', 'ewc'], 'LETHE_PLUGIN_DUPLICATE', join('plugins', 'ewc', 'plugin.json')],
      ['a folder that is there', ['method', 'taken'], 'LETHE_FOLDER_EXISTS', 'taken'],
    ] as const) {
      it(`refuses ${title}, and writes nothing`, async () => {
        const parent = mkdtempSync(join(folder, 'parent-'));
        mkdirSync(join(parent, 'taken'));
        const { data, problem } = await call('new', ...args, '--dir', parent);
        expect(data).to.equal('');
        for (const text of [...texts, 'fix ']) expect(problem).to.contain(text);
        expect(readdirSync(parent)).to.deep.equal(['taken']);
        expect(readdirSync(join(parent, 'taken'))).to.deep.equal([]);
      });
    }
  });

  describe('found', () => {
    it('in node_modules of the working directory, by their keyword', async () => {
      plugin(folder, join('work', 'node_modules', 'lethe-calm'), 'calm');
      const before = process.cwd();
      process.chdir(join(folder, 'work'));
      try {
        expect((await call('list', 'methods')).data).to.match(/^calm +1\.0\.0 +Adds nothing\./m);
      } finally {
        process.chdir(before);
      }
      expect((await call('list', 'methods')).data).not.to.contain('calm');
    });

    it('in folders that are named, each once', async () => {
      const at = plugin(folder, join('several', 'quiet'), 'quiet');
      expect((await call('list', 'methods', '--plugins', dirname(at), '--plugins', at)).data).to.match(/^quiet /m);
      expect((await call('list', 'methods', '--plugins', join(folder, 'nowhere'))).problem).to.contain('LETHE_PLUGIN_UNKNOWN').and.contain('nowhere');
      expect((await call('list', 'methods', '--plugins', `${folder},${folder}`)).problem, 'a list').to.contain('each behind a --plugins of its own');
    });

    it('never under a name that is taken', async () => {
      const at = plugin(folder, join('second', 'ewc'), 'ewc');
      const { data, notes } = await call('list', 'methods', '--plugins', at);
      expect(data).to.contain('seta').and.not.match(/^ewc /m);
      expect(notes).to.contain('LETHE_PLUGIN_DUPLICATE').and.contain(join(at, 'plugin.json')).and.contain(join('plugins', 'ewc', 'plugin.json'));
      const out = join(folder, 'out');
      const run = await call('run', 'domain-mini', '--methods', `ewc,${at}`, '--out', out);
      expect(run.problem).to.contain('LETHE_PLUGIN_DUPLICATE').and.contain('fix ');
      expect(existsSync(out)).to.equal(false);
    });

    it('broken, and kept from nothing that does not need them', async () => {
      const at = plugin(folder, join('mixed', 'hale'), 'hale');
      const file = join(plugin(folder, join('mixed', 'forgetful'), 'forgetful'), 'plugin.json');
      writeFileSync(file, readFileSync(file, 'utf8').replace('"licence"', '"license"'));
      const plugins = ['--plugins', dirname(at)];
      const listed = await call('list', 'methods', ...plugins);
      expect(listed.problem).to.equal('');
      expect(listed.data).to.match(/^hale /m).and.not.contain('forgetful');
      expect(listed.notes).to.match(/^method "forgetful" is broken and left out: LETHE_PLUGIN_MANIFEST: .*"licence"\? \(.*plugin\.json:1\)$/).and.not.contain('\n');
      expect((await call('list', 'suites', ...plugins)).data).to.contain('domain-mini');
      expect((await call('show', 'method', 'forgetful', ...plugins)).problem).to.contain('LETHE_PLUGIN_MANIFEST').and.contain('Did you mean "licence"?');
      expect((await call('show', 'method', 'forgetfull', ...plugins)).problem).to.contain('LETHE_PLUGIN_UNKNOWN').and.contain('Did you mean "forgetful"?');
      // the broken one is no hindrance: an order is, which is checked after the methods
      const asked = (...methods: string[]) => call('run', 'domain-mini', ...plugins, ...methods, '--orders', 'none', '--out', join(folder, 'never'));
      const run = await asked('--methods', 'hale');
      expect(run.problem).to.contain('"none"').and.not.contain('LETHE_PLUGIN');
      expect(run.notes.split('\n').filter((line) => line.includes('forgetful'))).to.have.length(1);
      expect((await asked('--methods', 'hale,forgetful')).problem).to.contain('LETHE_PLUGIN_MANIFEST').and.contain('Did you mean "licence"?');
      expect((await asked()).problem).to.contain('LETHE_PLUGIN_MANIFEST').and.contain('All installed methods are to run').and.contain('--methods');
    });

    it('by a configuration, from the folder of its file', async () => {
      plugin(folder, join('configured', 'methods', 'still'), 'still');
      const config = join(folder, 'configured', 'run.yaml');
      writeFileSync(config, 'suite: domain-mini\nplugins: [./methods]\nmethods: [still, stil]\n');
      // the one is found, so only the other is unknown
      expect((await call('run', config, '--out', join(folder, 'never'))).problem).to.contain('no method called "stil"').and.contain('Did you mean "still"?');
    });
  });

  describe('show', () => {
    it('tells options with defaults and bounds, from the manifest', async () => {
      const { data } = await call('show', 'method', 'seta');
      expect(data).to.match(/^agreement +0\.25 +a number from -1 to 1 +Least agreement/m).and.match(/^split +true +true or false +/m);
      expect(data).to.contain('https://arxiv.org/abs/2601.17616').and.contain('keeps no rows');
      expect(JSON.parse((await call('show', 'method', 'seta', '--json')).data)).to.have.nested.property('options.properties.pseudo.maximum', 1024);
    });

    it('tells tasks and orders of a suite, what a scorer judges and what a model is', async () => {
      expect((await call('show', 'suite', 'standard-cl')).data).to.match(/^standard-cl \d+\.\d+\.\d+: Standard CL/).and.match(/^dbpedia +\S.* one of 14 labels$/m).and.match(/^order 1: dbpedia, /m);
      expect((await call('show', 'scorer', 'rouge-l')).data).to.equal('rouge-l: judges what was written');
      expect((await call('show', 'model', 'lethe-nano')).data).to.match(/^lethe-nano 1\.0\.0: /).and.contain('plugin.json');
      const at = ofKind(folder, 'counts', 'scorer', "export default { id: 'counts', needs: 'text', needsSource: false, score: () => 1 };");
      expect((await call('show', 'scorer', 'counts', '--plugins', at)).data).to.match(/^counts 1\.0\.0: Adds nothing\./);
      expect((await call('show', 'suite', 'standard-lc')).problem).to.contain('LETHE_SUITE_UNKNOWN').and.contain('Did you mean "standard-cl"?');
      expect((await call('show', 'scorer', 'rogue-l')).problem).to.contain('LETHE_PLUGIN_UNKNOWN').and.contain('Did you mean "rouge-l"?');
    });

    it('lists what there is of a kind where no name is given', async () => {
      expect((await call('show', 'method')).data).to.equal((await call('list', 'methods')).data);
      expect((await call('show', 'suites')).data).to.equal((await call('list', 'suites')).data);
    });

    it('tells what was meant', async () => {
      expect((await call('show', 'method', 'sta')).problem).to.contain('Did you mean "seta"?');
      for (const [kind, name] of [['method', 'seta'], ['suite', 'domain-mini'], ['scorer', 'rouge-l'], ['model', 'lethe-nano']]) {
        expect((await call('show', name!)).problem).to.contain('LETHE_RUN_MISSING').and.contain(`Did you mean: lethe show ${kind} ${name}?`);
      }
      expect((await call('show', 'nothere')).problem).to.contain('LETHE_RUN_MISSING: There is no such file or folder.').and.contain(`at  ${resolve('nothere')}\n`);
      expect((await call('show', 'methods', 'seta')).problem).to.contain('LETHE_USAGE').and.contain('Did you mean "method"?');
    });
  });
});
