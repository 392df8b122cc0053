import { expect } from 'chai';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { LETHE_VERSION } from '@lethe/core';
import { writeResults } from '@lethe/harness';
import pc from 'picocolors';
import { createProgram, explained } from '../src/index.js';
import { PATHS } from '../src/paths.js';
import { recordText } from './record.js';
import { run } from './small-runs.js';

describe('plugins on the command line', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-plugins-')); });
  after(() => rmSync(folder, { recursive: true }));

  /** Runs a command in this process: its data, its notes, and what went wrong in the form that users see. */
  async function call(...args: string[]): Promise<{ data: string; notes: string; problem: string }> {
    const [lines, notes]: [string[], string[]] = [[], []];
    const output = { data: (text: string) => void lines.push(text), note: (text: string) => void notes.push(text), colour: pc.createColors(false) };
    let problem = '';
    try {
      await createProgram(output).parseAsync(args, { from: 'user' });
    } catch (error) {
      problem = explained(error)?.describe() ?? '';
    }
    return { data: lines.join('\n'), notes: notes.join('\n'), problem };
  }

  /** A method written in JavaScript, whose learner adds nothing, with other members in the place of some. */
  function plugin(path: string, name: string, members = ''): string {
    const at = join(folder, path);
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, 'package.json'), '{ "type": "module", "keywords": ["lethe-plugin"] }');
    writeFileSync(join(at, 'plugin.json'), JSON.stringify({
      name, kind: 'method', version: '1.0.0', lethe: `^${LETHE_VERSION}`, description: 'Adds nothing.', licence: 'MIT',
      options: { type: 'object', additionalProperties: false, properties: { calm: { type: 'boolean', default: true, description: 'No effect.' } } },
    }));
    writeFileSync(join(at, 'index.js'), `const state = () => ({ trainable: {}, frozen: {}, stored: {}, json: null });
export default { create: (host, options) => ({ ...state(), begin() {}, adapt: () => null, end() {}, save: state, restore() {}, ${members} }) };\n`);
    return at;
  }

  /** A plugin of another kind, with this code. */
  function ofKind(name: string, kind: string, code: string): string {
    const at = plugin(join(kind, name), name);
    const manifest = JSON.parse(readFileSync(join(at, 'plugin.json'), 'utf8')) as object;
    writeFileSync(join(at, 'plugin.json'), JSON.stringify({ ...manifest, kind }));
    writeFileSync(join(at, 'index.js'), code);
    return at;
  }

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

  describe('validate', () => {
    it('says what it checked of a method and what not', async () => {
      const { data, problem } = await call('validate', join(PATHS.plugins, 'lora-sequential'));
      expect(problem).to.equal('');
      expect(data).to.contain('method lora-sequential').and.match(/checked: conformance .*same-seed, resumes/).and.contain('not checked: its own tests');
    });

    it('names every rule that is broken, with what was seen and the remedy', async () => {
      const at = plugin('broken', 'broken', 'report: () => [new Date(0), Math.random(), () => 1],');
      const { data, problem } = await call('validate', at);
      expect(data).to.equal('');
      expect(problem).to.contain('LETHE_PLUGIN_CONFORMANCE').and.match(/breaks \d rules/).and.contain(join(at, 'index.js'));
      expect(problem).to.match(/^ {2}no-ambient: the method reads Math\.random .*index\.js:\d+/m).and.match(/^ {2}json-state: after stage 1 report\(\)/m);
      expect(problem).to.match(/fix .*host\.random/);
    });

    it('checks a method with other options than its defaults, and says with which', async () => {
      expect((await call('validate', join(PATHS.plugins, 'ewc'), '--set', 'penalties=separate', '--set', 'lambda=3')).data)
        .to.match(/checked: conformance with penalties="separate", lambda=3 and the defaults of its other options: .*same-seed, resumes/);
      // what it reports with its default is sound
      const at = plugin('restless', 'restless', 'report: () => (options.calm ? [] : [new Date(0)]),');
      expect((await call('validate', at)).data).to.contain('conformance with the defaults of its options').and.contain('not checked: its own tests (mocha), its options with other values (--set OPTION=VALUE)');
      const { data, problem } = await call('validate', at, '--set', 'calm=false');
      expect(data).to.equal('');
      expect(problem).to.contain('LETHE_PLUGIN_CONFORMANCE').and.contain('method "restless" with calm=false breaks a rule').and.match(/^ {2}json-state: /m);
    });

    it('judges a method by what its manifest declares of it with the options that are given', async () => {
      const { data, problem } = await call('validate', join(PATHS.plugins, 'seta'), '--set', 'oracle=true');
      expect(problem).to.equal('');
      expect(data).to.contain('conformance with oracle=true').and.match(/not checked: conformance: task-blind, because/);
    });

    for (const [title, settings, ...texts] of [
      ['an unknown option', ['lamda=3'], 'LETHE_PLUGIN_OPTIONS', 'Did you mean "lambda"?', join('plugins', 'ewc', 'plugin.json'), 'known options: lambda, ', 'lethe show method ewc lists its options'],
      ['a value out of range', ['gamma=2'], 'LETHE_PLUGIN_OPTIONS', 'from 0 to 1, given 2', 'fix give gamma a number from 0 to 1'],
      ['a choice that there is not', ['penalties=none'], 'LETHE_PLUGIN_OPTIONS', 'fix give penalties one of '],
      ['an option given twice', ['lambda=3', 'lambda=4'], 'LETHE_USAGE', '--set gives lambda twice'],
      ['a setting that is none', ['lambda'], 'LETHE_USAGE', '--set "lambda" is not OPTION=VALUE'],
      ['a setting with its method', ['ewc.lambda=0.5'], 'LETHE_USAGE', 'fix leave it out: --set lambda=0.5'],
    ] as const) {
      it(`refuses ${title}`, async () => {
        const { data, problem } = await call('validate', join(PATHS.plugins, 'ewc'), ...settings.flatMap((setting) => ['--set', setting]));
        expect(data).to.equal('');
        for (const text of texts) expect(problem).to.contain(text);
      });
    }

    it('takes no options for what is no method', async () => {
      const scorer = ofKind('still', 'scorer', "export default { id: 'still', needs: 'text', needsSource: false, score: () => 1 };");
      for (const [at, file] of [[join(PATHS.suites, 'domain-mini'), 'suite.yaml'], [scorer, 'plugin.json']] as const) {
        const { data, problem } = await call('validate', at, '--set', 'lambda=3');
        expect(data).to.equal('');
        expect(problem).to.contain('LETHE_USAGE').and.contain('no plugin of a method').and.contain(join(at, file)).and.contain('fix leave --set out');
      }
    });

    it('says where what it tested is older than what is written, and how it is built', async () => {
      const at = plugin('stale', 'stale');
      const source = join(at, 'index.ts');
      writeFileSync(source, 'export default {};\n');
      utimesSync(source, 1, 1);
      expect((await call('validate', at)).data).to.contain('method stale').and.not.contain('npx tsc');
      utimesSync(join(at, 'index.js'), 1, 1);
      utimesSync(source, 2, 2);
      const { data, problem } = await call('validate', at);
      expect(problem).to.equal('');
      expect(data).to.contain('method stale').and.match(/not checked: .*index\.ts as it is now, which is newer .*: npx tsc -p .*stale, and validate again$/);
      writeFileSync(join(at, 'tsconfig.tsbuildinfo'), '{}');
      expect((await call('validate', at)).data).to.not.contain('npx tsc');
      rmSync(join(at, 'tsconfig.tsbuildinfo'));
      const broken = plugin('stale-broken', 'stale-broken', 'report: () => [Math.random()],');
      writeFileSync(join(broken, 'index.ts'), 'export default {};\n');
      utimesSync(join(broken, 'index.js'), 1, 1);
      expect((await call('validate', broken)).problem).to.contain('LETHE_PLUGIN_CONFORMANCE').and.match(/fix .*index\.ts as it is now/);
    });

    it('holds a scorer to the rules of scorers, and to the name of its plugin', async () => {
      const at = ofKind('fickle', 'scorer', "export default { id: 'fickle', needs: 'text', needsSource: false, score: () => Math.random() * 2 };");
      const { problem } = await call('validate', at, '--plugins', at);
      expect(problem).to.contain('LETHE_PLUGIN_CONFORMANCE').and.contain('scorer "fickle" breaks').and.match(/^ {2}no-ambient: it reads Math\.random/m);
      const other = ofKind('one', 'scorer', "export default { id: 'another', needs: 'text', needsSource: false, score: () => 1 };");
      expect((await call('list', 'scorers', '--plugins', other)).notes).to.contain('LETHE_PLUGIN_EXPORT').and.contain('"one"').and.contain('"another"');
      const none = ofKind('none', 'scorer', 'export default { id: \'none\', needs: \'text\', score: () => 1 };');
      expect((await call('validate', none)).problem).to.contain('LETHE_PLUGIN_EXPORT').and.contain('no "needsSource"').and.contain('const scorer: Scorer');
      const taken = ofKind('rouge-l', 'scorer', "export default { id: 'rouge-l', needs: 'text', needsSource: false, score: () => 1 };");
      expect((await call('list', 'suites', '--plugins', taken)).notes).to.contain('LETHE_PLUGIN_DUPLICATE').and.contain('another scorer called "rouge-l"');
    });

    it('runs no code that came along with a run which is only looked at', async () => {
      const stranger = join(folder, 'of a stranger');
      mkdirSync(stranger);
      const codePath = join(stranger, 'evil.mjs');
      writeFileSync(codePath, "globalThis.evil = true;\nexport default { id: 'evil', needs: 'text', needsSource: false, score: () => 1 };");
      for (const place of [codePath, relative(process.cwd(), codePath)]) {
        const reference = { reference: 's', suitesDir: folder, builtDir: folder, scorers: [{ id: 'evil', codePath: place }] };
        writeFileSync(join(stranger, 'run.json'), recordText({ suite: { reference } }));
        for (const args of [['show', stranger], ['table', join(stranger, 'results.json')], ['publish', `${stranger}/../of a stranger`, '--entries', join(folder, 'entries')]]) {
          expect((await call(...args)).problem, args.join(' ')).to.match(/^LETHE_RUN_/);
          expect(globalThis).not.to.have.property('evil');
        }
      }
    });

    it('makes no run again of a method that results name by a path', async () => {
      const at = plugin('posted', 'posted');
      writeFileSync(join(at, 'index.js'), 'globalThis.evil = true;');
      const results = join(folder, 'posted-results');
      mkdirSync(results);
      await writeResults(results, [run(at, 1, 3, 4)]);
      expect((await call('reproduce', results)).problem).to.contain('LETHE_RESULTS_INVALID').and.contain(`"${at}", which is a path`).and.contain('fix ');
      expect(globalThis).not.to.have.property('evil');
    });

    it('tells whoever names a broken scorer what is wrong with it', async () => {
      const unsound = ofKind('unsound', 'scorer', '');
      const manifest = JSON.parse(readFileSync(join(unsound, 'plugin.json'), 'utf8')) as Record<string, unknown>;
      writeFileSync(join(unsound, 'plugin.json'), JSON.stringify({ ...manifest, version: 'one' }));
      const silent = ofKind('silent', 'scorer', 'export const nothing = 1;');
      for (const [scorer, at, code] of [['silent', silent, 'LETHE_PLUGIN_EXPORT'], ['unsound', unsound, 'LETHE_PLUGIN_MANIFEST']] as const) {
        const suite = join(folder, `of-${scorer}`);
        cpSync(join(PATHS.suites, 'domain-mini'), suite, { recursive: true });
        const file = join(suite, 'suite.yaml');
        const text = readFileSync(file, 'utf8').replace('id: domain-mini', `id: of-${scorer}`);
        writeFileSync(file, text.replace('title: Triage notes,', `$& written: { scorer: ${scorer}, maxTokens: 4, stop: [] },`));
        const { problem } = await call('show', 'suite', suite, '--plugins', at);
        expect(problem, scorer).to.contain(code).and.contain(at).and.not.contain('LETHE_SUITE_INVALID');
      }
    });

    it('holds the suite of a plugin to the name and version of its manifest', async () => {
      const at = ofKind('trades', 'suite', '');
      expect((await call('validate', at)).problem).to.contain('LETHE_SUITE_UNKNOWN').and.contain(join(at, 'suite.yaml'));
      cpSync(join(PATHS.suites, 'domain-mini', 'suite.yaml'), join(at, 'suite.yaml'));
      const { problem } = await call('run', 'trades', '--plugins', at, '--out', join(folder, 'untrue'));
      expect(problem).to.contain('LETHE_SUITE_INVALID').and.contain('The plugin is trades 1.0.0').and.contain('domain-mini');
      expect(existsSync(join(folder, 'untrue'))).to.equal(false);
    });

    it('names a manifest before it runs any code', async () => {
      const at = plugin('unsound', 'unsound', 'report() {},');
      writeFileSync(join(at, 'index.js'), 'throw new Error(\'was run\');\n');
      expect((await call('validate', at)).problem).to.contain('LETHE_PLUGIN_EXPORT').and.contain('was run');
      writeFileSync(join(at, 'plugin.json'), readFileSync(join(at, 'plugin.json'), 'utf8').replace('"licence"', '"license"'));
      expect((await call('validate', at)).problem).to.contain('LETHE_PLUGIN_MANIFEST').and.contain('Did you mean "licence"?');
    });
  });

  describe('found', () => {
    it('in node_modules of the working directory, by their keyword', async () => {
      plugin(join('work', 'node_modules', 'lethe-calm'), 'calm');
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
      const at = plugin(join('several', 'quiet'), 'quiet');
      expect((await call('list', 'methods', '--plugins', dirname(at), '--plugins', at)).data).to.match(/^quiet /m);
      expect((await call('list', 'methods', '--plugins', join(folder, 'nowhere'))).problem).to.contain('LETHE_PLUGIN_UNKNOWN').and.contain('nowhere');
      expect((await call('list', 'methods', '--plugins', `${folder},${folder}`)).problem, 'a list').to.contain('each behind a --plugins of its own');
    });

    it('never under a name that is taken', async () => {
      const at = plugin(join('second', 'ewc'), 'ewc');
      const { data, notes } = await call('list', 'methods', '--plugins', at);
      expect(data).to.contain('seta').and.not.match(/^ewc /m);
      expect(notes).to.contain('LETHE_PLUGIN_DUPLICATE').and.contain(join(at, 'plugin.json')).and.contain(join('plugins', 'ewc', 'plugin.json'));
      const out = join(folder, 'out');
      const run = await call('run', 'domain-mini', '--methods', `ewc,${at}`, '--out', out);
      expect(run.problem).to.contain('LETHE_PLUGIN_DUPLICATE').and.contain('fix ');
      expect(existsSync(out)).to.equal(false);
    });

    it('broken, and kept from nothing that does not need them', async () => {
      const at = plugin(join('mixed', 'hale'), 'hale');
      const file = join(plugin(join('mixed', 'forgetful'), 'forgetful'), 'plugin.json');
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
      plugin(join('configured', 'methods', 'still'), 'still');
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
      const at = ofKind('counts', 'scorer', "export default { id: 'counts', needs: 'text', needsSource: false, score: () => 1 };");
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
